"""How patient presence is with Redis, and how much may wait for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RedisTimings:
    """Bounds in time and number. Tests take shorter ones.

    ``locate_s``: deadline of a question. ``bind_s``: how long a bind waits for its write.
    ``write_s``: deadline of a batch. ``check_s``: between two looks at what Redis has.
    ``lifetime_s``: of an entry that nobody writes again; the owner does after a third of it.
    ``dead_s``: how long an incarnation must have been missing from the registry before its entries
    are deleted. ``batch``: entries of a write. ``max_removals``: that may wait for Redis, and so
    many entries of unknown outcome. ``max_sweeps``: deletions of dead entries that may wait.
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
