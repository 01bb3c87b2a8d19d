"""What a node tells of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tinyqq.app.figures import SHOWN, OwnFigures
from tinyqq.app.history import History
from tinyqq.app.peers import Me
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.figures import LinkFigures
from tinyqq.model.ids import UnitId
from tinyqq.services.timing import Timing
from tinyqq.testing.clock import FakeClock

LINK = LinkFigures(UnitId("b"), 1, 2, 3, 4, 5)


async def passes() -> None:
    """The database answers."""


async def refuses() -> None:
    raise Unavailable(ErrorCode.UNAVAILABLE)


async def hangs() -> None:
    await asyncio.Event().wait()


def own(ping: Callable[[], Awaitable[None]] = passes) -> tuple[OwnFigures, History, FakeClock]:
    clock = FakeClock()
    history = History(
        sends=lambda: 1,
        deliveries=lambda: 2,
        sessions=lambda: 3,
        commits=Timing(),
        clock=clock,
    )
    parts = {
        part: lambda part=part: {name: len(part) for name in (*SHOWN[part], "another")}
        for part in SHOWN
    }
    made = OwnFigures(
        me=Me(UnitId("a"), "first"),
        clock=clock,
        history=history,
        parts=parts,
        states={"registry": lambda: "suspended"},
        ping=ping,
        links=lambda: (LINK,),
        ping_timeout_s=0.01,
    )
    return made, history, clock


async def test_tell_when_asked_then_everything_of_now() -> None:
    made, history, clock = own()
    clock.advance(7)
    for _ in range(3):
        history.sample()
    told = await made.tell(2)
    assert (told.unit_id, told.incarnation) == ("a", "first")
    assert (told.at_ms, told.up_s) == (clock.now_ms(), 7.0)
    assert told.states == {"storage": "ok", "registry": "suspended"}
    assert told.links == (LINK,)
    assert len(told.samples) == 2
    assert told.counters["gateway.sends_total"] == 7.0
    assert not any("another" in name for name in told.counters)


@pytest.mark.parametrize("ping", [refuses, hangs])
async def test_tell_when_the_database_is_away_then_said_in_time(
    ping: Callable[[], Awaitable[None]],
) -> None:
    made, _, _ = own(ping)
    assert (await made.tell(0)).states["storage"] == "away"
