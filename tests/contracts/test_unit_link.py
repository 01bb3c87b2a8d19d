"""What every implementation of ``ports.delivery.UnitLink`` does: the unit of this process, and one
behind a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.connections import Bench, FakeCarrier
from tests.support.gateway import ANN, BOB, UNIT, entry_push, until
from tests.support.nodes import open_pair
from tests.support.services import FakeConversations

from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.unit import LocalUnit
from tinyqq.model.account import KickReason
from tinyqq.model.connection import Kicked
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import SessionId, direct_conversation
from tinyqq.model.message import Entry, Typing
from tinyqq.ports.delivery import Hint, Kick, UnitLink
from tinyqq.presence.memory import MemoryPresence

CHAT = direct_conversation(ANN, BOB)


class World:
    """Sessions on a unit, and the link to it."""

    def __init__(self, link: UnitLink, unit: LocalUnit, bench: Bench) -> None:
        self.link = link
        self.unit = unit
        self._bench = bench

    async def come(self, user_id: Any, session_id: int = 1) -> FakeCarrier:
        """A session of a user."""
        connection, carrier = self._bench.open(user_id, session_id=session_id)
        await self.unit.attach(connection)
        return carrier

    async def got(self, carrier: FakeCarrier, count: int) -> list[Any]:
        """The next records that a session is pushed."""
        records: list[Any] = []

        def enough() -> bool:
            self._bench.tick()
            records.extend(record for _, _, record in carrier.packets())
            return len(records) >= count

        await until(enough)
        return records


@pytest.fixture(params=["local", "grpc"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    unit = LocalUnit(
        unit_id=UNIT,
        presence=MemoryPresence(unit_id=UNIT),
        conversations=FakeConversations().store,
    )
    async with unit, _link(request.param, unit) as link:
        yield World(link, unit, Bench(GatewayPolicy()))


@asynccontextmanager
async def _link(kind: str, unit: LocalUnit) -> AsyncIterator[UnitLink]:
    if kind == "local":
        yield unit
        return
    async with open_pair(unit=unit) as (_, peer):
        yield peer.deliveries


async def test_push_when_there_are_many_then_all_in_the_order_of_the_calls(world: World) -> None:
    bob = await world.come(BOB)
    for first in range(1, 300, 3):
        world.link.push([entry_push(CHAT, seq) for seq in range(first, first + 3)])
    entries = await world.got(bob, 300)
    assert [entry.seq for entry in entries] == list(range(1, 301))
    assert all(isinstance(entry, Entry) for entry in entries)


async def test_push_when_it_has_an_origin_then_that_session_is_left_out(world: World) -> None:
    one, two = await world.come(ANN, 1), await world.come(ANN, 2)
    world.link.push([entry_push(CHAT, 1, origin=SessionId(1)), entry_push(CHAT, 2)])
    assert [entry.seq for entry in await world.got(two, 2)] == [1, 2]
    assert [entry.seq for entry in await world.got(one, 1)] == [2]


async def test_hint_when_of_every_kind_then_it_arrives(world: World) -> None:
    ann = await world.come(ANN)
    records = [PresenceChanged(BOB, online=True, last_seen_at_ms=5), Typing(CHAT, BOB)]
    world.link.hint([Hint((ANN, BOB), record, SessionId(0)) for record in records])  # type: ignore[arg-type]  # both are hints
    assert await world.got(ann, 2) == records


async def test_kick_when_it_is_for_a_session_then_that_one_ends(world: World) -> None:
    one, two = await world.come(ANN, 1), await world.come(ANN, 2)
    world.link.kick([Kick(ANN, KickReason.REVOKED, None, None, SessionId(2), "phone")])
    assert await world.got(one, 1) == [Kicked(KickReason.REVOKED, "phone")]
    assert two.packets() == []


async def test_kick_when_pushes_came_before_then_they_are_seen_first(world: World) -> None:
    ann = await world.come(ANN)
    world.link.push([entry_push(CHAT, 1)])
    world.link.kick([Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "")])
    first, second = await world.got(ann, 2)
    assert (first.seq, second) == (1, Kicked(KickReason.REVOKED, ""))
