from __future__ import annotations

from tests.lab.conftest import Played

from tinyqq.lab.drain import Drain


async def test_run_when_on_the_floor_then_every_page_is_read(floor: Played) -> None:
    outcome = await Drain(messages=1_200, rounds=2, text_bytes=5).run(floor.stage)
    assert outcome.count >= 2_400
    assert outcome.figures["lost"] == 0
    assert outcome.figures["drain_s"] > 0
