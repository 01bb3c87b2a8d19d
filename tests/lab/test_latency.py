from __future__ import annotations

from tests.lab.conftest import Played

from tinyqq.lab.latency import FixedRate


async def test_run_when_on_the_floor_then_every_message_is_timed_once(floor: Played) -> None:
    outcome = await FixedRate(per_second=200, pairs=3, warm_up_s=0.05, seconds=0.1).run(floor.stage)
    assert (outcome.count, outcome.figures["count"], outcome.figures["lost"]) == (20, 20, 0)
    assert 0 < outcome.figures["p50_ms"] <= outcome.figures["max_ms"]
    assert floor.marks == ["begin", "end"]
