"""What a session costs that does nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tinyqq.lab.connection import LoadConnection, check_alive, open_sessions
from tinyqq.lab.stage import Outcome, Stage, Stopwatch


@dataclass(frozen=True, slots=True)
class Idle:
    """``sessions`` log in and stay silent; the harness looks at the server's memory at both
    marks. ``first`` others come before, so that neither what the server sets up once is counted
    nor memory that it had freed already hides anything."""

    sessions: int = 5_000
    first: int = 4_000
    settle_s: float = 3.0

    async def run(self, stage: Stage) -> Outcome:
        """Opens the sessions; the figure is made by the harness."""
        people = stage.population.people[: self.first + self.sessions]
        early = await open_sessions(stage.near(), people[: self.first], LoadConnection)
        await asyncio.sleep(self.settle_s)
        watch = Stopwatch(stage)
        watch.begin()
        late = await open_sessions(stage.near(), people[self.first :], LoadConnection)
        await asyncio.sleep(self.settle_s)
        outcome = watch.end(len(late))
        check_alive([*early, *late])
        for connection in (*early, *late):
            connection.close()
        return outcome
