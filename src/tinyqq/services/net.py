"""The net under every push: a unit reads who has written what, and delivers what was not pushed.

A push may go nowhere: its writer dies after the commit, a link breaks, a queue is full, presence
does not know the receiver. So every unit with sessions reads the keys that the others have added to
the log, twice a second and at once when something is known to have failed. What concerns somebody
here and has not been pushed after a moment is fetched and pushed like any other entry, and their
presence is written anew.

When there is more than can be read or delivered at once, the rest stays where it is, in the log,
and is read next. While the database is away nothing is read, and everything afterwards; so it is
with one shard of it, while the others go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

from tinyqq.clock import Clock
from tinyqq.errors import TinyQQError, Unavailable
from tinyqq.model.ids import (
    MAX_GROUP_ID,
    ConversationId,
    GroupId,
    Seq,
    UnitId,
    UserId,
    own_conversation,
)
from tinyqq.model.message import MEMBERSHIP_KINDS, Entry
from tinyqq.ports.delivery import Push, TailedUnit
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Registry
from tinyqq.ports.storage import LogKey, LogTail, Tail
from tinyqq.services.net_failures import REASONS, NetFailures
from tinyqq.services.pushes import push_again
from tinyqq.services.writers import Writers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NetLimits:
    """Bounds in time and number. Tests take shorter ones.

    ``interval_s``: between two readings. ``grace_s``: how long a push may take that is on its way.
    ``stall_s``: a process that slept for longer gives pushes their grace anew, for they may wait in
    its own sockets; ``stall_again_s``: not more often than that, for one that is always late must
    deliver too. ``recent_s``: how long after a failure a repair is put down to it.
    ``newest``: the last numbers of writers that are read from the start on, whoever has them.
    ``keep_turns``: readings for which pushes are remembered. ``max_keys``: of one writer that are
    read at once; with more the next reading follows without a pause. ``max_pending``: keys that
    wait for their push; with more nothing is read until there are fewer. ``batch``: entries that
    are fetched at once.
    """

    interval_s: float = 0.5
    grace_s: float = 0.5
    least_pause_s: float = 0.05
    timeout_s: float = 5.0
    stall_s: float = 0.2
    stall_again_s: float = 2.0
    recent_s: float = 5.0
    newest: int = 64
    keep_turns: int = 16
    max_keys: int = 2_000
    max_pending: int = 20_000
    batch: int = 100


class _Pending(NamedTuple):
    """A key that concerns somebody here and has not been pushed."""

    seen_s: float
    writer: int
    turn: int
    """Of the reading before: what was committed before it was not looked for here."""


_Key = tuple[ConversationId, Seq]


class Net:
    """See the module's docstring. ``async with`` it while the unit has sessions.

    Args:
        own_writers: numbers under which this process writes and the position of the last row of
            each that it has pushed; ``Storage.writers``.
    """

    def __init__(
        self,
        *,
        tail: LogTail,
        unit: TailedUnit,
        presence: Presence,
        registry: Registry,
        own_writers: Callable[[], Mapping[int, int]],
        clock: Clock,
        limits: NetLimits | None = None,
    ) -> None:
        self._tail = tail
        self._unit = unit
        self._presence = presence
        self._own_writers = own_writers
        self._clock = clock
        self._limits = limits or NetLimits()
        self._writers = Writers()
        self._pending: dict[_Key, _Pending] = {}
        self._joined: list[tuple[GroupId, Seq]] = []
        self._read_turn = 0
        """Of the last reading that left nothing."""
        self._read_s = clock.monotonic()
        self._planned_s = self._stalled_s = float("-inf")
        self._is_behind = self._is_blind = False
        self._wake = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None
        # ---- figures
        self._ticks = 0
        self._failed_ticks = 0
        self._keys = 0
        self._arrivals = 0
        self._repairs = Counter(dict.fromkeys(REASONS, 0))
        self._slowest_s = 0.0
        self._failures = NetFailures(
            registry=registry,
            presence=presence,
            clock=clock,
            recent_s=self._limits.recent_s,
            on_failure=self._wake.set,
        )

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._task = self._group.create_task(self._run(), name="net")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None and self._group is not None:
            self._task.cancel()
            await self._group.__aexit__(None, None, None)

    @property
    def state(self) -> str:
        """``ok``, ``behind`` (there is more than is read at once) or ``blind`` (the log cannot be
        read), for people."""
        if self._is_blind:
            return "blind"
        lag_s = self._clock.monotonic() - self._read_s
        return "behind" if lag_s > self._limits.timeout_s else "ok"

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics. In calm times there are no repairs. ``arrivals``: entries of the
        moment in which somebody came, delivered to be sure."""
        repairs = {f"repairs_total{{reason={why}}}": self._repairs[why] for why in REASONS}
        return {
            "ticks_total": self._ticks,
            "failures_total": self._failed_ticks,
            "keys_total": self._keys,
            **repairs,
            "arrivals_total": self._arrivals,
            "slowest_repair_s": self._slowest_s,
            "lag_s": self._clock.monotonic() - self._read_s,
            "pending": len(self._pending),
            "writers": len(self._writers),
        }

    def link_broke(self, unit_id: UnitId) -> None:
        """What was on its way between this unit and another may be lost: look at once."""
        self._failures.link_broke(unit_id)

    # ---- the loop --------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._limits.timeout_s):
                    await self.tick()
            except (TinyQQError, TimeoutError) as error:
                self._failed(error)
            except Exception as error:  # a bug must not leave the unit without its net
                logger.exception("net.broken")
                self._failed(error)
            else:
                if self._is_blind:
                    logger.info("net.sees_again")
                self._is_blind = False
            await self._rest()

    def _failed(self, error: Exception) -> None:
        self._failed_ticks += 1
        if not self._is_blind:
            logger.warning("net.blind", extra={"error": repr(error)})
        self._is_blind = True

    async def _rest(self) -> None:
        limits = self._limits
        await asyncio.sleep(limits.least_pause_s)
        now_s = self._clock.monotonic()
        wait_s = limits.interval_s
        if not self._is_blind:
            first_s = min((one.seen_s for one in self._pending.values()), default=now_s)
            wait_s = min(wait_s, max(first_s + limits.grace_s - now_s, 0.0))
            wait_s = 0.0 if self._is_behind else wait_s
        self._planned_s = now_s + wait_s
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def tick(self) -> None:
        """Read what is new, and deliver what was not pushed in time.

        Raises:
            Unavailable: the log cannot be read; what is left is done with the next tick.
        """
        self._ticks += 1
        now_s = self._clock.monotonic()
        is_late = now_s - self._planned_s > self._limits.stall_s
        if is_late and now_s - self._stalled_s > self._limits.stall_again_s:
            self._stalled_s = now_s
        turn = self._unit.turn(self._read_turn - self._limits.keep_turns)
        self._joined += self._unit.take_joined()
        self._writers.look(self._own_writers(), self._failures.owners, now_s)
        await self._begin(now_s)
        read_turn = self._read_turn
        await self._read(turn)
        await self._look_after_joined(read_turn)
        await self._repair()

    # ---- reading ---------------------------------------------------------------------------------

    async def _begin(self, now_s: float) -> None:
        unknown = self._writers.unknown(self._failures.owners)
        if unknown or not self._writers.has_begun:
            newest = 0 if self._writers.has_begun else self._limits.newest
            asked = unknown if self._writers.has_begun else list(self._failures.owners)
            ends = await self._tail.read_ends(asked, newest)
            self._writers.begin(asked, newest, ends, now_s)

    async def _read(self, turn: int) -> None:
        self._is_behind = len(self._pending) >= self._limits.max_pending
        if self._is_behind:
            return
        limit = self._limits.max_keys
        tail = await self._tail.read_keys(self._writers.positions, limit)
        now_s = self._clock.monotonic()
        has_new = self._writers.learn(tail, now_s)
        self._keys += len(tail.keys)
        self._note(tail.keys, self._read_turn, now_s)
        self._is_behind = has_new or _is_cut(tail, limit)
        if tail.is_whole and not self._is_behind:
            self._read_turn, self._read_s = turn, now_s

    async def _look_after_joined(self, turn: int) -> None:
        """What was written to a group before other units knew that somebody is here now."""
        away: list[tuple[GroupId, Seq]] = []
        try:
            while self._joined:
                group_id, seq = self._joined[-1]
                try:
                    keys = await self._tail.read_from(
                        ConversationId(group_id), seq, self._limits.batch
                    )
                    self._note(keys, turn, self._clock.monotonic())
                except Unavailable:  # the shard of this one; the others go on
                    away.append((group_id, seq))
                self._joined.pop()
        finally:
            self._joined += away

    def _note(self, keys: Iterable[LogKey], turn: int, now_s: float) -> None:
        here_since, was_pushed = self._unit.here_since, self._unit.was_pushed
        for writer, _, conversation_id, seq, kind in keys:
            # Of a group that nobody here is in: unless the entry brings somebody into it.
            if here_since(conversation_id) is None and (
                kind not in MEMBERSHIP_KINDS or conversation_id > MAX_GROUP_ID
            ):
                continue
            if not was_pushed(conversation_id, seq):
                pending = _Pending(now_s, writer, turn)
                self._pending.setdefault((conversation_id, seq), pending)

    # ---- delivering ------------------------------------------------------------------------------

    async def _repair(self) -> None:
        if not self._pending:
            return
        limits, now_s = self._limits, self._clock.monotonic()
        due: list[_Key] = []
        for key, pending in list(self._pending.items()):
            if self._unit.was_pushed(*key):
                del self._pending[key]
            elif max(pending.seen_s, self._stalled_s) + limits.grace_s <= now_s:
                due.append(key)
        due.sort()
        for start in range(0, len(due), limits.batch):
            await self._repair_batch(due[start : start + limits.batch])

    async def _repair_batch(self, keys: list[_Key]) -> None:
        entries, members_seqs, unread = await self._tail.read_entries(keys)
        before = Counter(self._repairs)
        repaired = [
            entry.conversation_id
            for entry in entries
            if self._deliver(entry, members_seqs.get(entry.conversation_id, Seq(0)))
        ]
        for key in unread:  # asked for again when a push would have had its time
            self._pending[key] = self._pending[key]._replace(seen_s=self._clock.monotonic())
        for key in set(keys) - unread:
            self._pending.pop(key, None)  # of no row: then there is nothing to deliver
        if repaired:
            self._renew(repaired)
            logger.info("net.repaired", extra={"entries": dict(self._repairs - before)})

    def _deliver(self, entry: Entry, members_seq: Seq) -> bool:
        """Push an entry that was not; whether it had been lost."""
        conversation_id, seq = entry.conversation_id, entry.seq
        # First of all: an entry that cannot be pushed must not stand in everybody's way for ever.
        pending = self._pending.pop((conversation_id, seq))
        push = push_again(entry, members_seq)
        since = self._concerned_since(push)
        if since is None or self._unit.was_pushed(conversation_id, seq):
            return False
        self._unit.push((push,))
        if since >= pending.turn:
            # Who has just come reads what is older by themselves; which it is nobody can tell.
            self._arrivals += 1
            return False
        self._repairs[self._failures.reason_for(pending.writer)] += 1
        age_s = (self._clock.now_ms() - entry.sent_at_ms) / 1000
        self._slowest_s = max(self._slowest_s, age_s)
        return True

    def _concerned_since(self, push: Push) -> int | None:
        """Since which turn somebody is here whom a push concerns; None: nobody is."""
        since = self._unit.here_since(push.conversation_id)
        if since is not None:
            return since
        comers = [self._unit.here_since(own_conversation(user_id)) for user_id in push.joined]
        return min((one for one in comers if one is not None), default=None)

    def _renew(self, conversation_ids: Iterable[ConversationId]) -> None:
        user_ids: dict[UserId, None] = {}
        group_ids: dict[GroupId, None] = {}
        for conversation_id in conversation_ids:
            if conversation_id <= MAX_GROUP_ID:
                group_ids[GroupId(conversation_id)] = None
            else:
                user_ids[UserId(conversation_id >> 32)] = None
                user_ids[UserId(conversation_id & 0xFFFFFFFF)] = None
        self._presence.renew(tuple(user_ids), tuple(group_ids))


def _is_cut(tail: Tail, limit: int) -> bool:
    """Whether there is more than was read."""
    return limit in Counter(key.writer for key in tail.keys).values()
