"""A row of the table: one scenario, what is read off it, and what must be reached."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.server import GENERATOR_CORE, RunningServer, Sample, pin
from tinyqq.lab.stage import Outcome


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run of a scenario against one server. Samples were taken at both ends of its time, and
    before and after everything, when nothing was on its way."""

    outcome: Outcome
    before: Sample
    after: Sample
    first: Sample
    last: Sample

    @property
    def per_second(self) -> float:
        """How many things were done a second."""
        return self.outcome.count / self.outcome.seconds

    @property
    def cpu_us_each(self) -> float:
        """CPU of the server per thing done, microseconds."""
        return (self.after.cpu_s - self.before.cpu_s) / max(self.outcome.count, 1) * 1e6

    def grown(self, name: str) -> float:
        """How much a counter of the server has grown."""
        return self.after.counted[name] - self.before.counted[name]

    def grown_in_all(self, name: str) -> float:
        """How much a counter has grown from before the first log-in to after the last log-out."""
        return self.last.counted[name] - self.first.counted[name]

    def each(self, name: str) -> float:
        """How much a counter has grown per thing done."""
        return self.grown(name) / max(self.outcome.count, 1)

    @property
    def kib_each(self) -> float:
        """Growth of the server's memory per thing done, KiB."""
        growth = self.after.rss_bytes - self.before.rss_bytes
        return growth / max(self.outcome.count, 1) / 1024

    @property
    def generator_busy(self) -> float:
        """Share of its core that the generator used; near 1 the figures are the generator's."""
        return self.outcome.generator_cpu_s / self.outcome.seconds

    @property
    def others_busy(self) -> float:
        """What the rest of the machine did meanwhile, in cores; near 0 on an idle one."""
        ours_s = self.after.cpu_s - self.before.cpu_s + self.outcome.generator_cpu_s
        return (self.after.machine_s - self.before.machine_s - ours_s) / self.outcome.seconds

    @property
    def faults(self) -> str:
        """What should not have happened; empty when all is well."""
        figures = self.outcome.figures
        return ", ".join(
            f"{name}: {figures[name]:.0f}" for name in ("lost", "refused") if figures.get(name)
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a value must keep; *is_floor*: it is the least, else the most."""

    bound: float
    is_floor: bool

    def is_met(self, value: float) -> bool:
        """Whether the value keeps to it."""
        return value >= self.bound if self.is_floor else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.is_floor else '≤'} {self.bound:g}"


def at_least(bound: float) -> Goal:
    """A goal that wants much."""
    return Goal(bound, True)


def at_most(bound: float) -> Goal:
    """A goal that wants little."""
    return Goal(bound, False)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a row. ``ratio_goal`` is about ours divided by what is beside it."""

    unit: str
    value: Callable[[Measurement], float]
    goal: Goal | None = None
    ratio_goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A question, asked of two servers in turn; their names are those of ``bench.shapes``."""

    title: str
    scenario: str
    lines: tuple[Line, ...]
    plan: Mapping[str, Any] = field(default_factory=dict)
    ours: str = "ours"
    beside: str = "floor"
    beside_plan: Mapping[str, Any] | None = None
    """The plan for the other one, if it is another."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the units, where they are others than usual."""


def figure(name: str) -> Callable[[Measurement], float]:
    """A figure that the scenario itself made."""
    return lambda measurement: measurement.outcome.figures[name]


def cpu_us(part: str) -> Callable[[Measurement], float]:
    """CPU of one part of a cluster per thing done, microseconds."""
    return lambda measurement: measurement.each(f"cpu_{part}") * 1e6


def each(name: str) -> Callable[[Measurement], float]:
    """A counter's growth per thing done."""
    return lambda measurement: measurement.each(name)


def measure(
    row: Row, plan: Mapping[str, Any], server: RunningServer, population: Path
) -> Measurement:
    """Play the row's scenario against a server, by a generator on a core of its own."""
    first = server.sample()
    generator = subprocess.Popen(
        [sys.executable, "-m", "tinyqq.lab.generator"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pin(generator.pid, GENERATOR_CORE)
    assert generator.stdin is not None
    assert generator.stdout is not None
    order = {
        "scenario": row.scenario,
        "plan": dict(plan),
        "targets": [["127.0.0.1", port] for port in server.ports],
        "directory": server.directory,
        "population": str(population),
    }
    generator.stdin.write(json.dumps(order) + "\n")
    generator.stdin.flush()
    samples: dict[str, Sample] = {}
    outcome: Outcome | None = None
    for line in generator.stdout:
        said = json.loads(line)
        mark = said.get("mark")
        if mark in ("begin", "end"):
            samples[mark] = server.sample()
        elif mark:
            server.act(mark)
        else:
            outcome = Outcome(**said["outcome"])
    if generator.wait() or outcome is None:
        raise RuntimeError(f"{row.title}: the generator failed")
    return Measurement(outcome, samples["begin"], samples["end"], first, server.sample())
