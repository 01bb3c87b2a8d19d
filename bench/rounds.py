"""The command line that all benchmark programs share: prepare, take turns, print."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.disk import describe_disk
from bench.rows import Measurement, Row, measure
from bench.shapes import Shapes
from bench.table import Pair, host_kind, machine, table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    rounds: int
    only: str
    with_floor: bool
    with_ours: bool
    directory: Path | None
    save: bool


def run(rows: tuple[Row, ...], *, save: bool = False, with_ours: bool = True) -> None:
    """Ask the questions of both servers, ``--rounds`` times in turn, and print the table."""
    wish = _wish(save, with_ours)
    chosen = [row for row in rows if wish.only in row.title]
    facts = f"{machine()}\n- {describe_disk(wish.directory)} before, "
    with tempfile.TemporaryDirectory(prefix="tinyqq-bench-", dir=wish.directory) as name:
        directory = Path(name)
        shapes = Shapes(directory)
        measured = [(row, _rounds(row, wish, shapes)) for row in chosen]
    facts += f"{describe_disk(wish.directory)} after"
    text = table(measured)
    print(f"\n{facts}\n- median of {wish.rounds} rounds (least–most)\n\n{text}")
    if wish.save:
        _save(facts, wish.rounds, text)


def _rounds(row: Row, wish: Wish, shapes: Shapes) -> list[Pair]:
    pairs: list[Pair] = []
    beside_plan = row.plan if row.beside_plan is None else row.beside_plan
    for number in range(1, wish.rounds + 1):
        beside = (
            _once(row, row.beside, beside_plan, shapes) if wish.with_floor and row.beside else None
        )
        ours = _once(row, row.ours, row.plan, shapes) if wish.with_ours else None
        pairs.append(Pair(ours, beside))
        said = [
            f"{name} {row.lines[0].value(one):,.2f}"
            for name, one in ((row.ours, ours), (row.beside, beside))
            if one is not None
        ]
        print(f"{row.title}, round {number}: {', '.join(said)} {row.lines[0].unit}", flush=True)
    return pairs


def _once(row: Row, which: str, plan: Mapping[str, Any], shapes: Shapes) -> Measurement:
    with shapes.serve(which, row.settings) as server:
        return measure(row, plan, server, shapes.population(which))


def _save(facts: str, rounds: int, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y-%m-%d')}-{host_kind()}.md"
    path.write_text(f"# Benchmark\n\n{facts}\n- median of {rounds} rounds (least–most)\n\n{text}\n")
    print(f"\nSaved as {path}")


def _wish(save: bool, with_ours: bool) -> Wish:
    parser = argparse.ArgumentParser(description="See bench/README.md.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose title holds this")
    parser.add_argument("--no-floor", action="store_true")
    parser.add_argument("--directory", type=Path, help="on the disk to be measured")
    parser.add_argument("--no-save", action="store_true")
    given = parser.parse_args()
    return Wish(
        rounds=given.rounds,
        only=given.only,
        with_floor=not given.no_floor,
        with_ours=with_ours,
        directory=given.directory,
        save=save and not given.no_save,
    )
