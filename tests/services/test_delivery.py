"""Fan-out: what is delivered reaches the unit, in order."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.lane_fixtures import ANN

from tinyqq.model.account import KickReason
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, Seq, SessionId
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.services.delivery import DeliveryService


class Unit:
    """A unit that remembers what it was handed."""

    def __init__(self) -> None:
        self.got: list[object] = []

    def push(self, pushes: Sequence[Push]) -> None:
        self.got += pushes

    def hint(self, hints: Sequence[Hint]) -> None:
        self.got += hints

    def kick(self, kicks: Sequence[Kick]) -> None:
        self.got += kicks


def test_everything_then_reaches_the_unit_in_order() -> None:
    unit = Unit()
    delivery = DeliveryService(local=unit)
    push = Push(
        ConversationId(20001), Seq(1), ANN, 1, b"", Seq(0), Seq(0), (), (), SessionId(0)
    )  # fmt: skip
    hint = Hint((ANN,), PresenceChanged(ANN, online=True), SessionId(0))
    kick = Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "")
    delivery.push([push])
    delivery.hint(hint)
    delivery.kick(kick)
    assert unit.got == [push, hint, kick]
