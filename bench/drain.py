"""How long does a client take to catch up?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Line, Row, at_most, figure

ROWS = (
    Row(
        "5,000 offline messages drained by one client",
        "drain",
        (
            Line("s", figure("drain_s"), goal=at_most(0.5)),
            Line("server µs per message", lambda one: one.cpu_us_each),
        ),
    ),
)

if __name__ == "__main__":
    run(ROWS)
