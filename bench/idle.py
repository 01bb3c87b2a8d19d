"""What does a silent session cost?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Line, Row, at_most

ROWS = (
    Row(
        "5,000 idle TCP sessions",
        "idle",
        (Line("KiB per session", lambda one: one.kib_each, goal=at_most(8)),),
    ),
)

if __name__ == "__main__":
    run(ROWS)
