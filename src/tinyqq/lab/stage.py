"""What every scenario is given, and what each of them gives back."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from tinyqq.lab.frames import SALT_BYTES
from tinyqq.lab.population import Population, Target

_POLL_S: Final = 0.01
_SETTLE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scenario plays: at one server, or at the units of a cluster.

    ``mark`` tells the harness that the measured time begins (``"begin"``) or ends (``"end"``), or
    that it is to do something to the server. ``directory``: a URL by which clients find the units,
    at one that stays alive.
    """

    targets: tuple[Target, ...]
    population: Population
    mark: Callable[[str], None]
    directory: str = ""

    @property
    def target(self) -> Target:
        """The only server, or the first unit."""
        return self.targets[0]

    def near(self) -> Iterator[Target]:
        """Where the people of one side connect: to each unit in turn, without end."""
        return itertools.cycle(self.targets)

    def far(self) -> Iterator[Target]:
        """Where those of the other side do: never where :meth:`near` has the same place, if there
        is more than one unit, and every unit talks to every other."""
        units = len(self.targets)
        for place in itertools.count():
            away = 1 + (place // units) % (units - 1) if units > 1 else 0
            yield self.targets[(place + away) % units]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario measured: figures by name, with the unit in the name.

    ``count`` is what the server's CPU time is divided by (messages, deliveries, log-ins …).
    """

    count: int
    seconds: float
    figures: dict[str, float]
    generator_cpu_s: float = 0.0


class Scenario(Protocol):
    """One question to the server."""

    async def run(self, stage: Stage) -> Outcome:
        """Set up, warm up, measure, check that nothing was lost."""
        ...


class Stopwatch:
    """Measures a stretch: wall time and this process's CPU time. Marks both ends."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._begun_s = 0.0
        self._cpu_s = 0.0

    def begin(self) -> None:
        """The measured time begins."""
        self._stage.mark("begin")
        self._cpu_s = time.process_time()
        self._begun_s = time.perf_counter()

    def end(self, count: int, **figures: float) -> Outcome:
        """The measured time is over, and *count* things were done in it."""
        seconds = time.perf_counter() - self._begun_s
        cpu_s = time.process_time() - self._cpu_s
        self._stage.mark("end")
        return Outcome(count, seconds, figures, cpu_s)


def new_salt() -> bytes:
    """For the client ids of one run."""
    return os.urandom(SALT_BYTES)


async def settle(is_done: Callable[[], bool], *, timeout_s: float = _SETTLE_S) -> bool:
    """Wait until what is under way has arrived; False when it does not in time."""
    deadline = time.perf_counter() + timeout_s
    while not is_done():
        if time.perf_counter() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
