"""The unit's sessions, and the way of pushes, hints and kicks to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.connections import Bench, FakeCarrier
from tests.support.gateway import ANN, BOB, EVE, UNIT, entry_push, until
from tests.support.services import FakeConversations

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.unit import LocalUnit
from tinyqq.model.account import DeviceKind, KickReason, ProfileChanged
from tinyqq.model.connection import Kicked
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import (
    DeviceId,
    GroupId,
    Seq,
    SessionId,
    UserId,
    direct_conversation,
    group_conversation,
    own_conversation,
)
from tinyqq.model.message import CursorMoved, Kind, Typing
from tinyqq.ports.delivery import Hint, Kick
from tinyqq.presence.memory import MemoryPresence
from tinyqq.wire.packets import PacketType
from tinyqq.wire.session import State

CHAT = direct_conversation(ANN, BOB)
GROUP = GroupId(20_000)


class World:
    """A unit and its sessions."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.conversations = FakeConversations()
        self.presence = MemoryPresence(unit_id=UNIT)
        self.unit = LocalUnit(
            unit_id=UNIT,
            presence=self.presence,
            conversations=self.conversations.store,
            has_net=True,
        )

    async def come(
        self, user_id: UserId, session_id: int = 1, **options: Any
    ) -> tuple[Connection, FakeCarrier]:
        connection, carrier = self.bench.open(user_id, session_id=session_id, **options)
        await self.unit.attach(connection)
        return connection, carrier

    def got(self, carrier: FakeCarrier) -> list[Any]:
        """The records that a session was pushed."""
        self.bench.tick()
        return [record for _, _, record in carrier.packets()]


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    world = World()
    async with world.unit:
        yield world


# ---- sessions ------------------------------------------------------------------------------------


async def test_attach_when_it_returns_then_bound() -> None:
    async with open_world() as world:
        await world.come(ANN)
        assert (await world.presence.locate((ANN, BOB), ()))[0] == {ANN: {UNIT}}


async def test_attach_when_the_groups_cannot_be_read_then_detached_again() -> None:
    async with open_world() as world:
        world.conversations.errors = [Unavailable(ErrorCode.UNAVAILABLE)]
        with pytest.raises(Unavailable):
            await world.come(ANN)
        assert not world.unit.sessions_of(ANN)
        await until(lambda: not world.presence.counters()["users_online"])


async def test_attach_when_presence_fails_then_refused() -> None:
    class Down(MemoryPresence):
        async def bind(self, user_id: UserId, session_id: SessionId) -> None:
            raise Unavailable(ErrorCode.UNAVAILABLE)

    unit = LocalUnit(
        unit_id=UNIT, presence=Down(unit_id=UNIT), conversations=FakeConversations().store
    )
    async with unit:
        with pytest.raises(Unavailable):
            await unit.attach(Bench().open(ANN)[0])
        assert not unit.sessions_of(ANN)


async def test_detach_when_another_session_stays_then_not_the_last() -> None:
    async with open_world() as world:
        one, _ = await world.come(ANN, 1)
        two, _ = await world.come(ANN, 2)
        assert not world.unit.detach(one)
        assert world.unit.sessions_of(ANN) == (two,)
        assert world.unit.detach(two)
        assert not world.unit.sessions_of(ANN)


async def test_detach_when_repeated_or_never_attached_then_nothing() -> None:
    async with open_world() as world:
        one, _ = await world.come(ANN)
        assert world.unit.detach(one)
        assert not world.unit.detach(one)
        assert not world.unit.detach(world.bench.connect()[0])


# ---- pushes --------------------------------------------------------------------------------------


async def test_push_when_direct_then_both_get_it_but_the_origin() -> None:
    async with open_world() as world:
        _, phone = await world.come(ANN, 1)
        _, laptop = await world.come(ANN, 2)
        _, bob = await world.come(BOB, 3)
        _, eve = await world.come(EVE, 4)
        world.unit.push([entry_push(CHAT, 5, origin=SessionId(1))])
        assert [len(world.got(one)) for one in (phone, laptop, bob, eve)] == [0, 1, 1, 0]


async def test_push_when_own_then_the_user_gets_it_once() -> None:
    async with open_world() as world:
        _, ann = await world.come(ANN)
        world.unit.push([entry_push(own_conversation(ANN), 5, kind=Kind.BLOCKED, sender_id=BOB)])
        [entry] = world.got(ann)
        assert (entry.seq, entry.kind) == (5, Kind.BLOCKED)


async def test_push_when_to_a_group_then_its_local_members_get_it() -> None:
    async with open_world() as world:
        world.conversations.members[GROUP] = ((ANN, BOB), Seq(3))
        _, ann = await world.come(ANN, 1)
        _, eve = await world.come(EVE, 2)
        world.unit.push([entry_push(GROUP, 4, members=(3, 3))])
        await until(lambda: bool(world.got(ann)))
        assert not world.got(eve)


async def test_push_when_several_then_in_order() -> None:
    async with open_world() as world:
        _, bob = await world.come(BOB)
        world.unit.push([entry_push(CHAT, seq) for seq in range(1, 9)])
        assert [one.seq for one in world.got(bob)] == list(range(1, 9))


async def test_push_when_a_notice_is_not_for_the_viewer_then_a_hidden_stretch() -> None:
    async with open_world() as world:
        _, ann = await world.come(ANN, 1)
        _, bob = await world.come(BOB, 2)
        _, bob2 = await world.come(BOB, 3)
        world.unit.push([entry_push(CHAT, 5, kind=Kind.BLOCKED, sender_id=ANN)])
        assert [one.kind for one in world.got(ann)] == [Kind.BLOCKED]
        for carrier in (bob, bob2):
            [entry] = world.got(carrier)
            assert (entry.kind, entry.seq, entry.through_seq) == (Kind.HIDDEN, 5, 5)
            assert entry.sender_id == 0


async def test_push_when_a_notice_has_an_origin_then_it_gets_the_answer_instead() -> None:
    async with open_world() as world:
        _, ann = await world.come(ANN, 1)
        world.unit.push([entry_push(CHAT, 5, kind=Kind.RECALL, origin=SessionId(1))])
        assert not world.got(ann)


async def test_push_when_it_is_older_than_the_group_index_then_told_as_head() -> None:
    async with open_world() as world:
        world.conversations.members[GROUP] = ((ANN,), Seq(9))
        connection, ann = await world.come(ANN)
        world.unit.push([entry_push(GROUP, 10, members=(9, 9))])
        await until(lambda: bool(world.got(ann)))
        world.unit.push([entry_push(GROUP, 5, members=(3, 3))])
        assert not world.got(ann)
        assert connection.missed is not None
        assert group_conversation(GROUP) in connection.missed


# ---- for the net ---------------------------------------------------------------------------------


async def test_was_pushed_when_pushed_then_until_its_turn_is_forgotten() -> None:
    async with open_world() as world:
        world.unit.push([entry_push(CHAT, 5)])
        assert world.unit.was_pushed(CHAT, Seq(5))
        assert not world.unit.was_pushed(CHAT, Seq(6))
        world.unit.turn(1)
        assert not world.unit.was_pushed(CHAT, Seq(5))


async def test_was_pushed_when_there_is_no_net_then_nothing_is_remembered() -> None:
    presence, conversations = MemoryPresence(unit_id=UNIT), FakeConversations().store
    async with LocalUnit(unit_id=UNIT, presence=presence, conversations=conversations) as unit:
        unit.push([entry_push(CHAT, 5)])
        assert not unit.was_pushed(CHAT, Seq(5))


async def test_here_since_when_somebody_comes_then_the_turn_of_the_first_session() -> None:
    async with open_world() as world:
        assert world.unit.here_since(CHAT) is None
        world.unit.turn(0)
        one, _ = await world.come(BOB, 1)
        world.unit.turn(0)
        two, _ = await world.come(BOB, 2)
        await world.come(ANN, 3)
        assert world.unit.here_since(CHAT) == 1
        assert world.unit.here_since(own_conversation(ANN)) == 2
        world.unit.detach(one)
        world.unit.detach(two)
        assert world.unit.here_since(CHAT) == 2


async def test_here_since_when_a_group_has_local_members_then_since_the_first_came() -> None:
    async with open_world() as world:
        world.conversations.members[GROUP] = ((ANN, BOB), Seq(3))
        world.unit.turn(0)
        await world.come(ANN, 1)
        world.unit.turn(0)
        await world.come(BOB, 2)
        assert world.unit.here_since(group_conversation(GROUP)) == 1
        assert world.unit.here_since(group_conversation(GroupId(30_000))) is None


async def test_take_joined_when_the_first_member_joins_while_here_then_told_once() -> None:
    async with open_world() as world:
        world.conversations.members[GROUP] = ((ANN,), Seq(4))
        await world.come(BOB, 1)
        world.unit.push([entry_push(GROUP, 4, members=(3, 4), joined=(ANN,))])
        assert world.unit.take_joined() == []
        world.conversations.members[GROUP] = ((ANN, BOB), Seq(5))
        world.unit.push([entry_push(GROUP, 5, members=(4, 5), joined=(BOB,))])
        assert world.unit.take_joined() == [(GROUP, 5)]
        assert world.unit.take_joined() == []


# ---- hints and kicks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        CursorMoved(CHAT, ANN, Seq(1), Seq(1)),
        Typing(CHAT, ANN),
        PresenceChanged(ANN, True, 0),
        ProfileChanged(ANN, "Ann", "ab"),
    ],
)
async def test_hint_when_named_users_are_here_then_they_get_it_but_the_origin(record: Any) -> None:
    async with open_world() as world:
        _, ann = await world.come(ANN, 1)
        _, bob = await world.come(BOB, 2)
        _, eve = await world.come(EVE, 3)
        world.unit.hint([Hint((ANN, BOB), record, SessionId(1))])
        assert [world.got(one) for one in (ann, bob, eve)] == [[], [record], []]


def kick(**fields: Any) -> Kick:
    defaults = {"only": None, "kind": None, "keep": SessionId(0), "by_device": "phone"}
    return Kick(ANN, fields.pop("reason", KickReason.REVOKED), **(defaults | fields))


async def sessions_left(order: Kick) -> list[int]:
    """Which of three sessions a kick leaves open: 1 and 2 on a CLI, 3 in a browser."""
    async with open_world() as world:
        sessions = [
            (await world.come(ANN, 1, device=1))[0],
            (await world.come(ANN, 2, device=2))[0],
            (await world.come(ANN, 3, device=3, kind=DeviceKind.WEB))[0],
        ]
        world.unit.kick([order])
        return [one.session_id for one in sessions if one.session.state is State.OPEN]


async def test_kick_when_all_are_meant_then_all_end() -> None:
    assert await sessions_left(kick()) == []


async def test_kick_when_one_is_kept_then_the_others_end() -> None:
    assert await sessions_left(kick(keep=SessionId(2))) == [2]


async def test_kick_when_devices_are_named_then_only_they_end() -> None:
    devices = (DeviceId((2).to_bytes(16, "big")), DeviceId((9).to_bytes(16, "big")))
    assert await sessions_left(kick(only=devices)) == [1, 3]


async def test_kick_when_a_kind_is_named_then_only_its_sessions_end() -> None:
    assert await sessions_left(kick(kind=DeviceKind.WEB)) == [1, 2]


async def test_kick_when_two_replace_each_other_then_the_later_stays() -> None:
    replaced = kick(reason=KickReason.REPLACED, kind=DeviceKind.CLI, keep=SessionId(1))
    assert await sessions_left(replaced) == [1, 2, 3]
    replaced = kick(reason=KickReason.REPLACED, kind=DeviceKind.CLI, keep=SessionId(2))
    assert await sessions_left(replaced) == [2, 3]


async def test_kick_when_it_ends_a_session_then_it_says_why_and_by_whom() -> None:
    async with open_world() as world:
        _, carrier = await world.come(ANN)
        world.unit.kick([kick()])
        world.bench.tick()
        assert carrier.packets() == [(PacketType.KICKED, 0, Kicked(KickReason.REVOKED, "phone"))]
        assert carrier.is_closed


async def test_counters_when_asked_then_what_happened() -> None:
    async with open_world() as world:
        await world.come(BOB)
        world.unit.push([entry_push(CHAT, 1)])
        world.unit.hint([Hint((BOB,), Typing(CHAT, ANN), SessionId(0))])
        counters = world.unit.counters()
        assert counters["users"] == 1
        assert counters["pushes_total"] == counters["deliveries_total"] == 1
        assert counters["hints_total"] == 1


async def test_was_pushed_when_a_bug_kept_it_back_then_no() -> None:
    async with open_world() as world:
        await world.come(ANN)
        broken = entry_push(CHAT, 5)._replace(body=None)  # type: ignore[arg-type]  # a bug
        with pytest.raises(TypeError):
            world.unit.push([broken])
        assert not world.unit.was_pushed(CHAT, Seq(5))
