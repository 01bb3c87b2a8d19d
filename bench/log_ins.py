"""How many log-ins a second?"""

from __future__ import annotations

from bench.rounds import run
from bench.rows import Line, Row, figure


def _row(title: str, by_password: bool) -> Row:
    return Row(
        title,
        "log_ins",
        (
            Line("log-ins/s", lambda one: one.per_second),
            Line("ms, p99", figure("p99_ms")),
            Line("server µs per log-in", lambda one: one.cpu_us_each),
        ),
        {"by_password": by_password},
    )


ROWS = (
    _row("log-ins by password (Argon2id 19 MiB × 2)", True),
    _row("log-ins by token", False),
)

if __name__ == "__main__":
    run(ROWS)
