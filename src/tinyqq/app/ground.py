"""What every role of a node stands on: clock, storage, registry, presence, and the unit itself.

A part of the composition root beside ``build.py``; adapters that are an optional extra are imported
only when a setting asks for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from tinyqq.app.peers import Me
from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.settings import MEMORY, PROXY, Settings
from tinyqq.clock import Clock, SystemClock
from tinyqq.errors import needs_extra
from tinyqq.gateway.unit import LocalUnit
from tinyqq.http.health import State
from tinyqq.http.metrics import Counters
from tinyqq.model.ids import UnitId
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Registry
from tinyqq.ports.storage import LogTail
from tinyqq.presence.memory import MemoryPresence
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.services.net import Net
from tinyqq.storage.open import Storage, open_storage

if TYPE_CHECKING:  # what they import is an optional extra
    from tinyqq.presence.redis import RedisPresence

_Part = TypeVar("_Part")


class Enter(Protocol):
    """Enters a part now; the exit stack leaves it at the end."""

    def __call__(self, part: AbstractAsyncContextManager[_Part], /) -> Awaitable[_Part]:
        """The part, running."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """What all roles stand on."""

    me: Me
    clock: Clock
    storage: Storage
    registry: Registry
    presence: Presence
    unit: LocalUnit
    net: Net | None
    """None: nobody else writes, or this node has no sessions."""
    states: Mapping[str, State]
    counters: Mapping[str, Counters]


async def open_ground(
    enter: Enter, settings: Settings, me: Me, on_fatal: Callable[[Exception], None]
) -> Ground:
    """Open everything below the roles.

    Raises:
        InvalidRequest: the address of the database is none, or a driver is not installed.
        Unavailable: another process has the database, or the registry does not answer.
    """
    clock = SystemClock()
    storage = await enter(open_storage(settings.database, on_fatal=on_fatal))
    states: dict[str, State] = {}
    counters: dict[str, Counters] = {"storage": storage.counters}

    registry: Registry = MemoryRegistry()
    is_live = _everybody
    if settings.registry != MEMORY:
        zookeeper = await enter(zookeeper_registry(settings, clock))
        registry, is_live = zookeeper, zookeeper.is_live
        states["registry"] = lambda: zookeeper.state
        counters["registry"] = zookeeper.counters

    presence: Presence
    if settings.presence == MEMORY:
        memory = MemoryPresence(unit_id=me.unit_id)
        presence, counters["presence"] = memory, memory.counters
    else:
        redis = await enter(_redis(settings, me, is_live, clock))
        presence, counters["presence"] = redis, redis.counters
        states["presence"] = lambda: redis.state

    has_net = settings.registry != MEMORY and PROXY in settings.roles
    unit = LocalUnit(
        unit_id=me.unit_id,
        presence=presence,
        conversations=storage.conversations,
        has_net=has_net,
    )
    ground = Ground(
        me=me,
        clock=clock,
        storage=storage,
        registry=registry,
        presence=presence,
        unit=await enter(unit),
        net=None,
        states=states,
        counters=counters,
    )
    if has_net and storage.log_tail is not None:
        net = await enter(_net(ground, storage.log_tail))
        states["net"], counters["net"] = lambda: net.state, net.counters
        ground = dataclasses.replace(ground, net=net)
    return ground


def _net(ground: Ground, tail: LogTail) -> Net:
    return Net(
        tail=tail,
        unit=ground.unit,
        presence=ground.presence,
        registry=ground.registry,
        own_writers=lambda: ground.storage.writers,
        clock=ground.clock,
    )


async def ask_presence(settings: Settings, *, timeout_s: float) -> None:
    """Return if the Redis that the settings name answers, all of it.

    Raises:
        InvalidRequest: its driver is not installed.
        Unavailable: it does not.
    """
    with needs_extra("presence"):
        from tinyqq.presence.redis_probe import ask_redis
    await ask_redis(settings.presence, timeout_s=timeout_s)


def _redis(
    settings: Settings, me: Me, is_live: Callable[[UnitId, str], bool], clock: Clock
) -> RedisPresence:
    with needs_extra("presence"):
        from tinyqq.presence.redis import RedisPresence
    return RedisPresence(
        url=settings.presence,
        unit_id=me.unit_id,
        incarnation=me.incarnation,
        is_live=is_live,
        clock=clock,
    )


def _everybody(unit_id: UnitId, incarnation: str) -> bool:
    """A registry of one cannot say who else lives."""
    return True
