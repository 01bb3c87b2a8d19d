"""From measurements to a table that says whether the goals are met."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.rows import Goal, Line, Measurement, Row
from bench.server import can_pin

_HEAD = ("question", "figure", "ours", "beside it", "ratio", "must reach", "")
_BUSY = 0.9


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: ours and what is beside it, one after the other."""

    ours: Measurement | None
    beside: Measurement | None


def table(measured: list[tuple[Row, list[Pair]]]) -> str:
    """All rows as a Markdown table; each figure is the median of its rounds."""
    rows = [_HEAD, tuple("-" * 3 for _ in _HEAD)]
    for row, pairs in measured:
        rows.append((row.title, "", row.ours, row.beside, "", "", ""))
        for line in row.lines:
            rows.append(("", *_cells(line, pairs)))
        rows.append(("", "generator's core in use", *_busy(pairs), "", "", ""))
        rows.append(("", "cores busy with other work", *_others(pairs), "", "", ""))
        if faults := {one for pair in pairs for one in _faults(pair)}:
            rows.append(("", "FAULTS: " + "; ".join(sorted(faults)), "", "", "", "", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def machine() -> str:
    """What was measured on, and how noisy it was."""
    processor = platform.processor() or platform.machine()
    if sys.platform == "linux":
        names = [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ]
        processor = names[0] if names else processor
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    pinned = "server on core 0, generator on core 1" if can_pin() else "processes not pinned"
    load = ", ".join(f"{one:.2f}" for one in os.getloadavg())
    return "\n".join(
        (
            f"- {time.strftime('%Y-%m-%d %H:%M')}, commit {commit or 'unknown'}",
            f"- {os.cpu_count()} × {processor}, {psutil.virtual_memory().total / 2**30:.0f} GiB",
            f"- {platform.platform()}, CPython {platform.python_version()},"
            f" SQLite {sqlite3.sqlite_version}",
            f"- {pinned}; load average {load} before the first round",
        )
    )


def host_kind() -> str:
    """A short name of this kind of machine, for the name of a file."""
    return f"{os.cpu_count()}x-{platform.machine()}-{sys.platform}".lower()


def _cells(line: Line, pairs: list[Pair]) -> tuple[str, ...]:
    ours = [line.value(pair.ours) for pair in pairs if pair.ours]
    floors = [line.value(pair.beside) for pair in pairs if pair.beside]
    ratios = [one / floor for one, floor in zip(ours, floors, strict=False) if floor]
    checks: list[tuple[Goal, str, float]] = []
    if line.goal and ours:
        checks.append((line.goal, "", statistics.median(ours)))
    if line.ratio_goal and ratios:
        checks.append((line.ratio_goal, "ratio ", statistics.median(ratios)))
    return (
        line.unit,
        _spread(ours),
        _spread(floors),
        _number(statistics.median(ratios)) if ratios else "–",
        ", ".join(f"{what}{goal}" for goal, what, _ in checks),
        ", ".join("met" if goal.is_met(value) else "MISSED" for goal, _, value in checks),
    )


def _spread(values: list[float]) -> str:
    """The median, and how far the rounds lay apart."""
    if not values:
        return "–"
    middle = _number(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({_number(min(values))}–{_number(max(values))})"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _busy(pairs: list[Pair]) -> tuple[str, str]:
    return _share([pair.ours for pair in pairs]), _share([pair.beside for pair in pairs])


def _others(pairs: list[Pair]) -> tuple[str, str]:
    return (
        _spread([pair.ours.others_busy for pair in pairs if pair.ours]),
        _spread([pair.beside.others_busy for pair in pairs if pair.beside]),
    )


def _share(measurements: list[Measurement | None]) -> str:
    busy = max((one.generator_busy for one in measurements if one), default=0.0)
    return f"{busy:.0%}" + (" (its limit)" if busy > _BUSY else "")


def _faults(pair: Pair) -> list[str]:
    found = [("ours", pair.ours), ("beside it", pair.beside)]
    return [f"{name} {one.faults}" for name, one in found if one is not None and one.faults]
