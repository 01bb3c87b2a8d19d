from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.lab.conftest import Played

from tinyqq.lab.generator import SCENARIOS


async def test_main_when_ordered_by_a_line_then_plays_and_tells(
    floor: Played, tmp_path: Path
) -> None:
    population = tmp_path / "population.json"
    floor.stage.population.save(population)
    order = {
        "scenario": "one_to_one",
        "plan": {"pairs": 1, "window": 1, "warm_up_s": 0.0, "seconds": 0.5},
        "targets": [[floor.stage.target.host, floor.stage.target.port]],
        "directory": "",
        "population": str(population),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tinyqq.lab.generator",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate(json.dumps(order).encode() + b"\n")
    lines = [json.loads(line) for line in said.splitlines()]
    assert process.returncode == 0
    assert lines[:2] == [{"mark": "begin"}, {"mark": "end"}]
    assert lines[2]["outcome"]["count"] > 0


def test_scenarios_when_listed_then_each_has_a_run() -> None:
    assert all(callable(scenario.run) for scenario in SCENARIOS.values())
