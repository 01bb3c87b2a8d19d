"""The one task of a unit that writes to Redis what the unit holds.

Per bucket Redis keeps the number of this unit's last write. A bucket is on one server, and that
server keeps its writes in order. Therefore the number says all: as long as it is the one written
last, Redis has everything of this unit in that bucket; after a FLUSHALL, a restart, a fail-over to
a replica that lacked the last writes it is missing or older, and the unit writes the bucket again.
It looks once a second, with every write, and at once after an error.

One task writes, so writes have an order. A server that hung may still carry out what it was sent
before its connection was given up; what was in such a batch is written a second time when the
server has been well for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final

from tinyqq.clock import Clock
from tinyqq.presence.entries import Entries, Entry
from tinyqq.presence.redis_client import REDIS_ERRORS
from tinyqq.presence.redis_commands import BUCKETS, RedisCommands, Sweep
from tinyqq.presence.redis_timings import RedisTimings

logger = logging.getLogger(__name__)

_UNKNOWN: Final = "?"
_COUNTS: Final = (
    "writes_total",
    "written_entries_total",
    "rewritten_entries_total",
    "write_failures_total",
    "swept_entries_total",
)


class RedisWriter:
    """Brings Redis to what *entries* say while :meth:`run` runs. Nothing here fails because Redis
    is away: what is due stays due.

    Args:
        on_loss: called when Redis is away, and when it has lost entries.
    """

    def __init__(
        self,
        *,
        entries: Entries,
        clock: Clock,
        timings: RedisTimings,
        on_loss: Callable[[], None],
    ) -> None:
        self._entries = entries
        self._clock = clock
        self._timings = timings
        self._on_loss = on_loss
        self._waiting: dict[Entry, asyncio.Future[None]] = {}
        self._sweeps: dict[Sweep, None] = {}
        self._wake = asyncio.Event()
        self._well = asyncio.Event()
        self._is_told_away = False
        self._is_stopping = False
        # ---- what is known of Redis
        self._written = 0
        self._numbers: list[str | None] = [_UNKNOWN] * BUCKETS
        self._next_check = 0.0
        self._next_refresh = 0.0
        self._refreshed = 0
        self._unsettled: dict[Entry, None] = {}
        self._settle_at = 0.0
        self._counts = dict.fromkeys(_COUNTS, 0)

    @property
    def is_well(self) -> bool:
        """Whether Redis did what it was last asked."""
        return self._well.is_set()

    async def wait_well(self) -> None:
        """Wait until it does; without end, if need be."""
        await self._well.wait()

    async def wait_told(self, entry: Entry) -> None:
        """Wait until Redis has been told of a due entry, or has proved to be away."""
        future = self._waiting.get(entry)
        if future is None:
            future = self._waiting[entry] = asyncio.get_running_loop().create_future()
        await asyncio.shield(future)

    def wake(self) -> None:
        """Something is due."""
        self._wake.set()

    def look(self) -> None:
        """Find out at once whether Redis is away."""
        self._next_check = 0.0
        self._wake.set()

    def sweep(self, dead: Sweep) -> None:
        """Delete another's entry with the next batch. Full (``max_sweeps``): left to whoever finds
        it again."""
        if len(self._sweeps) < self._timings.max_sweeps:
            self._sweeps[dead] = None
            self._wake.set()

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"redis_up": int(self.is_well), **self._counts}

    # ---- the loop --------------------------------------------------------------------------------

    async def run(self, commands: RedisCommands) -> None:
        """Write what is due, until :meth:`stop`."""
        # Not for ever until cancelled: the library may swallow a cancellation.
        while not self._is_stopping:
            try:
                if self._clock.monotonic() >= self._next_check:
                    await self._check(commands)
                elif self._entries.due or self._sweeps:
                    await self._write(commands)
                else:
                    await self._rest()
            except Exception as exc:  # also of a bug: a node can do without presence
                self._lost(exc)
                # Not woken by changes: they wait for Redis, and not Redis for them.
                await asyncio.sleep(self._timings.check_s * random.uniform(0.05, 0.25))

    def stop(self) -> None:
        """Write no more; to be cancelled all the same, for it may rest or wait for an answer."""
        self._well.clear()
        self._is_stopping = True

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self._next_check - self._clock.monotonic(), 0.0)):
                await self._wake.wait()
        self._wake.clear()

    async def _check(self, commands: RedisCommands) -> None:
        """Compare what Redis has with what was written; mark for writing what it has lost."""
        async with asyncio.timeout(self._timings.write_s):
            stored = await commands.read_numbers()
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
            self._on_loss()

    def _refresh(self, now: float) -> None:
        """One bucket after the other, so that no entry's lifetime ends while it is held."""
        if now >= self._next_refresh:
            self._next_refresh = now + self._timings.lifetime_s / 3 / BUCKETS
            self._refreshed = (self._refreshed + 1) % BUCKETS
            self._entries.mark_buckets((self._refreshed,))

    async def _write(self, commands: RedisCommands) -> None:
        """Write a batch; on an error it is due again, and so is all of its buckets."""
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
                    before = await commands.write(batch, self._written, sweeps)
        except BaseException:
            self._entries.mark(batch)
            self._unsettle(batch)
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

    def _unsettle(self, batch: Iterable[Entry]) -> None:
        """Whether these were written nobody knows. Too many: the oldest are forgotten, which a
        server that hung is the least likely to carry out yet."""
        self._unsettled.update(dict.fromkeys(batch))
        for entry in list(self._unsettled)[: -self._timings.max_removals]:
            del self._unsettled[entry]

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
            self._on_loss()
        waiting, self._waiting = self._waiting, {}
        with _resolving(waiting.values()):
            pass


@contextlib.contextmanager
def _resolving(waiting: Iterable[asyncio.Future[None]]) -> Iterator[None]:
    """Whoever waits goes on, however it ends."""
    try:
        yield
    finally:
        for future in waiting:
            if not future.done():
                future.set_result(None)
