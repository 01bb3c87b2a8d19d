"""What does a message to a group of 200 cost?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Line, Row, at_most

ROWS = (
    Row(
        "group of 200, 8 senders, one in flight each",
        "fan_out",
        (
            Line("deliveries/s", lambda one: one.per_second),
            Line("server µs per delivery", lambda one: one.cpu_us_each, goal=at_most(8)),
        ),
    ),
)

if __name__ == "__main__":
    run(ROWS)
