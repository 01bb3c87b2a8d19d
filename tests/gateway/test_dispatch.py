"""From requests to calls, and from outcomes to replies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from tests.support.connections import SMALL, Bench, FakeCarrier
from tests.support.gateway import ANN, BOB, until
from tests.support.services import FakeServices
from tests.support.wire import frame

from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, TinyQQError, Unavailable
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.dispatch import Dispatcher, calls_of, notes_of
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.tasks import TaskPool
from tinyqq.model.account import ChangePassword, DeviceList, ListDevices, LogOut, Profile
from tinyqq.model.connection import Done
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId, direct_conversation
from tinyqq.model.message import Entry, Mark, MarkMany, Sent, Typing
from tinyqq.model.sync import Page, Sync
from tinyqq.ports.services import Send
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import (
    BEFORE_LOG_IN,
    OPERATIONS,
    PacketType,
    SendFields,
    encode_send,
)
from tinyqq.wire.session import State

CHAT = direct_conversation(ANN, BOB)
OTHER = direct_conversation(ANN, UserId(10_009))
BUSY = Unavailable(ErrorCode.BUSY, retry_after_s=0.5)


class World:
    """One open connection before a dispatcher over fake services."""

    def __init__(self, policy: GatewayPolicy) -> None:
        self.bench = Bench(policy)
        self.fakes = FakeServices()
        self.entered: list[Frame] = []
        self.tasks = TaskPool()
        self.desk = Dispatcher(
            services=self.fakes.services,
            enter=self._enter,
            tasks=self.tasks,
            clock=self.bench.clock,
            policy=policy,
            counts=self.bench.counts,
        )
        self.connection, self.carrier = self.bench.open(ANN)
        shared = replace(self.bench.shared, desk=self.desk)
        self.connection._shared = shared
        self.bench.shared = shared

    async def _enter(self, connection: Connection, frame: Frame) -> None:
        self.entered.append(frame)

    def receive(self, packet_type: PacketType, request_id: int, record: object) -> None:
        self.connection.received(frame(packet_type, request_id, record))

    def send(self, request_id: int, *, chat: ConversationId = CHAT, flight: int = 0) -> None:
        fields = SendFields(chat, OperationId(bytes(16)), 1, b"", flight)
        self.receive(PacketType.SEND, request_id, encode_send(fields))

    def replies(self) -> list[tuple[int, Any]]:
        """Request ids and answers since the last look."""
        self.bench.tick()
        return [(request_id, record) for _, request_id, record in self.carrier.packets()]

    def codes(self) -> list[tuple[int, ErrorCode | None]]:
        """Request ids and the codes of their refusals since the last look."""
        return [
            (number, record.code if isinstance(record, TinyQQError) else None)
            for number, record in self.replies()
        ]

    async def answered(self, count: int = 1) -> list[tuple[int, Any]]:
        """Wait for so many answers."""
        replies: list[tuple[int, Any]] = []

        def enough() -> bool:
            replies.extend(self.replies())
            return len(replies) >= count

        await until(enough)
        return replies


@asynccontextmanager
async def open_world(policy: GatewayPolicy = SMALL) -> AsyncIterator[World]:
    world = World(policy)
    async with world.tasks:
        yield world


def test_tables_when_read_then_every_request_is_in_exactly_one() -> None:
    services = FakeServices().services
    others = {PacketType.HELLO, PacketType.HEARTBEAT, PacketType.SEND} | BEFORE_LOG_IN
    called, noted = set(calls_of(services)), set(notes_of(services))
    assert called | noted | others == set(OPERATIONS)
    assert len(called) + len(noted) + len(others) == len(OPERATIONS)


# ---- sends ---------------------------------------------------------------------------------------


async def test_send_when_taken_then_the_service_gets_it_with_the_caller() -> None:
    async with open_world() as world:
        world.send(3)
        [send] = world.fakes.chat.sends
        assert (send.caller.user_id, send.conversation_id, send.kind) == (ANN, CHAT, 1)
        assert world.replies() == [(3, Sent(Seq(1), 1, 1_700_000_000_000))]


async def test_send_when_pipelined_then_answered_in_the_order_of_the_commits() -> None:
    async with open_world() as world:
        world.fakes.chat.answers_at_once = False
        for number in (3, 4, 5):
            world.send(number)
        assert world.replies() == []
        for send in world.fakes.chat.sends:
            world.fakes.chat.answer_one(send)
        assert [(number, one.seq) for number, one in world.replies()] == [(3, 1), (4, 2), (5, 3)]


async def test_send_when_no_task_is_needed_then_none_is_made() -> None:
    async with open_world() as world:
        for number in range(3, 100):
            world.send(number)
        assert not len(world.tasks)


async def test_send_when_one_is_refused_for_now_then_the_rest_of_its_flight_too() -> None:
    async with open_world() as world:
        world.fakes.chat.outcomes = [BUSY]
        for number in (3, 4):
            world.send(number, flight=1)
        world.send(5, chat=OTHER, flight=1)
        world.send(6, flight=2)
        assert world.codes() == [
            (3, ErrorCode.BUSY),
            (4, ErrorCode.FLIGHT_BROKEN),
            (5, None),
            (6, None),
        ]
        assert len(world.fakes.chat.sends) == 3


async def test_send_when_one_is_refused_for_good_then_the_next_passes() -> None:
    async with open_world() as world:
        world.fakes.chat.outcomes = [Forbidden(ErrorCode.NOT_FRIENDS)]
        world.send(3, flight=1)
        world.send(4, flight=1)
        assert world.codes() == [(3, ErrorCode.NOT_FRIENDS), (4, None)]


async def test_send_when_malformed_then_closed() -> None:
    async with open_world() as world:
        world.receive(PacketType.SEND, 3, b"\xff")
        assert (3, ErrorCode.MALFORMED) in world.codes()
        assert world.carrier.is_closed


async def test_send_when_the_service_raises_or_breaks_then_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_world() as world:
        errors: list[Exception] = [InvalidRequest(ErrorCode.BAD_CONVERSATION), ZeroDivisionError()]

        def send(send: Send) -> None:
            raise errors.pop(0)

        world.desk._chat.send = send  # type: ignore[method-assign]  # a service that breaks
        world.send(3)
        world.send(4)
        assert world.codes() == [(3, ErrorCode.BAD_CONVERSATION), (4, ErrorCode.INTERNAL)]
        assert len(caplog.records) == 1


async def test_send_when_too_fast_then_refused_and_its_flight_broken() -> None:
    async with open_world(replace(SMALL, sends_per_s=1.0, burst_s=2.0)) as world:
        for number in (3, 4, 5):
            world.send(number, flight=1)
        world.bench.clock.advance(5)
        world.send(6, flight=1)
        assert world.codes() == [
            (3, None),
            (4, None),
            (5, ErrorCode.RATE_LIMITED),
            (6, ErrorCode.FLIGHT_BROKEN),
        ]


async def test_send_when_answered_after_the_end_then_nothing_is_written() -> None:
    async with open_world() as world:
        world.fakes.chat.answers_at_once = False
        world.send(3)
        world.connection.lost()
        world.fakes.chat.answer_one(world.fakes.chat.sends[0])
        assert world.replies() == []


# ---- marks and typing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet_type", "record", "name"),
    [
        (PacketType.MARK, Mark(CHAT, Seq(3), Seq(2)), "mark"),
        (PacketType.MARK_MANY, MarkMany((Mark(CHAT, Seq(3)), Mark(CHAT))), "mark_many"),
        (PacketType.TYPING, Typing(CHAT), "typing"),
    ],
)
async def test_note_when_it_comes_then_called_and_answered_only_if_asked(
    packet_type: PacketType, record: object, name: str
) -> None:
    async with open_world() as world:
        world.receive(packet_type, 0, record)
        assert world.replies() == []
        world.receive(packet_type, 3, record)
        assert world.replies() == [(3, Done())]
        assert [(call, request) for call, _, request in world.fakes.offline.calls] == [
            (name, record)
        ] * 2
        assert not len(world.tasks)


async def test_note_when_refused_or_broken_then_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_world() as world:
        errors: list[Exception] = [Forbidden(ErrorCode.NOT_A_MEMBER), ZeroDivisionError()]

        def mark(*_: object) -> None:
            raise errors.pop(0)

        notes = notes_of(world.fakes.services)
        notes[PacketType.MARK] = mark
        world.desk._notes = notes
        world.receive(PacketType.MARK, 3, Mark(CHAT))
        world.receive(PacketType.MARK, 4, Mark(CHAT))
        assert world.codes() == [(3, ErrorCode.NOT_A_MEMBER), (4, ErrorCode.INTERNAL)]
        assert len(caplog.records) == 1


# ---- requests that take their time ---------------------------------------------------------------


async def test_request_when_answered_then_the_record() -> None:
    async with open_world() as world:
        world.fakes.user.replies["get_profile"] = Profile(BOB, "Bob")
        world.receive(PacketType.LIST_DEVICES, 3, ListDevices())
        world.receive(PacketType.GET_PROFILE, 4, Profile(BOB, ""))
        replies = dict(await world.answered(2))
        assert isinstance(replies[3], DeviceList)
        assert replies[4] == Profile(BOB, "Bob")


async def test_request_when_there_is_nothing_to_say_then_done() -> None:
    async with open_world() as world:
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        assert await world.answered() == [(3, Done())]


async def test_request_when_refused_then_the_error() -> None:
    async with open_world() as world:
        world.fakes.user.replies["change_password"] = InvalidRequest(
            ErrorCode.WEAK_PASSWORD, reason="too short"
        )
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        [(_, error)] = await world.answered()
        assert str(error) == "WEAK_PASSWORD reason=too short"


async def test_request_when_the_service_breaks_then_no_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_world() as world:
        world.fakes.user.replies["change_password"] = ZeroDivisionError("secret")
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        [(_, error)] = await world.answered()
        assert error.code is ErrorCode.INTERNAL
        assert "secret" not in str(error)
        assert len(caplog.records) == 1


async def test_request_when_it_takes_too_long_then_timed_out() -> None:
    async with open_world(replace(SMALL, request_timeout_s=0.01)) as world:
        world.fakes.user.replies["change_password"] = hang(asyncio.Event())
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        [(_, error)] = await world.answered()
        assert error.code is ErrorCode.TIMED_OUT


async def test_request_when_malformed_then_closed() -> None:
    async with open_world() as world:
        world.receive(PacketType.CHANGE_PASSWORD, 3, b"\xff")
        await world.answered()
        assert world.connection.session.state is State.CLOSED


def hang(event: asyncio.Event) -> Callable[[object, object], Any]:
    async def call(*_: object) -> None:
        await event.wait()

    return call


async def test_request_when_too_many_run_then_the_rest_waits_and_nothing_is_read() -> None:
    async with open_world() as world:
        event = asyncio.Event()
        world.fakes.user.replies["change_password"] = hang(event)
        for number in range(3, 8):
            world.receive(PacketType.CHANGE_PASSWORD, number, ChangePassword("a", "b"))
        await until(lambda: len(world.fakes.user.calls) == SMALL.max_running)
        was_reading = world.carrier.is_reading
        event.set()
        assert len(await world.answered(5)) == 5
        assert (was_reading, world.carrier.is_reading) == (False, True)


async def test_request_when_the_client_does_not_read_then_not_begun() -> None:
    async with open_world() as world:
        world.connection.writing_paused()
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        assert not len(world.tasks)
        world.connection.writing_resumed()
        assert await world.answered() == [(3, Done())]


async def test_request_when_much_waits_to_be_written_then_begun_after_the_flush() -> None:
    async with open_world() as world:
        world.connection.push(OTHER, Seq(1), frame(PacketType.DELIVER, 0, bytes(2_000)))
        world.receive(PacketType.LIST_DEVICES, 3, ListDevices())
        assert not len(world.tasks)
        world.carrier.writes.clear()
        world.bench.tick()
        assert len(world.tasks)


async def test_request_when_closed_while_it_waits_then_never_begun() -> None:
    async with open_world() as world:
        world.connection.writing_paused()
        world.receive(PacketType.CHANGE_PASSWORD, 3, ChangePassword("a", "b"))
        world.connection.end()
        world.connection.writing_resumed()
        assert not len(world.tasks)
        assert not world.connection.waiting


async def test_request_when_too_fast_then_refused_until_time_passes() -> None:
    async with open_world(replace(SMALL, requests_per_s=1.0, burst_s=1.0)) as world:
        for number in (3, 4):
            world.receive(PacketType.TYPING, number, Typing(CHAT))
        world.receive(PacketType.LIST_DEVICES, 5, ListDevices())
        assert world.codes() == [
            (3, None),
            (4, ErrorCode.RATE_LIMITED),
            (5, ErrorCode.RATE_LIMITED),
        ]
        world.bench.clock.advance(1)
        world.receive(PacketType.TYPING, 6, Typing(CHAT))
        assert world.codes() == [(6, None)]


@pytest.mark.parametrize("packet_type", [PacketType.LOG_OUT, PacketType.DELETE_ACCOUNT])
async def test_request_when_it_is_the_last_then_done_and_closed(packet_type: PacketType) -> None:
    async with open_world() as world:
        world.receive(packet_type, 3, b"")
        assert await world.answered() == [(3, Done())]
        assert world.carrier.is_closed


async def test_request_when_the_last_is_refused_then_it_was_not_the_last() -> None:
    async with open_world() as world:
        world.fakes.user.replies["log_out"] = BUSY
        world.receive(PacketType.LOG_OUT, 3, LogOut())
        await world.answered()
        assert world.connection.session.state is State.OPEN


async def test_request_when_before_log_in_then_the_entrance_gets_it() -> None:
    async with open_world() as world:
        connection, _ = world.bench.connect()
        connection.received(frame(PacketType.HELLO, 1, b"\x08\x01\x10\x01"))
        connection.received(frame(PacketType.REGISTER, 2, b""))
        await until(lambda: bool(world.entered))
        assert world.entered[0].type == PacketType.REGISTER


# ---- a password that must be changed -------------------------------------------------------------


async def test_request_when_the_password_must_be_changed_then_nothing_else_passes() -> None:
    async with open_world() as world:
        world.connection.must_change_password = True
        world.connection.accepts_pushes = False
        world.send(3)
        world.receive(PacketType.TYPING, 4, Typing(CHAT))
        world.receive(PacketType.LIST_DEVICES, 5, ListDevices())
        assert {code for _, code in world.codes()} == {ErrorCode.PASSWORD_CHANGE_REQUIRED}
        world.receive(PacketType.CHANGE_PASSWORD, 6, ChangePassword("a", "b"))
        assert await world.answered() == [(6, Done())]
        world.send(7)
        assert world.codes() == [(7, None)]
        assert world.connection.accepts_pushes


# ---- pull mode -----------------------------------------------------------------------------------


def page(*seqs: int, head: int) -> Page:
    return Page(
        tuple(Entry(CHAT, Seq(one), one, BOB, OperationId(bytes(16)), 0, 1, b"") for one in seqs),
        Seq(head),
    )


async def pull(world: World, answer: Any) -> FakeCarrier:
    """A client that missed 4 of the chat asks for a page from 3 on."""
    world.connection.miss(CHAT, Seq(4))
    world.fakes.offline.replies["get_page"] = answer
    world.receive(PacketType.SYNC, 3, Sync(CHAT, Seq(3)))
    await world.answered()
    return world.carrier


async def test_sync_when_it_reaches_the_head_then_pushes_flow_again() -> None:
    async with open_world() as world:
        await pull(world, page(4, head=4))
        assert not world.connection.missed


@pytest.mark.parametrize("answer", [page(4, head=6), BUSY, ZeroDivisionError()])
async def test_sync_when_it_does_not_reach_the_head_then_pushes_stay_away(answer: Any) -> None:
    async with open_world() as world:
        await pull(world, answer)
        assert world.connection.missed is not None
        assert CHAT in world.connection.missed


async def test_sync_when_a_push_comes_during_the_read_then_it_is_not_dropped() -> None:
    async with open_world() as world:
        connection = world.connection

        async def read(*_: object) -> Page:
            connection.push(CHAT, Seq(5), frame(PacketType.DELIVER, 0, page(5, head=5).entries[0]))
            return page(4, head=4)

        await pull(world, read)
        assert not connection.missed
        assert world.bench.counts.dropped_pushes == 1  # the one that was missed before
