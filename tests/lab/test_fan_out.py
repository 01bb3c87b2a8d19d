from __future__ import annotations

from tests.lab.conftest import Played

from tinyqq.lab.fan_out import FanOut


async def test_run_when_on_the_floor_then_everybody_but_the_sender_gets_it(floor: Played) -> None:
    outcome = await FanOut(members=5, senders=2, warm_up_s=0.0, seconds=0.05).run(floor.stage)
    assert outcome.count > 0
    assert outcome.figures == {"lost": 0, "refused": 0}
