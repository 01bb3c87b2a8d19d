from __future__ import annotations

import pytest
from tests.lab.conftest import Played

from tinyqq.lab.log_ins import LogIns


@pytest.mark.parametrize("by_password", [True, False])
async def test_run_when_on_the_floor_then_counts_log_ins(floor: Played, by_password: bool) -> None:
    plan = LogIns(by_password=by_password, clients=2, accounts=8, warm_up_s=0.0, seconds=0.5)
    outcome = await plan.run(floor.stage)
    assert outcome.count > 0
    assert outcome.figures["p50_ms"] <= outcome.figures["p99_ms"]
