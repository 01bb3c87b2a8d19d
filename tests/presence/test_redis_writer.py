"""The writer of presence against commands that record: what it writes, and what it makes of an
answer. A real Redis is in test_redis.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from tests.support.eventually import eventually

from tinyqq.clock import SystemClock
from tinyqq.presence.entries import Entries, Entry
from tinyqq.presence.redis_commands import BUCKETS, RedisCommands, Sweep
from tinyqq.presence.redis_timings import RedisTimings
from tinyqq.presence.redis_writer import RedisWriter

QUICK = RedisTimings(check_s=0.01)
ONE, TWO = Entry(1, "key-1", "field"), Entry(2, "key-2", "field")


class RecordingCommands(RedisCommands):
    """A Redis of numbers alone. ``is_away``: it answers nobody; ``is_read_only``: no writer."""

    def __init__(self) -> None:
        super().__init__(client=Redis(), prefix="test", value="unit-1#first", lifetime_s=60)
        self.numbers: dict[int, str] = {}
        self.batches: list[dict[Entry, bool]] = []
        self.swept: list[Sweep] = []
        self.is_away = False
        self.is_read_only = False

    async def read_numbers(self) -> list[str | None]:
        if self.is_away:
            raise RedisConnectionError
        return [self.numbers.get(bucket) for bucket in range(BUCKETS)]

    async def write(
        self, entries: Mapping[Entry, bool], number: int, sweeps: Iterable[Sweep]
    ) -> dict[int, str | None]:
        if self.is_away or self.is_read_only:
            raise RedisConnectionError
        self.batches.append(dict(entries))
        self.swept += sweeps
        before: dict[int, str | None] = {}
        for entry in entries:
            before.setdefault(entry.bucket, self.numbers.get(entry.bucket))
            self.numbers[entry.bucket] = str(number)
        return before


class Stage:
    """A running writer, what it is to write, and where."""

    def __init__(self, timings: RedisTimings) -> None:
        self.entries = Entries(max_removals=100)
        self.commands = RecordingCommands()
        self.losses = 0
        self.writer = RedisWriter(
            entries=self.entries, clock=SystemClock(), timings=timings, on_loss=self._on_loss
        )

    async def hold(self, entry: Entry) -> None:
        self.entries.add(entry)
        self.writer.wake()
        await self.writer.wait_told(entry)

    def _on_loss(self) -> None:
        self.losses += 1


@asynccontextmanager
async def staged(timings: RedisTimings = QUICK, *, is_away: bool = False) -> AsyncIterator[Stage]:
    stage = Stage(timings)
    stage.commands.is_away = is_away
    async with asyncio.TaskGroup() as group:
        task = group.create_task(stage.writer.run(stage.commands))
        if not is_away:
            await stage.writer.wait_well()
        yield stage
        stage.writer.stop()
        task.cancel()


def is_written(stage: Stage, entry: Entry, *, times: int = 1) -> Callable[[], bool]:
    return lambda: sum(entry in batch for batch in stage.commands.batches) >= times


async def test_entry_when_due_then_written_and_whoever_waits_goes_on() -> None:
    async with staged() as stage:
        await stage.hold(ONE)
        assert stage.commands.batches == [{ONE: True}]
        stage.entries.remove(ONE)
        stage.writer.wake()
        await stage.writer.wait_told(ONE)
        assert stage.commands.batches[1:] == [{ONE: False}]
        assert (stage.losses, stage.writer.counters()["written_entries_total"]) == (0, 2)


async def test_number_when_redis_has_another_then_its_bucket_is_written_again() -> None:
    async with staged() as stage:
        await stage.hold(ONE)
        await stage.hold(TWO)
        del stage.commands.numbers[ONE.bucket]
        await eventually(is_written(stage, ONE, times=2))
        assert not is_written(stage, TWO, times=2)()
        assert (stage.losses, stage.writer.counters()["rewritten_entries_total"]) == (1, 1)


async def test_writer_when_redis_goes_then_nobody_waits_and_all_is_written_when_it_is_back() -> (
    None
):
    async with staged() as stage:
        stage.commands.is_away = True
        await stage.hold(ONE)
        await eventually(lambda: not stage.writer.is_well)
        assert (stage.losses, stage.commands.batches) == (1, [])
        stage.commands.is_away = False
        await stage.writer.wait_well()
        await eventually(is_written(stage, ONE))


async def test_batch_when_its_outcome_is_unknown_then_written_twice() -> None:
    async with staged() as stage:
        stage.commands.is_read_only = True
        await stage.hold(ONE)
        stage.commands.is_read_only = False
        await eventually(is_written(stage, ONE, times=2))


async def test_unsettled_when_there_are_too_many_then_the_oldest_are_forgotten() -> None:
    timings = RedisTimings(check_s=0.01, max_removals=1)
    async with staged(timings) as stage:
        stage.commands.is_read_only = True
        await stage.hold(ONE)
        stage.entries.remove(ONE)
        await stage.hold(TWO)
        stage.commands.is_read_only = False
        await eventually(lambda: len(stage.commands.batches) == 2)
        assert [len(batch) for batch in stage.commands.batches] == [2, 1]


async def test_sweep_when_asked_for_then_deleted_and_bounded() -> None:
    timings = RedisTimings(check_s=0.01, max_sweeps=1)
    first, second = Sweep(ONE, "unit-2#dead"), Sweep(TWO, "unit-2#dead")
    async with staged(timings) as stage:
        stage.writer.sweep(first)
        stage.writer.sweep(second)
        await eventually(lambda: stage.commands.swept == [first])
        assert stage.writer.counters()["swept_entries_total"] == 1


async def test_writer_when_redis_is_away_from_the_start_then_asked_again_until_it_is_there() -> (
    None
):
    async with staged(is_away=True) as stage:
        await eventually(lambda: int(stage.writer.counters()["write_failures_total"]) >= 2)
        assert not stage.writer.is_well
        stage.commands.is_away = False
        await stage.writer.wait_well()
        assert stage.losses == 0
