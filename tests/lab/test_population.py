from __future__ import annotations

import stat
from pathlib import Path

from tinyqq.lab.population import Population


def test_load_when_saved_then_the_same(tmp_path: Path, population: Population) -> None:
    path = tmp_path / "population.json"
    population.save(path)
    assert Population.load(path) == population


def test_save_when_written_then_for_the_owner_only(tmp_path: Path, population: Population) -> None:
    path = tmp_path / "population.json"
    population.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
