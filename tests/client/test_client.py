"""The client as programs use it, whatever becomes of the connection."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.clients import logged_in, next_of, next_texts
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, text
from tests.support.fake_server import FakeServer

from tinyqq.client import (
    Change,
    Client,
    Connected,
    Content,
    CursorMoved,
    DeviceKind,
    Disconnected,
    Kind,
    Message,
    Timeouts,
    Typing,
)
from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, Unauthenticated, Unavailable
from tinyqq.model.account import LogIn, Recovered, RecoverPassword, Registered
from tinyqq.model.ids import GroupId, Seq, UserId
from tinyqq.model.message import Card, Mark, Recall
from tinyqq.wire.content import decode_content
from tinyqq.wire.packets import PacketType

ADDRESSES = ["url", "ws_url", "http_url"]


@pytest.fixture(params=ADDRESSES)
def url(request: pytest.FixtureRequest, server: FakeServer) -> str:
    return str(getattr(server, request.param))


async def test_two_people_when_they_talk_then_both_see_all(url: str) -> None:
    async with Client(url) as ann, Client(url, device_kind="mobile") as bob:
        registered = await ann.register("Ann", "password")
        assert registered == Registered(ANN, "CODE")
        await ann.login(registered.user_id, "password")
        await bob.login((await bob.register("Bob", "password")).user_id, "password")
        sent = await ann.send(bob.user_id, "你好")
        assert sent.seq == 1
        message = await next_of(bob, Message)
        assert (message.text, message.is_own) == ("你好", False)
        await message.reply("hi")
        assert await next_texts(ann, 2) == ["你好", "hi"]


async def test_login_when_asked_then_tells_what_device_it_is(server: FakeServer) -> None:
    async with logged_in(server.url, device_kind=DeviceKind.MOBILE, device_name="phone"):
        pass
    (request,) = server.asked(PacketType.LOG_IN)
    assert isinstance(request, LogIn)
    assert (request.device_kind, request.device_name) == (DeviceKind.MOBILE, "phone")


async def test_login_when_it_is_not_answered_then_timed_out_as_was_asked(
    server: FakeServer,
) -> None:
    server.silent.add(PacketType.LOG_IN)
    async with Client(server.url, timeouts=Timeouts(request_s=0.05)) as me:
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable) as caught:
                await me.login(ANN, "password")
    assert caught.value.code is ErrorCode.TIMED_OUT


async def test_send_when_cut_after_the_commit_then_there_once(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.cut_after_commits = 1
        sent = await me.send(BOB, "once")
        assert sent.seq == 1
        assert await next_texts(me, 1) == ["once"]
        await me.send(BOB, "more")
        assert await next_texts(me, 1) == ["more"]
    assert len(server.logs[ANN_BOB]) == 2
    assert len(server.asked(PacketType.SEND)) in (2, 3)


async def test_send_when_cut_before_the_commit_then_there_once_in_order(
    server: FakeServer,
) -> None:
    async with logged_in(server.url) as me:
        server.cut_before_commits = 1
        sent = await asyncio.gather(*(me.send(BOB, f"{number}") for number in range(20)))
        assert [one.seq for one in sent] == list(range(1, 21))
        assert await next_texts(me, 20) == [f"{number}" for number in range(20)]


async def test_send_when_refused_in_the_middle_then_the_order_stays(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.refusals.append(Unavailable(ErrorCode.BUSY))
        await asyncio.gather(*(me.send(BOB, f"{number}") for number in range(20)))
    said = [decode_content(entry.body).text for entry in server.logs[ANN_BOB]]
    assert said == [f"{number}" for number in range(20)]


async def test_send_when_refused_for_good_then_raises(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.refusals.append(Forbidden(ErrorCode.NOT_FRIENDS))
        with pytest.raises(Forbidden):
            await me.send(BOB, "hi")


async def test_send_when_senseless_then_refused_before_it_can_do_harm(
    server: FakeServer,
) -> None:
    async with logged_in(server.url) as me:
        for wrong in (me.send(-1, "hi"), me.send(BOB, "hi", kind=99), me.send(BOB, "x" * 100_000)):
            with pytest.raises(InvalidRequest):
                await wrong
        await me.send(BOB, "hi")
    assert len(server.asked(PacketType.SEND)) == 1


@pytest.mark.parametrize("number", [0, 9_999, 2**31, 2**32 + BOB, -1])
async def test_send_when_nobody_can_have_the_number_then_refused(
    server: FakeServer, number: int
) -> None:
    async with logged_in(server.url) as me:
        with pytest.raises(InvalidRequest):
            await me.send(number, "hi")
    assert not server.asked(PacketType.SEND)


async def test_send_when_the_text_is_no_unicode_then_refused(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        with pytest.raises(InvalidRequest) as caught:
            await me.send(BOB, "\ud800")
    assert caught.value.code is ErrorCode.BAD_CONTENT


async def test_conversation_with_when_not_logged_in_then_refused(server: FakeServer) -> None:
    async with Client(server.url) as me:
        with pytest.raises(Unauthenticated):
            me.conversation_with(BOB)


async def test_send_when_the_program_ends_first_then_the_next_run_sends_it(
    server: FakeServer, tmp_path: Path
) -> None:
    store = tmp_path / "me.db"
    async with logged_in(server.url, store=store, timeouts=Timeouts(send_s=0.05)) as me:
        server.silent.add(PacketType.SEND)
        with pytest.raises(Unavailable):
            await me.send(BOB, "left over")
    server.silent.clear()
    async with logged_in(server.url, store=store) as me:
        assert await next_texts(me, 1) == ["left over"]
    assert len(server.logs[ANN_BOB]) == 1


async def test_send_group_when_mentioning_then_carried(server: FakeServer) -> None:
    server.members[GROUP] = {ANN}
    async with logged_in(server.url) as me:
        await me.send_group(GROUP, "look", mentions=[BOB], mentions_all=True)
        message = await next_of(me, Message)
    assert message.content == Content(text="look", mentions=(BOB,), mentions_all=True)
    assert message.group_id == GroupId(GROUP)


async def test_send_when_another_kind_then_carried(server: FakeServer) -> None:
    content = Content(text="[card]", card=Card("title"))
    async with logged_in(server.url) as me:
        await me.send(me.user_id, content, kind=Kind.CARD)
        message = await next_of(me, Message)
    assert (message.kind, message.content) == (Kind.CARD, content)
    assert message.peer == ANN


async def test_messages_when_not_asked_for_own_then_only_of_others_and_not_recalled(
    server: FakeServer,
) -> None:
    server.append(ANN_BOB, ANN, text(1).body)
    server.append(ANN_BOB, BOB, b"", kind=Kind.RECALLED)
    server.append(ANN_BOB, BOB, text(3).body)
    async with logged_in(server.url) as me:
        async for message in me.messages():
            assert message.text == "text 3"
            break


async def test_messages_when_asked_for_own_then_those_too(server: FakeServer) -> None:
    server.append(ANN_BOB, ANN, text(1).body)
    async with logged_in(server.url) as me:
        async for message in me.messages(own=True):
            assert message.text == "text 1"
            break


async def test_events_when_all_pushes_are_lost_then_the_next_one_brings_them(
    server: FakeServer,
) -> None:
    async with logged_in(server.url) as me:
        server.lose_pushes = 3
        for number in range(1, 5):
            server.post(ANN_BOB, BOB, text(number).body)
        assert await next_texts(me, 4) == [f"text {number}" for number in range(1, 5)]


async def test_events_when_the_network_breaks_often_then_each_message_once_in_order(
    server: FakeServer,
) -> None:
    expected = [f"text {number}" for number in range(1, 41)]
    async with logged_in(server.url) as me, asyncio.TaskGroup() as tasks:
        seen = tasks.create_task(next_texts(me, len(expected)))
        for number in range(1, len(expected) + 1):
            if number % 7 == 0:
                server.cut_all()
            server.lose_pushes = int(number % 5 == 0)
            server.post(ANN_BOB, BOB, text(number).body)
            await asyncio.sleep(0)
    assert seen.result() == expected


async def test_events_when_started_again_with_its_store_then_only_what_is_new(
    server: FakeServer, tmp_path: Path
) -> None:
    store = tmp_path / "me.db"
    for number in range(1, 4):
        server.post(ANN_BOB, BOB, text(number).body)
    async with logged_in(server.url, store=store) as me:
        assert await next_texts(me, 2) == ["text 1", "text 2"]
    async with logged_in(server.url, store=store) as me:
        assert await next_texts(me, 1) == ["text 3"]
        server.post(ANN_BOB, BOB, text(4).body)
        assert await next_texts(me, 1) == ["text 4"]


async def test_events_when_cut_then_says_so(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        assert await next_of(me, Connected) == Connected(ANN, "fake")
        server.cut_all()
        await next_of(me, Disconnected)
        await next_of(me, Connected)


async def test_events_when_the_other_has_read_while_away_then_told_after_coming_back(
    server: FakeServer,
) -> None:
    async with logged_in(server.url) as me:
        await me.send(BOB, "did you see this?")
        server.read[UserId(BOB), ANN_BOB] = Seq(1)
        server.cut_all()
        assert await next_of(me, CursorMoved) == CursorMoved(ANN_BOB, BOB, Seq(1), Seq(1))


async def test_two_devices_when_one_sends_then_the_other_sees_it(server: FakeServer) -> None:
    async with logged_in(server.url) as phone, logged_in(server.url) as desk:
        await phone.send(BOB, "from the phone")
        message = await next_of(desk, Message)
    assert (message.text, message.is_own) == ("from the phone", True)


async def test_recall_when_told_then_a_change(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        sent = await me.send(BOB, "oops")
        await me.recall(me.conversation_with(BOB), sent.seq)
        server.notice(ANN_BOB, ANN, Kind.RECALL, target_seq=sent.seq)
        change = await next_of(me, Change)
    (request,) = server.asked(PacketType.RECALL)
    assert request == Recall(request.operation_id, ANN_BOB, sent.seq)
    assert (change.kind, change.notice.target_seq) == (Kind.RECALL, sent.seq)


async def test_mark_read_when_asked_then_the_server_knows(server: FakeServer) -> None:
    server.post(ANN_BOB, BOB, text(1).body)
    async with logged_in(server.url) as me:
        message = await next_of(me, Message)
        await message.mark_read()
    assert await server.wait_asked(PacketType.MARK) == Mark(ANN_BOB, Seq(1), Seq(1))


async def test_typing_when_told_then_reaches_the_server(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        me.typing(BOB)
        await me.conversations()
        assert server.asked(PacketType.TYPING) == [Typing(ANN_BOB)]
        await me.log_out()
        me.typing(BOB)


async def test_typing_when_somebody_does_then_an_event(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.push_all(PacketType.TYPING_NOTICE, Typing(ANN_BOB, BOB))
        assert await next_of(me, Typing) == Typing(ANN_BOB, BOB)


async def test_conversations_when_several_pages_then_all(server: FakeServer) -> None:
    server.overview_page = 1
    server.members[GROUP] = {ANN}
    for conversation in (ANN_BOB, GROUP):
        server.append(conversation, BOB, text(1).body)
    async with logged_in(server.url) as me:
        found = await me.conversations()
    assert [one.conversation_id for one in found] == [GROUP, ANN_BOB]


async def test_history_when_asked_then_a_page_of_the_past(server: FakeServer) -> None:
    for number in range(1, 6):
        server.append(ANN_BOB, BOB, text(number).body)
    async with logged_in(server.url) as me:
        page = await me.history(ANN_BOB, before=5, limit=2)
    said = [entry.text for entry in page.entries if isinstance(entry, Message)]
    assert (said, page.more) == (["text 3", "text 4"], True)


async def test_recover_password_when_the_code_is_right_then_the_next_code(
    server: FakeServer,
) -> None:
    def recover(link: Any, request: RecoverPassword) -> Recovered:
        return Recovered(f"after {request.recovery_code}")

    server.handlers[PacketType.RECOVER_PASSWORD] = recover
    async with Client(server.url) as me:
        assert await me.recover_password(ANN, "CODE", "new password") == Recovered("after CODE")


async def test_login_when_by_token_then_logged_in(server: FakeServer) -> None:
    async with Client(server.url, device_kind="bot") as bot:
        answer = await bot.login(token="token-10007")
        assert answer.user_id == bot.user_id == UserId(10_007)
