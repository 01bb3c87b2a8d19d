from __future__ import annotations

from tests.lab.conftest import Played

from tinyqq.lab.idle import Idle


async def test_run_when_on_the_floor_then_counts_the_later_sessions(floor: Played) -> None:
    outcome = await Idle(sessions=5, first=3, settle_s=0.0).run(floor.stage)
    assert outcome.count == 5
    assert floor.marks == ["begin", "end"]
