"""Fan-out after the commit: which units hold the receivers, and one batch for each of them.

The log is the truth, a push is a hint: what is dropped on the way is counted here and found by its
receivers in the log. Sessions of this unit are written to at once; the other units are found
through presence, all that one tick brought in one round trip. Send is commit, then locate.

While presence does not answer, pushes and hints go where their receivers were lately; to all units
only where that is not known.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import TinyQQError
from tinyqq.model.account import KickReason
from tinyqq.model.ids import MAX_GROUP_ID, GroupId, UnitId, UserId
from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink
from tinyqq.ports.presence import Presence
from tinyqq.services.lately import Lately

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 20_000
"""Pushes, hints and kicks that wait to be located; more are dropped and counted."""
MAX_LOCATED: Final = 2_000
"""How many are located in one round trip."""
LOCATE_TIMEOUT_S: Final = 2.0

_Item = Push | Hint | Kick


class DeliveryService:
    """Implements :class:`tinyqq.ports.delivery.Delivery`. ``async with`` it.

    Order: every unit gets pushes in the order of the calls.

    Args:
        own: this unit.
        local: its sessions.
        link: the way to another unit; None: there is none just now.
        peers: the other units that live; asked for every batch. All of them get what nobody can
            place.
    """

    def __init__(
        self,
        *,
        own: UnitId,
        local: UnitLink,
        presence: Presence,
        link: Callable[[UnitId], UnitLink | None],
        peers: Callable[[], Sequence[UnitId]],
        clock: Clock,
    ) -> None:
        self._own = own
        self._local = local
        self._presence = presence
        self._link = link
        self._peers = peers
        self._clock = clock
        self._users: Lately[UserId] = Lately()
        self._groups: Lately[GroupId] = Lately()
        self._waiting: deque[_Item] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._group: asyncio.TaskGroup | None = None
        self._is_blind = False
        self._handed_on = 0
        self._unlocated = 0
        self._remembered = 0
        self._dropped = 0

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._group.create_task(self._run(), name="delivery")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        self._wake.set()
        if self._group is not None:
            await self._group.__aexit__(None, None, None)

    def push(self, pushes: Sequence[Push]) -> None:
        """Deliver committed entries."""
        self._local.push(pushes)
        self._queue(pushes)

    def hint(self, hint: Hint) -> None:
        """Deliver a change of state."""
        self._local.hint((hint,))
        self._queue((hint,))

    def kick(self, kick: Kick) -> None:
        """End sessions."""
        self._local.kick((kick,))
        self._queue((kick,))

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics: what was handed to other units, and what was not."""
        return {
            "handed_on_total": self._handed_on,
            "unlocated_total": self._unlocated,
            "remembered_total": self._remembered,
            "dropped_total": self._dropped,
            "waiting": len(self._waiting),
        }

    # ---- other units -----------------------------------------------------------------------------

    def _queue(self, items: Sequence[_Item]) -> None:
        if not self._peers():
            return
        if len(self._waiting) + len(items) > MAX_WAITING:
            self._dropped += len(items)
            return
        self._waiting.extend(items)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            if not self._waiting:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            size = min(len(self._waiting), MAX_LOCATED)
            items = [self._waiting.popleft() for _ in range(size)]
            for unit_id, batch in (await self._place(items)).items():
                self._send(unit_id, batch)

    async def _place(self, items: Sequence[_Item]) -> Mapping[UnitId, Sequence[_Item]]:
        """What each unit gets."""
        try:
            async with asyncio.timeout(LOCATE_TIMEOUT_S):
                batches = await self._locate(items)
            if self._is_blind:
                logger.info("delivery.located_again", extra={"unlocated": self._unlocated})
            self._is_blind = False
            return batches
        except (TinyQQError, TimeoutError) as error:
            # Once: this is asked for every batch.
            level = logging.DEBUG if self._is_blind else logging.WARNING
            logger.log(level, "delivery.unlocated", extra={"error": repr(error)})
            self._is_blind = True
        except Exception:  # a bug below must not end the fan-out of the whole node
            logger.exception("delivery.locate_failed", extra={"items": len(items)})
        self._unlocated += len(items)
        return self._remember(items)

    async def _locate(self, items: Sequence[_Item]) -> Mapping[UnitId, Sequence[_Item]]:
        users: dict[UserId, None] = {}
        groups: dict[GroupId, None] = {}
        for item in items:
            users.update(dict.fromkeys(_users_of(item)))
            if isinstance(item, Push) and item.conversation_id <= MAX_GROUP_ID:
                groups[GroupId(item.conversation_id)] = None
        at_user, at_group = await self._presence.locate(list(users), list(groups))
        now_s = self._clock.monotonic()
        self._users.learn(users, at_user, now_s)
        self._groups.learn(groups, at_group, now_s)
        batches: dict[UnitId, list[_Item]] = {}
        for item in items:
            for unit_id in self._units_of(item, at_user, at_group):
                batches.setdefault(unit_id, []).append(item)
        return batches

    def _remember(self, items: Sequence[_Item]) -> Mapping[UnitId, Sequence[_Item]]:
        """What each unit gets while presence does not answer. What goes to all is no harm: who is
        not concerned finds nobody to write to."""
        peers, now_s = self._peers(), self._clock.monotonic()
        batches: dict[UnitId, list[_Item]] = {}
        for item in items:
            units = self._remembered_units(item, now_s)
            # Of a unit that has gone the sessions are elsewhere by now. No net finds a kick.
            if units is None or isinstance(item, Kick) or not units.issubset(peers):
                units = set(peers)
            else:
                self._remembered += 1
            for unit_id in units:
                batches.setdefault(unit_id, []).append(item)
        return batches

    def _remembered_units(self, item: _Item, now_s: float) -> set[UnitId] | None:
        """The other units where the receivers were lately; None: of some that is not known."""
        found = [self._users.find(user_id, now_s) for user_id in _users_of(item)]
        if isinstance(item, Push) and item.conversation_id <= MAX_GROUP_ID:
            found.append(self._groups.find(GroupId(item.conversation_id), now_s))
        units: set[UnitId] = set()
        for one in found:
            if one is None:
                return None
            units |= one
        return units - {self._own}

    def _units_of(
        self,
        item: _Item,
        at_user: Mapping[UserId, frozenset[UnitId]],
        at_group: Mapping[GroupId, frozenset[UnitId]],
    ) -> set[UnitId]:
        units: set[UnitId] = set()
        for user_id in _users_of(item):
            units |= at_user.get(user_id, frozenset())
        if isinstance(item, Kick) and item.reason is not KickReason.REPLACED:
            # No net finds a session that outlives its right: so not only where presence knows of
            # one. These are rare.
            units.update(self._peers())
        if isinstance(item, Push) and item.conversation_id <= MAX_GROUP_ID:
            units |= at_group.get(GroupId(item.conversation_id), frozenset())
        units.discard(self._own)
        return units

    def _send(self, unit_id: UnitId, batch: Sequence[_Item]) -> None:
        link = self._link(unit_id)
        if link is None:
            self._dropped += len(batch)
            return
        self._handed_on += len(batch)
        for kind, run in _runs(batch):
            if kind is Push:
                link.push([item for item in run if isinstance(item, Push)])
            elif kind is Hint:
                link.hint([item for item in run if isinstance(item, Hint)])
            else:
                link.kick([item for item in run if isinstance(item, Kick)])


def _users_of(item: _Item) -> Iterable[UserId]:
    """Users whose units get this; of a group's push those whom it brought in or took out: their
    unit may hold nobody else of the group."""
    if isinstance(item, Hint):
        return item.user_ids
    if isinstance(item, Kick):
        return (item.user_id,)
    if item.conversation_id <= MAX_GROUP_ID:
        return (*item.joined, *item.gone)
    return UserId(item.conversation_id >> 32), UserId(item.conversation_id & 0xFFFFFFFF)


def _runs(batch: Sequence[_Item]) -> list[tuple[type[_Item], list[_Item]]]:
    """Neighbours of one kind together, in order."""
    runs: list[tuple[type[_Item], list[_Item]]] = []
    for item in batch:
        if not runs or runs[-1][0] is not type(item):
            runs.append((type(item), []))
        runs[-1][1].append(item)
    return runs
