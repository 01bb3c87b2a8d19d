"""Log-in, the opening and the end of sessions, and what friends see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.support.connections import SMALL, Bench, FakeCarrier
from tests.support.gateway import ANN, BOB, EVE, UNIT, LocalDelivery, entry_push, until
from tests.support.services import PASSWORD, FakeConversations, FakeUsers
from tests.support.wire import HELLO, frame

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.entrance import Entrance, SessionIds
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.tasks import TaskPool
from tinyqq.gateway.unit import LocalUnit
from tinyqq.model.account import (
    DeviceKind,
    KickReason,
    LoggedIn,
    LogIn,
    Recovered,
    RecoverPassword,
    Register,
    Registered,
    Resume,
)
from tinyqq.model.connection import GoAway, Kicked
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import DeviceId, OperationId, SessionId, UserId, direct_conversation
from tinyqq.model.message import Entry
from tinyqq.ports.delivery import Kick
from tinyqq.ports.services import UserApi
from tinyqq.presence.memory import MemoryPresence
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType, push_frame
from tinyqq.wire.session import State

GO_AWAY = push_frame(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0))


class World:
    """An entrance over fakes; connections that go straight to it."""

    def __init__(self, policy: GatewayPolicy) -> None:
        self.bench = Bench(policy)
        self.users = FakeUsers()
        self.conversations = FakeConversations()
        self.presence = MemoryPresence(unit_id=UNIT)
        self.unit = LocalUnit(
            unit_id=UNIT, presence=self.presence, conversations=self.conversations.store
        )
        self.delivery = LocalDelivery(self.unit)
        self.tasks = TaskPool()
        self.entrance = Entrance(
            users=cast(UserApi, self.users),
            conversations=self.conversations.store,
            presence=self.presence,
            unit=self.unit,
            delivery=self.delivery,
            tasks=self.tasks,
            clock=self.bench.clock,
            policy=policy,
            counts=self.bench.counts,
        )
        self.bench.shared = replace(self.bench.shared, desk=self, on_lost=self.entrance.leave)
        self.others: list[Frame] = []

    def on_request(self, connection: Connection, frame: Frame) -> None:
        if frame.type < PacketType.LOG_OUT:
            self.tasks.spawn(self.entrance.enter(connection, frame))
        else:
            self.others.append(frame)

    def on_room(self, connection: Connection) -> None:
        pass

    async def ask(
        self, packet_type: PacketType, record: object, behind: bytes = b""
    ) -> tuple[Connection, FakeCarrier]:
        """A new connection that has made one request and got its answer."""
        connection, carrier = self.bench.connect()
        connection.received(HELLO + frame(packet_type, 2, record) + behind)
        await until(lambda: not connection.session.is_authenticating)
        self.bench.tick()
        return connection, carrier

    async def log_in(
        self,
        user_id: UserId,
        *,
        device: int = 1,
        kind: DeviceKind = DeviceKind.CLI,
        password: str = PASSWORD,
    ) -> tuple[Connection, FakeCarrier]:
        """A connection that has tried to log in."""
        device_id = DeviceId(device.to_bytes(16, "big"))
        record = LogIn(user_id, password, device_id, kind, f"device {device}")
        connection, carrier = await self.ask(PacketType.LOG_IN, record)
        return connection, carrier

    async def settle(self) -> None:
        """Let everything that was begun come to its end."""
        await until(lambda: not len(self.tasks))
        self.bench.tick()


@asynccontextmanager
async def open_world(policy: GatewayPolicy = SMALL) -> AsyncIterator[World]:
    world = World(policy)
    async with world.unit, world.tasks:
        yield world


def answer(carrier: FakeCarrier) -> Any:
    """The answer to the request."""
    [record] = [record for _, request_id, record in carrier.packets() if request_id == 2]
    return record


def is_open(connection: Connection) -> bool:
    return connection.session.state is State.OPEN


# ---- session ids ---------------------------------------------------------------------------------


def test_session_ids_when_the_clock_stands_or_jumps_back_then_they_still_grow() -> None:
    clock = FakeClock()
    ids = SessionIds(clock=clock)
    taken = []
    for step in (0, 0, 0.001, -5, 0, 1):
        clock.advance(step)
        taken.append(ids.next())
    assert taken == sorted(set(taken))
    assert taken[-1] < 2**63


def test_session_ids_when_made_on_another_unit_later_then_larger() -> None:
    clock = FakeClock()
    earlier = SessionIds(clock=clock).next()
    clock.advance(0.001)
    assert SessionIds(clock=clock).next() > earlier


# ---- in ------------------------------------------------------------------------------------------


async def test_log_in_when_the_password_is_right_then_open_bound_and_answered() -> None:
    async with open_world() as world:
        connection, carrier = await world.log_in(ANN)
        logged_in = answer(carrier)
        assert isinstance(logged_in, LoggedIn)
        assert is_open(connection)
        assert connection.session_id == logged_in.session_id
        assert world.unit.sessions_of(ANN) == (connection,)
        assert world.users.addresses == [connection.address]


async def test_log_in_when_the_password_is_wrong_then_may_try_again() -> None:
    async with open_world() as world:
        connection, carrier = await world.log_in(ANN, password="wrong")
        assert answer(carrier).code is ErrorCode.BAD_CREDENTIALS
        assert connection.session.state is State.LOG_IN
        connection.received(
            frame(PacketType.LOG_IN, 3, LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI))
        )
        await until(lambda: is_open(connection))


async def test_resume_when_the_token_is_good_then_open() -> None:
    async with open_world() as world:
        connection, _ = await world.ask(PacketType.RESUME, Resume(str(ANN), DeviceId(bytes(16))))
        assert is_open(connection)


async def test_register_when_done_then_answered_and_not_logged_in() -> None:
    async with open_world() as world:
        world.users.replies["register"] = Registered(EVE, "code")
        request = Register(OperationId(bytes(16)), "Eve", PASSWORD)
        connection, carrier = await world.ask(PacketType.REGISTER, request)
        assert answer(carrier) == Registered(EVE, "code")
        assert connection.session.state is State.LOG_IN


async def test_recover_password_when_done_then_answered() -> None:
    async with open_world() as world:
        world.users.replies["recover_password"] = Recovered("next")
        request = RecoverPassword(ANN, "code", PASSWORD)
        _, carrier = await world.ask(PacketType.RECOVER_PASSWORD, request)
        assert answer(carrier) == Recovered("next")


@pytest.mark.parametrize(
    ("packet_type", "record"),
    [
        (PacketType.LOG_IN, LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.WEB)),
        (PacketType.REGISTER, Register(OperationId(bytes(16)), "Eve", PASSWORD)),
        (PacketType.RECOVER_PASSWORD, RecoverPassword(ANN, "code", PASSWORD)),
    ],
)
async def test_enter_when_a_page_of_another_site_brings_no_token_then_refused(
    packet_type: PacketType, record: object
) -> None:
    async with open_world() as world:
        connection, carrier = world.bench.connect()
        connection.by_stranger = True
        connection.received(HELLO + frame(packet_type, 2, record))
        await until(lambda: not connection.session.is_authenticating)
        world.bench.tick()
        assert answer(carrier).code is ErrorCode.FORBIDDEN
        assert not world.users.addresses
        connection.received(frame(PacketType.RESUME, 3, Resume(str(ANN), DeviceId(bytes(16)))))
        await until(lambda: is_open(connection))


async def test_enter_when_requests_wait_behind_it_then_they_get_their_turn() -> None:
    async with open_world() as world:
        request = LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)
        behind = frame(PacketType.LIST_GROUPS, 3) + frame(PacketType.LIST_CONTACTS, 4)
        await world.ask(PacketType.LOG_IN, request, behind)
        assert [one.request_id for one in world.others] == [3, 4]


async def test_enter_when_malformed_then_closed() -> None:
    async with open_world() as world:
        _, carrier = await world.ask(PacketType.LOG_IN, b"\xff")
        assert answer(carrier).code is ErrorCode.MALFORMED
        assert carrier.is_closed


async def test_enter_when_it_takes_too_long_then_timed_out() -> None:
    async with open_world(replace(SMALL, request_timeout_s=0.01)) as world:
        world.users.gate = asyncio.Event()
        _, carrier = await world.log_in(ANN)
        assert answer(carrier).code is ErrorCode.TIMED_OUT


async def test_enter_when_draining_then_refused() -> None:
    async with open_world() as world:
        world.entrance.close(GO_AWAY)
        _, carrier = await world.log_in(ANN)
        assert answer(carrier).code is ErrorCode.DRAINING


async def test_enter_when_draining_begins_meanwhile_then_in_and_told_to_go() -> None:
    async with open_world() as world:
        world.users.gate = asyncio.Event()
        connection, carrier = world.bench.connect()
        request = LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)
        connection.received(HELLO + frame(PacketType.LOG_IN, 2, request))
        await until(lambda: bool(world.users.addresses))
        world.entrance.close(GO_AWAY)
        world.users.gate.set()
        await world.settle()
        assert carrier.packets()[-1][2] == GoAway(ErrorCode.DRAINING, 0)
        assert connection.session.state is State.DRAINING


async def test_log_in_when_more_come_than_are_taken_then_told_when_to_come_back() -> None:
    async with open_world(replace(SMALL, log_ins_per_s=2.0)) as world:
        answers = [answer((await world.log_in(ANN, device=one))[1]) for one in range(1, 6)]
        assert [isinstance(one, LoggedIn) for one in answers] == [True, True, False, False, False]
        refused = [one for one in answers if isinstance(one, Unavailable)]
        assert {one.code for one in refused} == {ErrorCode.BUSY}
        waits = [one.retry_after_s for one in refused]
        assert waits == sorted(set(waits))
        assert waits[0] > 0
        assert world.bench.counts.refused_log_ins == 3
        world.bench.clock.advance(1.0)
        assert isinstance(answer((await world.log_in(ANN, device=9))[1]), LoggedIn)


async def test_log_in_when_the_groups_cannot_be_read_then_refused_and_unbound() -> None:
    async with open_world() as world:
        world.conversations.errors = [Unavailable(ErrorCode.UNAVAILABLE)]
        connection, carrier = await world.log_in(ANN)
        assert isinstance(answer(carrier), TinyQQError)
        assert not world.unit.sessions_of(ANN)
        assert not is_open(connection)


async def test_log_in_when_the_device_was_revoked_before_the_bind_then_refused() -> None:
    async with open_world() as world:
        world.users.revoked.add(DeviceId((1).to_bytes(16, "big")))
        _, carrier = await world.log_in(ANN)
        assert answer(carrier).code is ErrorCode.DEVICE_REVOKED
        assert not world.unit.sessions_of(ANN)


async def test_log_in_when_the_client_has_gone_meanwhile_then_nothing_is_left() -> None:
    async with open_world() as world:
        world.conversations.gate = asyncio.Event()
        connection, _ = world.bench.connect()
        request = LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)
        connection.received(HELLO + frame(PacketType.LOG_IN, 2, request))
        await until(lambda: bool(world.unit.sessions_of(ANN)))
        connection.lost()
        world.conversations.gate.set()
        await world.settle()
        assert not world.unit.sessions_of(ANN)
        assert not world.bench.counts.log_ins
        assert not world.delivery.kicks


async def test_log_in_when_the_client_has_gone_before_the_bind_then_nothing_is_left() -> None:
    async with open_world() as world:
        world.users.gate = asyncio.Event()
        connection, _ = world.bench.connect()
        request = LogIn(ANN, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)
        connection.received(HELLO + frame(PacketType.LOG_IN, 2, request))
        await until(lambda: bool(world.users.addresses))
        connection.lost()
        world.users.gate.set()
        await world.settle()
        assert not world.unit.sessions_of(ANN)
        assert not world.presence.counters()["users_online"]


async def test_log_in_when_the_session_is_kicked_meanwhile_then_it_replaces_nobody() -> None:
    async with open_world() as world:
        old, _ = await world.log_in(ANN, device=1)
        world.conversations.gate = asyncio.Event()
        new, _ = world.bench.connect()
        request = LogIn(ANN, PASSWORD, DeviceId((2).to_bytes(16, "big")), DeviceKind.CLI)
        new.received(HELLO + frame(PacketType.LOG_IN, 2, request))
        await until(lambda: len(world.unit.sessions_of(ANN)) == 2)
        revoked = (DeviceId((2).to_bytes(16, "big")),)
        world.unit.kick([Kick(ANN, KickReason.REVOKED, revoked, None, SessionId(0), "")])
        world.conversations.gate.set()
        await world.settle()
        assert (is_open(old), is_open(new)) == (True, False)
        assert not new.accepts_pushes


async def test_log_in_when_something_is_pushed_before_the_answer_then_only_what_follows() -> None:
    """What is committed before the answer is in what the client reads after it."""
    async with open_world() as world:
        world.conversations.gate = asyncio.Event()
        connection, carrier = world.bench.connect()
        request = LogIn(BOB, PASSWORD, DeviceId(bytes(16)), DeviceKind.CLI)
        connection.received(HELLO + frame(PacketType.LOG_IN, 2, request))
        await until(lambda: bool(world.unit.sessions_of(BOB)))
        world.unit.push([entry_push(direct_conversation(ANN, BOB), 1)])
        world.conversations.gate.set()
        await until(lambda: is_open(connection))
        world.unit.push([entry_push(direct_conversation(ANN, BOB), 2)])
        world.bench.tick()
        pushed = [record for _, _, record in carrier.packets() if isinstance(record, Entry)]
        assert [one.seq for one in pushed] == [2]


async def test_log_in_when_the_password_must_be_changed_then_nothing_is_pushed() -> None:
    async with open_world() as world:
        world.users.must_change_password = True
        connection, _ = await world.log_in(ANN)
        assert connection.must_change_password
        assert not connection.accepts_pushes


# ---- one session per kind ------------------------------------------------------------------------


async def test_log_in_when_another_of_the_kind_is_open_then_that_one_is_replaced() -> None:
    async with open_world() as world:
        old, carrier = await world.log_in(ANN, device=1)
        carrier.packets()
        new, _ = await world.log_in(ANN, device=2)
        assert [one[2] for one in carrier.packets()] == [Kicked(KickReason.REPLACED, "device 2")]
        assert (is_open(old), is_open(new)) == (False, True)


@pytest.mark.parametrize(
    ("policy", "first", "second"),
    [
        (SMALL, DeviceKind.CLI, DeviceKind.WEB),
        (SMALL, DeviceKind.BOT, DeviceKind.BOT),
        (replace(SMALL, sessions_per_kind=0), DeviceKind.CLI, DeviceKind.CLI),
        (replace(SMALL, sessions_per_kind=2), DeviceKind.CLI, DeviceKind.CLI),
    ],
)
async def test_log_in_when_the_policy_allows_both_then_both_stay(
    policy: GatewayPolicy, first: DeviceKind, second: DeviceKind
) -> None:
    async with open_world(policy) as world:
        old, _ = await world.log_in(ANN, device=1, kind=first)
        await world.log_in(ANN, device=2, kind=second)
        assert is_open(old)


async def test_log_in_when_there_are_more_than_allowed_then_the_oldest_goes() -> None:
    async with open_world(replace(SMALL, sessions_per_kind=2)) as world:
        sessions = [(await world.log_in(ANN, device=number))[0] for number in (1, 2, 3)]
        assert [is_open(one) for one in sessions] == [False, True, True]


# ---- what friends see ----------------------------------------------------------------------------


async def test_log_in_when_it_is_the_first_then_friends_are_told_once() -> None:
    async with open_world() as world:
        world.conversations.friends[ANN] = (BOB,)
        await world.log_in(ANN, device=1)
        await world.log_in(ANN, device=2, kind=DeviceKind.WEB)
        await world.settle()
        [hint] = world.delivery.hints
        assert hint.user_ids == (BOB,)
        assert hint.record == PresenceChanged(ANN, True)


async def test_log_in_when_two_devices_come_at_once_then_friends_are_told_once() -> None:
    async with open_world() as world:
        world.conversations.friends[ANN] = (BOB,)
        await asyncio.gather(
            world.log_in(ANN, device=1), world.log_in(ANN, device=2, kind=DeviceKind.WEB)
        )
        await world.settle()
        assert [hint.record for hint in world.delivery.hints] == [PresenceChanged(ANN, True)]


async def test_log_in_when_there_are_no_friends_then_nobody_is_told() -> None:
    async with open_world() as world:
        await world.log_in(ANN)
        await world.settle()
        assert not world.delivery.hints


async def test_leave_when_it_was_the_last_then_seen_and_friends_are_told() -> None:
    async with open_world() as world:
        world.conversations.friends[ANN] = (BOB,)
        one, _ = await world.log_in(ANN, device=1)
        two, _ = await world.log_in(ANN, device=2, kind=DeviceKind.WEB)
        one.lost()
        await world.settle()
        assert not world.users.calls
        two.lost()
        await world.settle()
        assert [name for name, _, _ in world.users.calls] == ["seen"]
        gone = world.delivery.hints[-1].record
        assert gone == PresenceChanged(ANN, False, world.bench.clock.now_ms())


async def test_leave_when_the_user_is_back_at_once_then_friends_do_not_hear_of_it() -> None:
    async with open_world() as world:
        world.conversations.friends[ANN] = (BOB,)
        one, _ = await world.log_in(ANN)
        await world.settle()
        world.delivery.hints.clear()
        is_back = asyncio.Event()

        async def seen(*_: object) -> None:
            await is_back.wait()

        world.users.replies["seen"] = seen
        one.lost()
        await world.log_in(ANN)
        is_back.set()
        await world.settle()
        assert [hint.record for hint in world.delivery.hints] == [PresenceChanged(ANN, True)]


async def test_leave_when_nobody_had_logged_in_then_nothing() -> None:
    async with open_world() as world:
        connection, _ = world.bench.connect()
        connection.lost()
        await world.settle()
        assert not world.users.calls
