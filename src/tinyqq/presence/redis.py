"""Presence of a cluster, in Redis: a cache of what units know, and treated as nothing more.

Keys, each a hash that expires some hours after its last writer has gone silent::

    {prefix:b}u<user>     session id → unit#incarnation
    {prefix:b}g<group>    unit       → unit#incarnation
    {prefix:b}e<unit#incarnation>    the number of this unit's last write in bucket b (a string)

``b``, the bucket, is the number modulo 16; it is a hash slot of a Redis Cluster, so all of it is on
one server. What is written, and how a loss is noticed: :mod:`tinyqq.presence.redis_writer`.

Entries of an incarnation that the registry does not have are ignored at once and deleted after
minutes, when somebody stumbles on them, together with its numbers: were it alive after all, it
writes them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Collection, Sequence
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
from tinyqq.presence.redis_timings import RedisTimings
from tinyqq.presence.redis_url import parse_redis_url
from tinyqq.presence.redis_writer import RedisWriter

_COUNTS: Final = (
    "locates_total",
    "locate_failures_total",
    "late_writes_total",
    "renewed_entries_total",
    "dead_entries_total",
)


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
        self._writer = RedisWriter(
            entries=self._entries, clock=clock, timings=self._timings, on_loss=self._tell
        )
        self._commands: RedisCommands | None = None
        self._dead_since: dict[str, float] = {}
        self._questions = asyncio.Semaphore(self._timings.max_questions)
        self._stack = contextlib.AsyncExitStack()
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
        task = group.create_task(self._writer.run(self._commands), name="presence-writer")
        self._stack.callback(task.cancel)
        # A node starts without Redis too, as it goes on without it.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.write_s):
                await self._writer.wait_well()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take this unit out of Redis, if Redis is there, and end."""
        self._entries.remove_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.write_s):
                while self._writer.is_well and self._entries.due:
                    await self._writer.wait_told(self._entries.newest_due)
        self._writer.stop()
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
        self._writer.wake()

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
        return "ok" if self._writer.is_well else "away"

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "entries": len(self._entries),
            "entries_due": self._entries.due,
            "forgotten_removals_total": self._entries.forgotten,
            **self._counts,
            **self._writer.counters(),
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
        self._writer.wake()
        if not self._writer.is_well:
            return
        try:
            async with asyncio.timeout(self._timings.bind_s):
                await self._writer.wait_told(entry)
        except TimeoutError:
            self._counts["late_writes_total"] += 1

    # ---- questions -------------------------------------------------------------------------------

    async def _read(self, keys: Sequence[str]) -> list[dict[str, str]]:
        if self._commands is None or not self._writer.is_well:
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=self._timings.check_s)
        self._counts["locates_total"] += 1
        try:
            async with asyncio.timeout(self._timings.locate_s), self._questions:
                return await self._commands.read(keys)
        except REDIS_ERRORS as exc:
            self._counts["locate_failures_total"] += 1
            self._writer.look()  # and not every caller for itself
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
            self._writer.wake()

    def _sweep(self, entry: Entry, value: str) -> None:
        self._counts["dead_entries_total"] += 1
        if len(self._dead_since) >= self._timings.max_sweeps:
            self._dead_since.clear()  # full of what is long gone; those still there come again
        now = self._clock.monotonic()
        if now - self._dead_since.setdefault(value, now) >= self._timings.dead_s:
            self._writer.sweep(Sweep(entry, value))

    def _tell(self) -> None:
        for on_loss in self._watchers:
            on_loss()
