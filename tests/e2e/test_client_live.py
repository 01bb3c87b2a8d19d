"""The client on a whole node, over real sockets, with a wire between them that breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.clients import Hasty, next_of, next_texts
from tests.support.relay import Relay, relay_to

from tinyqq.app.build import App, build
from tinyqq.app.settings import HelperSettings, ListenSettings, Settings
from tinyqq.client import (
    Change,
    Client,
    DeviceKind,
    Disconnected,
    JoinPolicy,
    KickedOut,
    Kind,
    Message,
    PresenceChanged,
)
from tinyqq.errors import Forbidden, Unauthenticated
from tinyqq.model.account import KickReason

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(
        data_dir=tmp_path / "data",
        listen=ListenSettings(tcp_port=0, http_port=0),
        helper=HelperSettings(enabled=False),
    )
    async with build(settings) as made:
        yield made


@pytest.fixture
async def wire(app: App) -> AsyncIterator[Relay]:
    assert app.tcp_address
    async with relay_to(*app.tcp_address) as made:
        yield made


async def newcomer(me: Client, nickname: str) -> int:
    """Register and log in; returns the number."""
    made = await me.register(nickname, PASSWORD)
    await me.login(made.user_id, PASSWORD)
    await me.wait_synced()
    return made.user_id


async def befriend(one: Client, other: Client) -> None:
    await one.friends.request(other.user_id)
    await other.friends.accept(one.user_id)


def client(url: str, **settings: object) -> Client:
    return Client(url, random=Hasty(), **settings)  # type: ignore[arg-type]


async def test_sends_when_the_wire_breaks_again_and_again_then_each_once_in_order(
    app: App, wire: Relay
) -> None:
    expected = [f"message {number}" for number in range(200)]
    async with client(wire.url) as ann, client(app.tcp_url, device_kind="desktop") as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(next_texts(bob, len(expected), own=False))
            sending = []
            for number, text in enumerate(expected):
                sending.append(tasks.create_task(ann.send(bob.user_id, text)))
                if number % 40 == 20:
                    wire.loses_answers = True
                if number % 40 == 35:
                    await asyncio.sleep(0)  # what was sent so far goes out
                    await wire.cut_and_wait()
                    wire.loses_answers = False
            seqs = [(await task).seq for task in sending]
        assert heard.result() == expected
        assert seqs == sorted(set(seqs))
        page = await bob.history(bob.conversation_with(ann.user_id), limit=500)
        said = [one.text for one in page.entries if isinstance(one, Message)]
    assert said == expected
    assert wire.connections > 5


async def test_messages_when_the_receivers_wire_breaks_then_each_once_in_order(
    app: App, wire: Relay
) -> None:
    expected = [f"message {number}" for number in range(150)]
    async with client(app.tcp_url) as ann, client(wire.url, device_kind="desktop") as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        async with asyncio.TaskGroup() as tasks:
            heard = tasks.create_task(next_texts(bob, len(expected), own=False))
            for number, text in enumerate(expected):
                await ann.send(bob.user_id, text)
                if number % 30 == 29:
                    await wire.cut_and_wait()
        assert heard.result() == expected


async def test_two_devices_when_one_sends_and_reads_then_the_other_knows(app: App) -> None:
    async with (
        client(app.tcp_url) as phone,
        client(app.http_url, device_kind=DeviceKind.DESKTOP) as desk,
        client(app.tcp_url) as bob,
    ):
        ann_id = await newcomer(phone, "Ann")
        await desk.login(ann_id, PASSWORD)
        await newcomer(bob, "Bob")
        await befriend(phone, bob)
        await phone.send(bob.user_id, "from the phone")
        assert await next_texts(desk, 1) == ["from the phone"]
        await bob.send(ann_id, "hi")
        assert await next_texts(phone, 2) == ["from the phone", "hi"]
        assert await next_texts(desk, 1) == ["hi"]
        assert await next_texts(bob, 2) == ["from the phone", "hi"]


async def test_kicked_when_the_same_kind_logs_in_elsewhere_then_final(
    app: App, wire: Relay
) -> None:
    async with client(wire.url) as first, client(app.tcp_url, device_name="other") as second:
        number = await newcomer(first, "Ann")
        await second.login(number, PASSWORD)
        with pytest.raises(KickedOut) as caught:
            await next_of(first, Disconnected)
        assert caught.value.reason is KickReason.REPLACED
        await second.account.profile()
        assert wire.connections == 1
        with pytest.raises(KickedOut):
            await first.send(number, "still here?")


async def test_password_when_changed_then_the_other_devices_are_out(app: App) -> None:
    async with client(app.tcp_url) as one, client(app.tcp_url, device_kind="web") as other:
        number = await newcomer(one, "Ann")
        await other.login(number, PASSWORD)
        await one.account.change_password(PASSWORD, "another horse")
        with pytest.raises(KickedOut):
            await next_of(other, Disconnected)
        await one.account.profile()
        with pytest.raises(Unauthenticated):
            await other.login(number, PASSWORD)


async def test_store_when_restarted_in_the_middle_then_nothing_twice_and_nothing_lost(
    app: App, tmp_path: Path
) -> None:
    async with client(app.tcp_url) as ann:
        await newcomer(ann, "Ann")
        async with client(app.tcp_url, store=tmp_path / "bob.db") as bob:
            bob_id = await newcomer(bob, "Bob")
            await befriend(ann, bob)
        heard: list[str] = []
        for run in range(4):
            for number in range(5):
                await ann.send(bob_id, f"{run}.{number}")
            async with client(app.tcp_url, store=tmp_path / "bob.db") as bob:
                heard += await next_texts(bob, 3 if run < 3 else 11, own=False)
    assert heard == [f"{run}.{number}" for run in range(4) for number in range(5)]


async def test_group_when_joined_late_then_only_what_came_after(app: App) -> None:
    async with client(app.tcp_url) as ann, client(app.tcp_url, device_kind="web") as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        group_id = await ann.groups.create("小组", join_policy=JoinPolicy.OPEN)
        await ann.send_group(group_id, "before")
        assert await bob.groups.join(group_id)
        await ann.send_group(group_id, "after", mentions=[bob.user_id])
        message = await next_of(bob, Message)
        assert (message.text, message.group_id) == ("after", group_id)
        await message.reply("seen")
        assert await next_texts(ann, 3) == ["before", "after", "seen"]
        page = await bob.history(message.conversation)
        assert [one.text for one in page.entries if isinstance(one, Message)] == ["after", "seen"]
        await ann.groups.remove(group_id, bob.user_id)
        with pytest.raises(Forbidden):
            await bob.send_group(group_id, "still here?")


async def test_recall_when_done_then_everybody_is_told_and_the_text_is_gone(app: App) -> None:
    async with client(app.tcp_url) as ann, client(app.tcp_url, device_kind="web") as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        sent = await ann.send(bob.user_id, "oops")
        message = await next_of(bob, Message)
        await ann.recall(ann.conversation_with(bob.user_id), sent.seq)
        while (change := await next_of(bob, Change)).kind != Kind.RECALL:
            pass
        assert change.notice.target_seq == message.seq
        page = await bob.history(message.conversation)
        assert [one.text for one in page.entries if isinstance(one, Message)] == [""]


async def test_presence_when_a_friend_comes_and_goes_then_told(app: App) -> None:
    async with client(app.tcp_url) as ann:
        await newcomer(ann, "Ann")
        async with client(app.tcp_url) as bob:
            await newcomer(bob, "Bob")
            await befriend(ann, bob)
            came = await next_of(ann, PresenceChanged)
        gone = await next_of(ann, PresenceChanged)
    assert (came.online, gone.online) == (True, False)


async def test_read_cursor_when_a_new_device_comes_then_it_starts_there(app: App) -> None:
    async with client(app.tcp_url) as ann, client(app.tcp_url) as bob:
        await newcomer(ann, "Ann")
        bob_id = await newcomer(bob, "Bob")
        await befriend(ann, bob)
        await ann.send(bob_id, "read")
        message = await next_of(bob, Message)
        await message.mark_read()
        await bob.close()
        await ann.send(bob_id, "unread")
        async with client(app.tcp_url, device_kind="mobile") as phone:
            await phone.login(bob_id, PASSWORD)
            assert await next_texts(phone, 1) == ["unread"]


async def test_log_out_when_done_then_the_device_is_forgotten(app: App, tmp_path: Path) -> None:
    async with client(app.tcp_url, store=tmp_path / "me.db") as me:
        await newcomer(me, "Ann")
        await me.log_out()
    async with client(app.tcp_url, store=tmp_path / "me.db") as me:
        assert me.user_id == 0
