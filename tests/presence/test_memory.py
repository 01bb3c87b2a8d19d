"""What only the in-process presence has; the rest is in tests/contracts/test_presence.py."""

from __future__ import annotations

from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId
from tinyqq.presence.memory import MemoryPresence


async def test_counters_when_users_and_groups_are_bound_then_counted() -> None:
    presence = MemoryPresence(unit_id=UnitId("unit-1"))
    await presence.bind(UserId(10_001), SessionId(1))
    await presence.bind(UserId(10_001), SessionId(2))
    await presence.bind_group(GroupId(20_000))
    assert presence.counters() == {"users_online": 1, "groups_bound": 1}


async def test_unbind_when_all_have_gone_then_nothing_is_kept() -> None:
    presence = MemoryPresence(unit_id=UnitId("unit-1"))
    await presence.bind(UserId(10_001), SessionId(1))
    await presence.unbind(UserId(10_001), SessionId(1))
    await presence.unbind(UserId(10_002), SessionId(1))
    assert presence.counters() == {"users_online": 0, "groups_bound": 0}
