from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.app.build import build
from tinyqq.app.settings import Settings
from tinyqq.clock import SystemClock
from tinyqq.lab.outage import Flow, Outage, figures
from tinyqq.lab.population import PasswordCost
from tinyqq.lab.prepare import prepare
from tinyqq.lab.stage import Stage
from tinyqq.storage.open import open_storage


def test_gap_when_silent_over_the_stroke_then_that_silence() -> None:
    assert Flow(4, [0.0, 3.0, 4.0, 4.5]).gap_s(3.5) == 1.0


def test_gap_when_nothing_came_after_the_stroke_then_endless() -> None:
    assert Flow(2, [0.0, 1.0]).gap_s(2.0) == float("inf")


def test_figures_when_some_were_hit_then_their_middle_and_the_longest() -> None:
    flows = [Flow(2, [0.0, gap]) for gap in (0.1, 2.0, 3.0, 4.0)] + [Flow(3, [0.0, 1.0])]
    assert figures(flows, 0.0, 1.5) == {"hit": 3, "gap_p50_s": 3.0, "gap_max_s": 4.0, "lost": 1}


@pytest.mark.slow
async def test_run_when_nothing_happens_then_nobody_is_cut_off(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "listen": {"tcp_port": 0, "http_port": 0},
            "accounts": {"argon2_memory_kib": 8, "argon2_passes": 1},
        }
    )
    async with open_storage(settings.database) as storage:
        population = await prepare(
            accounts=storage.accounts,
            log_writer=storage.log_writer,
            clock=SystemClock(),
            people=4,
            pairs=2,
            members=0,
            cost=PasswordCost(memory_kib=8, passes=1),
        )
    marks: list[str] = []
    async with build(settings) as app:
        stage = Stage((), population, marks.append, app.http_url)
        outage = Outage("kill", pairs=2, before_s=0.1, after_s=0.3)
        outcome = await outage.run(stage)
    assert marks == ["begin", "kill", "end"]
    assert outcome.figures["lost"] == 0
    assert outcome.figures["gap_max_s"] < 5
