"""How many durable messages a second between pairs of friends?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Line, Row, at_least, at_most

ROWS = (
    Row(
        "one-to-one, 100 pairs × 10 in flight",
        "one_to_one",
        (
            Line(
                "messages/s",
                lambda one: one.per_second,
                goal=at_least(12_000),
                ratio_goal=at_least(0.18),
            ),
            Line("server µs per message", lambda one: one.cpu_us_each, goal=at_most(80)),
        ),
        {"pairs": 100, "window": 10},
    ),
)

if __name__ == "__main__":
    run(ROWS)
