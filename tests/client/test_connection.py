"""One connection: requests, pushes, heartbeats, the end."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from tests.support.client_connections import Heard, connected, log_in
from tests.support.entries import ANN_BOB, text
from tests.support.fake_server import FakeServer

from tinyqq.errors import (
    ErrorCode,
    InvalidRequest,
    NotFound,
    ProtocolError,
    Unauthenticated,
    Unavailable,
)
from tinyqq.model.account import GetProfile, ListDevices, Profile, SearchUsers
from tinyqq.model.connection import Limits
from tinyqq.model.friend import ListContacts
from tinyqq.model.ids import UserId
from tinyqq.model.message import Typing
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.packets import PacketType

ASK = (PacketType.GET_PROFILE, GetProfile(UserId(10_001)))


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def refuse(link: Any, record: Any) -> Any:
    raise NotFound(ErrorCode.USER_NOT_FOUND)


async def test_open_when_welcomed_then_the_unit_is_known(server: FakeServer) -> None:
    async with connected(server) as connection:
        assert connection.unit_id == "fake"
        assert connection.max_in_flight == server.limits.max_in_flight


async def test_request_when_answered_then_its_record(server: FakeServer) -> None:
    server.handlers[ASK[0]] = lambda link, record: Profile(record.user_id, "Ann")
    async with connected(server) as connection:
        await log_in(connection)
        profile = await connection.request(*ASK, timeout_s=30)
    assert profile == Profile(UserId(10_001), "Ann")


async def test_request_when_refused_then_raises_and_the_connection_stays(
    server: FakeServer,
) -> None:
    server.handlers[ASK[0]] = refuse
    async with connected(server) as connection:
        await log_in(connection)
        with pytest.raises(NotFound):
            await connection.request(*ASK, timeout_s=30)
        assert not connection.is_closed


async def test_request_when_no_answer_then_timed_out(server: FakeServer) -> None:
    server.silent.add(ASK[0])
    async with connected(server) as connection:
        await log_in(connection)
        with pytest.raises(Unavailable) as caught:
            await connection.request(*ASK, timeout_s=0.01)
        assert caught.value.code is ErrorCode.TIMED_OUT
        assert connection.in_flight == 1


async def test_request_when_too_many_in_flight_then_waits_for_room(server: FakeServer) -> None:
    server.limits = Limits(max_in_flight=1)
    server.handlers[PacketType.LIST_CONTACTS] = refuse
    server.handlers[PacketType.LIST_DEVICES] = refuse
    order: list[str] = []
    async with connected(server) as connection:
        await log_in(connection)
        connection.send(PacketType.LIST_CONTACTS, b"", lambda _: order.append("first"))
        with pytest.raises(NotFound):
            await connection.request(PacketType.LIST_DEVICES, ListDevices(), timeout_s=30)
        order.append("second")
        assert not connection.is_closed
    assert order == ["first", "second"]


async def test_request_when_the_one_with_room_gives_up_then_the_next(server: FakeServer) -> None:
    server.limits = Limits(max_in_flight=1)
    async with connected(server) as connection:
        await log_in(connection)
        first = asyncio.create_task(connection.request(*ASK, timeout_s=30))
        gives_up = asyncio.create_task(connection.request(*ASK, timeout_s=30))
        last = asyncio.create_task(connection.request(*ASK, timeout_s=30))
        server.handlers[ASK[0]] = lambda link, record: Profile(record.user_id, "Ann")
        # Called when it has been let in, and has not run yet.
        connection.on_room = partial(_cancel, gives_up)
        async with asyncio.timeout(10):
            await last
        assert gives_up.cancelled()
        assert first.done()


@pytest.mark.parametrize(
    "senseless", [GetProfile(UserId(-1)), GetProfile(UserId(2**64)), SearchUsers("\ud800")]
)
async def test_request_when_it_cannot_be_written_then_refused(
    server: FakeServer, senseless: object
) -> None:
    async with connected(server) as connection:
        with pytest.raises(InvalidRequest):
            await connection.request(PacketType.GET_PROFILE, senseless, timeout_s=30)
        assert connection.in_flight == 0


async def test_request_when_no_room_in_time_then_timed_out(server: FakeServer) -> None:
    server.limits = Limits(max_in_flight=1)
    server.silent.add(PacketType.LIST_CONTACTS)
    async with connected(server) as connection:
        await log_in(connection)
        connection.send(PacketType.LIST_CONTACTS, b"", lambda _: None)
        with pytest.raises(Unavailable):
            await connection.request(PacketType.LIST_DEVICES, ListDevices(), timeout_s=0.01)


async def test_request_when_the_connection_breaks_then_lost(server: FakeServer) -> None:
    server.handlers[ASK[0]] = lambda link, record: link.cut()
    async with connected(server) as connection:
        await log_in(connection)
        with pytest.raises(Unavailable) as caught:
            await connection.request(*ASK, timeout_s=30)
        assert caught.value.code is ErrorCode.CONNECTION_LOST
        assert connection.is_closed


async def test_request_when_closed_then_lost_at_once(server: FakeServer) -> None:
    async with connected(server) as connection:
        connection.close()
        with pytest.raises(Unavailable):
            await connection.request(PacketType.LIST_CONTACTS, ListContacts(), timeout_s=30)


async def test_push_when_it_comes_then_told_in_order(server: FakeServer) -> None:
    heard = Heard()
    async with connected(server, heard=heard) as connection:
        await log_in(connection)
        server.push_all(PacketType.DELIVER, text(1))
        server.push_all(PacketType.DELIVER, text(2))
        while len(heard.pushes) < 2:
            heard.changed.clear()
            await heard.changed.wait()
    assert heard.pushes == [(PacketType.DELIVER, text(1)), (PacketType.DELIVER, text(2))]


async def test_notify_when_open_then_reaches_the_server(server: FakeServer) -> None:
    async with connected(server) as connection:
        await log_in(connection)
        connection.notify(PacketType.TYPING, Typing(ANN_BOB))
        server.handlers[ASK[0]] = refuse
        with pytest.raises(NotFound):
            await connection.request(*ASK, timeout_s=30)
        connection.close()
        connection.notify(PacketType.TYPING, Typing(ANN_BOB))
    assert server.asked(PacketType.TYPING) == [Typing(ANN_BOB)]


async def test_heartbeat_when_pushes_were_lost_then_missed(server: FakeServer) -> None:
    heard, clock = Heard(), FakeClock()
    async with connected(server, heard=heard, clock=clock) as connection:
        await log_in(connection)
        server.links[0].count_a_push()
        clock.advance(server.limits.idle_timeout_s / 3)
        await heard.changed.wait()
    assert heard.missed == 1


async def test_heartbeat_when_the_server_is_silent_then_idle_timeout(server: FakeServer) -> None:
    clock = FakeClock()
    async with connected(server, clock=clock) as connection, asyncio.TaskGroup() as tasks:
        closed = tasks.create_task(connection.wait_closed())
        await log_in(connection)
        server.stop_listening()
        while not connection.is_closed:
            clock.advance(server.limits.idle_timeout_s / 3)
            await asyncio.wait([closed], timeout=0.6)
        assert closed.result().code is ErrorCode.IDLE_TIMEOUT


async def test_wait_closed_when_the_server_says_why_then_that(server: FakeServer) -> None:
    async with connected(server) as connection:
        await log_in(connection)
        link = server.links[0]
        link.session.fail(Unauthenticated(ErrorCode.DEVICE_REVOKED))
        link.flush()
        assert (await connection.wait_closed()).code is ErrorCode.DEVICE_REVOKED


async def test_bytes_when_senseless_then_protocol_error(server: FakeServer) -> None:
    async with connected(server) as connection:
        server.links[0].write([b"\xff" * 20])
        assert isinstance(await connection.wait_closed(), ProtocolError)


async def test_close_when_done_twice_then_nothing_more(server: FakeServer) -> None:
    async with connected(server) as connection:
        connection.close()
        connection.close()
        assert (await connection.wait_closed()).code is ErrorCode.CONNECTION_LOST
