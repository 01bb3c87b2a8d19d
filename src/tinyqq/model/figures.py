"""What a node can tell of its own work: figures of now, and of the last hour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tinyqq.model.ids import UnitId

SAMPLE_EVERY_S: Final = 5.0
SAMPLES_KEPT: Final = 720
"""An hour of them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One interval of a node's life, ``seconds`` long and ended at ``at_ms`` (the node's clock).

    ``sends``: messages that its clients sent; ``deliveries``: entries written to its clients;
    ``sessions``: at the end. Commits are those of its lanes; ``lag``: by how much the event loop
    was late with a timer.
    """

    at_ms: int
    seconds: float
    sends: int
    deliveries: int
    sessions: int
    commits: int
    commit_p50_ms: float
    commit_p99_ms: float
    commit_max_ms: float
    lag_p50_ms: float
    lag_p99_ms: float
    lag_max_ms: float


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """One node's link to another: what went over it since it was opened, and what waits."""

    to: UnitId
    deliveries: int
    sends: int
    calls: int
    breaks: int
    waiting: int


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """What one start of a node tells of itself.

    ``up_s``: since its start; also the time base of the counters. ``states``: of what it stands
    on, ``ok`` or what is wrong in a word. ``samples``: the last ones, ascending.
    """

    unit_id: UnitId
    incarnation: str
    at_ms: int
    up_s: float
    counters: Mapping[str, float] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    links: tuple[LinkFigures, ...] = ()
    samples: tuple[Sample, ...] = ()
