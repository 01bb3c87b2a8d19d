"""How many log-ins a second: by password, which costs on purpose, and by token."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

from tinyqq.lab.connection import LoadConnection, connect, log_in, resume
from tinyqq.lab.population import Person
from tinyqq.lab.stage import Outcome, Stage, Stopwatch
from tinyqq.model.histogram import Histogram


@dataclass(frozen=True, slots=True)
class LogIns:
    """``clients`` clients connect, log in, disconnect, again and again, each time as another
    account."""

    by_password: bool
    clients: int = 16
    accounts: int = 1_000
    warm_up_s: float = 1.0
    seconds: float = 5.0

    async def run(self, stage: Stage) -> Outcome:
        """Log-ins that were finished in the measured time, connection and Hello included."""
        people = itertools.cycle(stage.population.people[: self.accounts])
        tally = _Tally()
        watch = Stopwatch(stage)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.clients):
                tasks.create_task(self._keep_logging_in(stage, people, tally))
            await asyncio.sleep(self.warm_up_s)
            watch.begin()
            before = tally.done
            tally.histogram = Histogram()
            await asyncio.sleep(self.seconds)
            outcome = watch.end(tally.done - before)
            tally.is_over = True
        latency = tally.histogram.summary()
        outcome.figures.update(p50_ms=latency.p50_ms, p99_ms=latency.p99_ms)
        return outcome

    async def _keep_logging_in(self, stage: Stage, people: Iterator[Person], tally: _Tally) -> None:
        while not tally.is_over:
            person = next(people)
            begun_ns = time.perf_counter_ns()
            connection = await connect(stage.target, LoadConnection)
            if self.by_password:
                await log_in(connection, person, stage.population.password)
            else:
                await resume(connection, person)
            tally.done += 1
            tally.histogram.add(time.perf_counter_ns() - begun_ns)
            connection.close()


class _Tally:
    """What the clients of one run share."""

    def __init__(self) -> None:
        self.done = 0
        self.is_over = False
        self.histogram = Histogram()
