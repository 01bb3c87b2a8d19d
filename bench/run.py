"""Every question in one run; the table is kept in ``bench/results``."""

from __future__ import annotations

from bench import drain, fan_out, idle, latency, log_ins, one_to_one, units
from bench.rounds import run

ROWS = (
    *one_to_one.ROWS,
    *latency.ROWS,
    *fan_out.ROWS,
    *idle.ROWS,
    *log_ins.ROWS,
    *drain.ROWS,
    *units.ROWS,
)


def main() -> None:
    """``make bench``."""
    run(ROWS, save=True)


if __name__ == "__main__":
    main()
