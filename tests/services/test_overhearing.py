"""Overhearing: everything passes, and the lane learns."""

from __future__ import annotations

from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, RecordingDelivery, Sender, log_of_friends

from tinyqq.model.account import KickReason
from tinyqq.model.ids import OperationId, Seq, SessionId
from tinyqq.model.message import Entry, Kind, Typing
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.services.lane import Lane
from tinyqq.services.overhearing import Overhearing
from tinyqq.testing.clock import FakeClock


class Unit:
    """Remembers what came."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.push = self.hint = self.kick = self.seen.extend


async def test_push_hint_and_kick_then_passed_on_and_heads_learned() -> None:
    log, unit = log_of_friends(), Unit()
    async with Lane(log=log, delivery=RecordingDelivery(), clock=FakeClock()) as lane:
        sender, overhearing = Sender(lane), Overhearing(unit=unit, lane=lane)
        sender.send()
        await sender.wait(1)
        entry = Entry(ANN_BOB, Seq(2), 2, BOB, OperationId(bytes(16)), 1, Kind.TEXT, b"")
        await log.append([entry], [])
        push = Push(ANN_BOB, Seq(2), BOB, Kind.TEXT, b"", Seq(0), Seq(0), (), (), SessionId(0))
        hint = Hint((ANN,), Typing(ANN_BOB, BOB), SessionId(0))
        kick = Kick(ANN, KickReason.LOGGED_OUT, None, None, SessionId(0), "")
        overhearing.push([push])
        overhearing.hint([hint])
        overhearing.kick([kick])
        sender.send()
        assert await sender.seqs(2) == [1, 3]
        assert lane.counters()["lane_failures_total"] == 0
    assert unit.seen == [push, hint, kick]
