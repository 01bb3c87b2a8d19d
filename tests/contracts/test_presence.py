"""What every implementation of ``ports.presence`` does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.redis_presence import redis_presence
from tests.support.servers import safe_name

from tinyqq.lab.servers.redis import RedisServer
from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId
from tinyqq.ports.presence import Presence
from tinyqq.presence.memory import MemoryPresence

ANN, BOB = UserId(10_001), UserId(10_002)
ONE, TWO = SessionId(1), SessionId(2)
GROUP, OTHER = GroupId(20_000), GroupId(20_001)
HERE = UnitId("unit-1")

KINDS = ("memory", pytest.param("redis", marks=pytest.mark.needs("redis")))


@pytest.fixture(params=KINDS)
async def presence(request: pytest.FixtureRequest) -> AsyncIterator[Presence]:
    """One unit's presence, empty."""
    if request.param == "memory":
        yield MemoryPresence(unit_id=HERE)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    prefix = safe_name(request.node.name)
    async with redis_presence(server.url, unit=HERE, prefix=prefix) as presence:
        yield presence


async def users(presence: Presence, *user_ids: UserId) -> dict[UserId, frozenset[UnitId]]:
    return (await presence.locate(user_ids, ()))[0]


async def groups(presence: Presence, *group_ids: GroupId) -> dict[GroupId, frozenset[UnitId]]:
    return (await presence.locate((), group_ids))[1]


async def test_locate_when_nobody_is_bound_then_nowhere(presence: Presence) -> None:
    assert await presence.locate((ANN,), (GROUP,)) == ({}, {})


async def test_locate_when_bound_then_here_and_others_are_absent(presence: Presence) -> None:
    await presence.bind(ANN, ONE)
    assert await users(presence, ANN, BOB) == {ANN: frozenset({HERE})}


async def test_bind_when_repeated_then_once(presence: Presence) -> None:
    await presence.bind(ANN, ONE)
    await presence.bind(ANN, ONE)
    await presence.unbind(ANN, ONE)
    assert await users(presence, ANN) == {}


async def test_unbind_when_another_session_stays_then_still_here(presence: Presence) -> None:
    await presence.bind(ANN, ONE)
    await presence.bind(ANN, TWO)
    await presence.unbind(ANN, ONE)
    assert await users(presence, ANN) == {ANN: frozenset({HERE})}
    await presence.unbind(ANN, TWO)
    assert await users(presence, ANN) == {}


async def test_unbind_when_it_comes_late_then_a_newer_session_stays(presence: Presence) -> None:
    await presence.bind(ANN, TWO)
    await presence.unbind(ANN, ONE)
    assert await users(presence, ANN) == {ANN: frozenset({HERE})}


async def test_unbind_when_nothing_was_bound_then_nothing(presence: Presence) -> None:
    await presence.unbind(ANN, ONE)
    await presence.unbind_group(GROUP)
    assert await presence.locate((ANN,), (GROUP,)) == ({}, {})


async def test_groups_when_bound_and_unbound_then_located_accordingly(presence: Presence) -> None:
    await presence.bind_group(GROUP)
    await presence.bind_group(GROUP)
    await presence.bind_group(OTHER)
    await presence.unbind_group(GROUP)
    assert await groups(presence, GROUP, OTHER) == {OTHER: frozenset({HERE})}


async def test_renew_when_called_then_what_is_held_is_still_here(presence: Presence) -> None:
    presence.watch(lambda: None)
    await presence.bind(ANN, ONE)
    presence.renew((ANN, BOB), (GROUP,))
    assert await users(presence, ANN, BOB) == {ANN: frozenset({HERE})}
    assert await groups(presence, GROUP) == {}


async def test_locate_when_both_are_asked_then_one_answer_for_both(presence: Presence) -> None:
    await presence.bind(ANN, ONE)
    await presence.bind_group(GROUP)
    here = frozenset({HERE})
    assert await presence.locate((ANN, BOB), (GROUP, OTHER)) == ({ANN: here}, {GROUP: here})
