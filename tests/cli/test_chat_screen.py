"""What comes while the chat client runs, and how it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat import Person, chatting, finished, furnish
from tests.support.clients import logged_in
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, text
from tests.support.fake_server import FakeServer, fake_server

from tinyqq.client import Content, FileStore
from tinyqq.client.outbox import Outgoing
from tinyqq.errors import ErrorCode, Forbidden, NotFound, Unauthenticated
from tinyqq.model.account import KickReason
from tinyqq.model.connection import GoAway, Kicked
from tinyqq.model.ids import OperationId, own_conversation
from tinyqq.model.message import Kind
from tinyqq.wire.content import encode_content
from tinyqq.wire.packets import PacketType


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        furnish(made)
        yield made


async def test_chat_when_missed_messages_then_shown_before_the_first_prompt(
    server: FakeServer,
) -> None:
    server.post(ANN_BOB, BOB, text(1, "first").body)
    server.post(GROUP, BOB, text(2, "second").body)
    async with chatting(server) as person:
        await person.sees("小波(10002): first")
        await person.sees("[小组(20001)] 小波(10002): second")
    marks = await server.wait_marked(2)
    assert {one.conversation_id for one in marks} == {ANN_BOB, GROUP}


async def test_own_message_when_from_another_device_then_shown(server: FakeServer) -> None:
    async with chatting(server) as person:
        server.post(ANN_BOB, ANN, text(1, "from my phone").body)
        await person.sees("to 小波(10002): from my phone")


async def test_change_when_somebody_unknown_then_named(server: FakeServer) -> None:
    async with chatting(server) as person:
        own = own_conversation(ANN)
        server.notice(own, 10_003, Kind.FRIEND_REQUESTED, user_ids=(ANN,), note="hi")
        await person.sees("somebody(10003) asks to be a friend: hi")
        server.notice(own, 10_003, Kind.FRIEND_ADDED, user_ids=(ANN,))
        await person.sees("You and somebody(10003) are friends now")


async def test_names_when_they_cannot_be_found_out_then_numbers(server: FakeServer) -> None:
    def refuse(link: Any, request: Any) -> Any:
        raise NotFound(ErrorCode.USER_NOT_FOUND)

    server.handlers[PacketType.GET_PROFILE] = refuse
    async with chatting(server) as person:
        server.post(GROUP, 10_003, text(1, "hi").body)
        await person.sees("10003: hi")


async def test_connection_when_cut_then_told_and_told_again(server: FakeServer) -> None:
    async with chatting(server) as person:
        await person.prompted(1)
        server.cut_all()
        await person.sees("(connected again)")
    assert "(connection lost, trying again …)" in person.shown


async def test_chat_when_its_unit_leaves_then_it_moves_without_a_word(server: FakeServer) -> None:
    async with chatting(server) as person:
        await person.prompted(1)
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0))
        await server.wait_asked(PacketType.RESUME)
        server.post(ANN_BOB, BOB, encode_content(Content(text="still there?")))
        await person.sees("still there?")
    assert "connect" not in "".join(person.shown)


async def test_chat_when_kicked_then_ends(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        person = Person()
        server.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED))
        assert await finished(me, person) is False
    assert "You were logged out: REPLACED" in person.shown


async def test_chat_when_the_log_in_is_no_longer_good_then_ends(server: FakeServer) -> None:
    def refuse(link: Any, request: Any) -> Any:
        raise Unauthenticated(ErrorCode.TOKEN_EXPIRED)

    async with chatting(server) as person:
        server.handlers[PacketType.RESUME] = refuse
        server.cut_all()
        await person.sees("The log-in has ended: TOKEN_EXPIRED")


async def test_left_over_when_refused_then_told(server: FakeServer, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "me.db")
    store.save_account(ANN, f"token-{ANN}")
    body = encode_content(Content(text="left over"))
    store.put_outgoing(Outgoing(ANN_BOB, OperationId(bytes(16)), 1, body))
    store.close()
    server.refusals.append(Forbidden(ErrorCode.BLOCKED))
    async with chatting(server, store=tmp_path / "me.db") as person:
        await person.sees("Not sent: “left over”: Blocked.")
