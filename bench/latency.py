"""How long from send to receive at a fixed rate?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Goal, Line, Row, at_most, figure


def _row(per_second: int, p99_goal: Goal | None) -> Row:
    return Row(
        f"latency at {per_second:,} messages/s",
        "fixed_rate",
        (
            Line("ms, p50", figure("p50_ms")),
            Line("ms, p99", figure("p99_ms"), goal=p99_goal),
            Line("ms, p99.9", figure("p999_ms")),
            Line("server µs per message", lambda one: one.cpu_us_each),
        ),
        {"per_second": per_second, "seconds": 10.0},
    )


ROWS = (_row(500, at_most(5)), _row(5_000, None))

if __name__ == "__main__":
    run(ROWS)
