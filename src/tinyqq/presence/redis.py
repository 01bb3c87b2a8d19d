"""Presence of a cluster, in Redis: a cache of what units know, and treated as nothing more.

Keys, each a hash that expires some hours after its last writer has gone silent::

    {prefix:b}u<user>     session id → unit#incarnation
    {prefix:b}g<group>    unit       → unit#incarnation
    {prefix:b}e<unit#incarnation>    the number of this unit's last write in bucket b (a string)

``b``, the bucket, is the number modulo 16. A bucket is a hash slot of a Redis Cluster, so all of it
is on one server, and that server keeps its writes in order. Therefore the number says all: as long
as it is the one written last, Redis has everything of this unit in that bucket; after a FLUSHALL, a
restart, a fail-over to a replica that lacked the last writes it is missing or older, and the unit
writes the bucket again. It looks once a second, with every write, and at once after an error.

One task writes, so writes have an order. A server that hung may still carry out what it was sent
before its connection was given up; what was in such a batch is written a second time when the
server has been well for a moment.

Entries of an incarnation that the registry does not have are ignored at once and deleted after
minutes, when somebody stumbles on them, together with its numbers: were it alive after all, it
writes them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId
from tinyqq.presence.entries import Entries, Entry
from tinyqq.presence.redis_client import REDIS_ERRORS, open_redis
from tinyqq.presence.redis_commands import (
    BUCKETS,
    RedisCommands,
    Sweep,
    bucket_of,
    entry_key,
)
from tinyqq.presence.redis_url import parse_redis_url

logger = logging.getLogger(__name__)

_UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class RedisTimings:
    """Bounds in time and number. Tests take shorter ones.

    ``locate_s``: deadline of a question. ``bind_s``: how long a bind waits for its write.
    ``write_s``: deadline of a batch. ``check_s``: between two looks at what Redis has.
    ``lifetime_s``: of an entry that nobody writes again; the owner does after a third of it.
    ``dead_s``: how long an incarnation must have been missing from the registry before its entries
    are deleted. ``batch``: entries of a write. ``max_removals``: that may wait for Redis.
    ``max_questions``: at one time; more wait, within their deadline.
    """

    locate_s: float = 0.5
    bind_s: float = 0.5
    write_s: float = 2.0
    check_s: float = 1.0
    lifetime_s: int = 6 * 3600
    dead_s: float = 300.0
    batch: int = 500
    max_removals: int = 100_000
    max_sweeps: int = 10_000
    max_questions: int = 16


class RedisPresence:
    """Implements :class:`tinyqq.ports.presence.Presence`; ``async with`` it.

    Nothing here fails because Redis is away, only :meth:`locate` says that it does not know.

    Args:
        url: see :mod:`tinyqq.presence.redis_url`.
        is_live: whether the registry has this incarnation of a unit; True when it cannot say.

    Raises:
        InvalidRequest: *url* is no address of Redis.
    """

    def __init__(
        self,
        *,
        url: str,
        unit_id: UnitId,
        incarnation: str,
        is_live: Callable[[UnitId, str], bool],
        clock: Clock,
        timings: RedisTimings | None = None,
    ) -> None:
        self._address = parse_redis_url(url)
        self._unit_id = unit_id
        self._value = f"{unit_id}#{incarnation}"
        self._is_live = is_live
        self._clock = clock
        self._timings = timings or RedisTimings()
        self._entries = Entries(max_removals=self._timings.max_removals)
        self._waiting: dict[Entry, asyncio.Future[None]] = {}
        self._sweeps: dict[Sweep, None] = {}
        self._dead_since: dict[str, float] = {}
        self._questions = asyncio.Semaphore(self._timings.max_questions)
        self._wake = asyncio.Event()
        self._well = asyncio.Event()
        self._is_told_away = False
        self._is_closing = False
        self._stack = contextlib.AsyncExitStack()
        self._commands: RedisCommands | None = None
        # ---- what the writer knows of Redis
        self._written = 0
        self._numbers: list[str | None] = [_UNKNOWN] * BUCKETS
        self._next_check = 0.0
        self._next_refresh = 0.0
        self._refreshed = 0
        self._unsettled: dict[Entry, None] = {}
        self._settle_at = 0.0
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._watchers: list[Callable[[], None]] = []

    # ---- begin and end ---------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._commands = RedisCommands(
            client=await self._stack.enter_async_context(open_redis(self._address)),
            prefix=self._address.prefix,
            value=self._value,
            lifetime_s=self._timings.lifetime_s,
        )
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        task = group.create_task(self._run(), name="presence-writer")
        self._stack.callback(task.cancel)
        # A node starts without Redis too, as it goes on without it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.write_s):
                await self._well.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take this unit out of Redis, if Redis is there, and end."""
        self._entries.remove_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.write_s):
                while self._well.is_set() and self._entries.due:
                    await self._told(self._entries.newest_due)
        self._well.clear()
        self._is_closing = True
        # Its own cancellation is not the task group's error.
        await self._stack.aclose()
        self._commands = None

    # ---- ports.presence --------------------------------------------------------------------------

    async def bind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit holds this session now.

        Returns when Redis has it; or, when Redis is away or slow, after ``bind_s`` at most: the
        entry is written later, and until then other units may miss it.
        """
        await self._change(self._session(user_id, session_id), is_held=True)

    async def unbind(self, user_id: UserId, session_id: SessionId) -> None:
        """This unit no longer holds it; returns as :meth:`bind` does."""
        await self._change(self._session(user_id, session_id), is_held=False)

    async def bind_group(self, group_id: GroupId) -> None:
        """This unit holds members of the group; returns as :meth:`bind` does."""
        await self._change(self._membership(group_id), is_held=True)

    async def unbind_group(self, group_id: GroupId) -> None:
        """This unit holds none any more; returns as :meth:`bind` does."""
        await self._change(self._membership(group_id), is_held=False)

    def renew(self, user_ids: Collection[UserId], group_ids: Collection[GroupId]) -> None:
        """Write again what is held of these, at most a batch of it."""
        keys = itertools.chain(
            (self._key("u", user_id) for user_id in user_ids),
            (self._key("g", group_id) for group_id in group_ids),
        )
        held = itertools.chain.from_iterable(map(self._entries.held_of, keys))
        renewed = list(itertools.islice(held, self._timings.batch))
        self._entries.mark(renewed)
        self._counts["renewed_entries_total"] += len(renewed)
        self._wake.set()

    def watch(self, on_loss: Callable[[], None]) -> None:
        """Call back when Redis is away, and when it has lost entries."""
        self._watchers.append(on_loss)

    async def locate(
        self, user_ids: Sequence[UserId], group_ids: Sequence[GroupId]
    ) -> tuple[dict[UserId, frozenset[UnitId]], dict[GroupId, frozenset[UnitId]]]:
        """Where they are: what Redis says of other units, and what this unit knows of itself.

        Raises:
            Unavailable: Redis is away, or too slow.
        """
        keys = [self._key("u", user_id) for user_id in user_ids]
        keys += [self._key("g", group_id) for group_id in group_ids]
        answers = await self._read(keys) if keys else []
        found = [self._units(key, fields) for key, fields in zip(keys, answers, strict=True)]
        users = zip(user_ids, found, strict=False)
        groups = zip(group_ids, found[len(user_ids) :], strict=True)
        return (
            {user_id: units for user_id, units in users if units},
            {group_id: units for group_id, units in groups if units},
        )

    @property
    def state(self) -> str:
        """``ok`` or ``away``, for people."""
        return "ok" if self._well.is_set() else "away"

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "entries": len(self._entries),
            "entries_due": self._entries.due,
            "redis_up": int(self._well.is_set()),
            "forgotten_removals_total": self._entries.forgotten,
            **self._counts,
        }

    # ---- entries ---------------------------------------------------------------------------------

    def _key(self, kind: str, number: int) -> str:
        return entry_key(self._address.prefix, kind, number)

    def _session(self, user_id: UserId, session_id: SessionId) -> Entry:
        return Entry(user_id % BUCKETS, self._key("u", user_id), str(session_id))

    def _membership(self, group_id: GroupId) -> Entry:
        return Entry(group_id % BUCKETS, self._key("g", group_id), self._unit_id)

    async def _change(self, entry: Entry, *, is_held: bool) -> None:
        (self._entries.add if is_held else self._entries.remove)(entry)
        self._wake.set()
        if not self._well.is_set():
            return
        try:
            async with asyncio.timeout(self._timings.bind_s):
                await self._told(entry)
        except TimeoutError:
            self._counts["late_writes_total"] += 1

    async def _told(self, entry: Entry) -> None:
        """Wait until Redis has been told of a due entry, or has proved to be away."""
        future = self._waiting.get(entry)
        if future is None:
            future = self._waiting[entry] = asyncio.get_running_loop().create_future()
        await asyncio.shield(future)

    # ---- questions -------------------------------------------------------------------------------

    async def _read(self, keys: Sequence[str]) -> list[dict[str, str]]:
        if self._commands is None or not self._well.is_set():
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=self._timings.check_s)
        self._counts["locates_total"] += 1
        try:
            async with asyncio.timeout(self._timings.locate_s), self._questions:
                return await self._commands.read(keys)
        except REDIS_ERRORS as exc:
            self._counts["locate_failures_total"] += 1
            # Let the writer find out at once whether Redis is away, instead of every caller.
            self._next_check = 0.0
            self._wake.set()
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=self._timings.check_s) from exc

    def _units(self, key: str, fields: dict[str, str]) -> frozenset[UnitId]:
        units: set[UnitId] = set()
        for field, value in fields.items():
            if value == self._value:
                self._check_own(Entry(bucket_of(key), key, field))
                continue
            unit_id, _, incarnation = value.rpartition("#")
            if self._is_live(UnitId(unit_id), incarnation):
                self._dead_since.pop(value, None)
                units.add(UnitId(unit_id))
            else:
                self._sweep(Entry(bucket_of(key), key, field), value)
        if self._entries.holds_any(key):
            units.add(self._unit_id)
        return frozenset(units)

    def _check_own(self, entry: Entry) -> None:
        """Of itself a unit knows better; what Redis should not have is taken out."""
        if not self._entries.holds(entry):
            self._entries.mark((entry,))
            self._wake.set()

    def _sweep(self, entry: Entry, value: str) -> None:
        self._counts["dead_entries_total"] += 1
        if len(self._dead_since) >= self._timings.max_sweeps:
            self._dead_since.clear()  # full of what is long gone; those still there come again
        now = self._clock.monotonic()
        is_sure = now - self._dead_since.setdefault(value, now) >= self._timings.dead_s
        # Full: whoever looks next finds it again.
        if is_sure and len(self._sweeps) < self._timings.max_sweeps:
            self._sweeps[Sweep(entry, value)] = None
            self._wake.set()

    # ---- the writer ------------------------------------------------------------------------------

    async def _run(self) -> None:
        # Not for ever until cancelled: the library may swallow a cancellation.
        while not self._is_closing:
            try:
                if self._clock.monotonic() >= self._next_check:
                    await self._check()
                elif self._entries.due or self._sweeps:
                    await self._write()
                else:
                    await self._rest()
            except Exception as exc:  # also of a bug: a node can do without presence
                self._lost(exc)
                # Not woken by changes: they wait for Redis, and not Redis for them.
                await asyncio.sleep(self._timings.check_s * random.uniform(0.05, 0.25))

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self._next_check - self._clock.monotonic(), 0.0)):
                await self._wake.wait()
        self._wake.clear()

    async def _check(self) -> None:
        """Compare what Redis has with what was written; mark for writing what it has lost."""
        assert self._commands is not None
        async with asyncio.timeout(self._timings.write_s):
            stored = await self._commands.read_numbers()
        lost = [bucket for bucket in range(BUCKETS) if stored[bucket] != self._numbers[bucket]]
        self._numbers = stored
        self._lacks(lost)
        now = self._clock.monotonic()
        self._next_check = now + self._timings.check_s
        if not self._entries.due:
            self._found()
        if self._unsettled and self._well.is_set() and now >= self._settle_at:
            self._entries.mark(self._unsettled)
            self._unsettled = {}
        self._refresh(now)

    def _lacks(self, buckets: Collection[int]) -> None:
        """Redis has lost something of these: write again all that is held of them."""
        rewritten = self._entries.mark_buckets(buckets)
        self._counts["rewritten_entries_total"] += rewritten
        if rewritten:
            logger.info("presence.written_again", extra={"entries": rewritten})
            self._tell()

    def _refresh(self, now: float) -> None:
        """One bucket after the other, so that no entry's lifetime ends while it is held."""
        if now >= self._next_refresh:
            self._next_refresh = now + self._timings.lifetime_s / 3 / BUCKETS
            self._refreshed = (self._refreshed + 1) % BUCKETS
            self._entries.mark_buckets((self._refreshed,))

    async def _write(self) -> None:
        """Write a batch; on an error it is due again, and so is all of its buckets."""
        assert self._commands is not None
        batch = {
            entry: self._entries.holds(entry) for entry in self._entries.take(self._timings.batch)
        }
        waiting = [self._waiting.pop(entry) for entry in batch if entry in self._waiting]
        sweeps = list(self._sweeps)[: self._timings.batch]
        buckets = {entry.bucket for entry in batch}
        self._written += 1
        try:
            with _resolving(waiting):
                async with asyncio.timeout(self._timings.write_s):
                    before = await self._commands.write(batch, self._written, sweeps)
        except BaseException:
            self._entries.mark(batch)
            self._unsettled.update(dict.fromkeys(batch))
            for bucket in buckets:
                self._numbers[bucket] = _UNKNOWN
            raise
        self._found()
        self._lacks([bucket for bucket in buckets if before[bucket] != self._numbers[bucket]])
        for bucket in buckets:
            self._numbers[bucket] = str(self._written)
        for sweep in sweeps:
            del self._sweeps[sweep]
        self._counts["writes_total"] += 1
        self._counts["written_entries_total"] += len(batch)
        self._counts["swept_entries_total"] += len(sweeps)

    def _found(self) -> None:
        """Redis does what it is asked; a Redis that answers and lets nobody write does not."""
        if not self._well.is_set():
            self._well.set()
            self._settle_at = self._clock.monotonic() + self._timings.check_s
            self._is_told_away = False
            logger.info("presence.redis_is_there")

    def _lost(self, error: BaseException) -> None:
        self._next_check = 0.0
        self._counts["write_failures_total"] += 1
        if not self._is_told_away:  # also when it was not there from the start
            self._is_told_away = True
            bug = None if isinstance(error, REDIS_ERRORS) else error
            logger.warning("presence.redis_is_away", exc_info=bug, extra={"error": repr(error)})
        if self._well.is_set():
            self._well.clear()
            self._tell()
        waiting, self._waiting = self._waiting, {}
        with _resolving(waiting.values()):
            pass

    def _tell(self) -> None:
        for on_loss in self._watchers:
            on_loss()


_COUNTS: Final = (
    "locates_total",
    "locate_failures_total",
    "late_writes_total",
    "writes_total",
    "written_entries_total",
    "rewritten_entries_total",
    "renewed_entries_total",
    "write_failures_total",
    "dead_entries_total",
    "swept_entries_total",
)


@contextlib.contextmanager
def _resolving(waiting: Iterable[asyncio.Future[None]]) -> Iterator[None]:
    """Whoever waits goes on, however it ends."""
    try:
        yield
    finally:
        for future in waiting:
            if not future.done():
                future.set_result(None)
