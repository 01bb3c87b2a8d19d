"""What was pushed lately, by turns."""

from __future__ import annotations

from tests.support.gateway import ANN, BOB, entry_push

from tinyqq.gateway.pushed import Pushed
from tinyqq.model.ids import (
    GroupId,
    Seq,
    direct_conversation,
    group_conversation,
    own_conversation,
)

CHAT = direct_conversation(ANN, BOB)
FIRST = Seq(1)


def pushed(*seqs: int, max_keys: int = 100) -> Pushed:
    made = Pushed(max_keys=max_keys)
    made.add(entry_push(CHAT, seq) for seq in seqs)
    return made


def test_has_when_pushed_then_this_seq_of_this_conversation() -> None:
    made = pushed(1, 2)
    assert made.has(CHAT, FIRST)
    assert not made.has(CHAT, Seq(3))
    assert not made.has(own_conversation(ANN), FIRST)
    assert not made.has(group_conversation(GroupId(20_000)), FIRST)


def test_turn_when_it_is_kept_then_still_known() -> None:
    made = pushed(1)
    assert made.turn(0) == 1
    made.add([entry_push(CHAT, 2)])
    assert made.turn(0) == 2
    assert made.has(CHAT, FIRST)
    assert made.has(CHAT, Seq(2))


def test_turn_when_it_is_over_then_forgotten() -> None:
    made = pushed(1)
    made.turn(0)
    made.add([entry_push(CHAT, 2)])
    made.turn(1)
    assert not made.has(CHAT, FIRST)
    assert made.has(CHAT, Seq(2))


def test_turn_when_there_is_too_much_then_the_oldest_are_forgotten() -> None:
    made = pushed(1, 2, max_keys=3)
    made.turn(0)
    made.add(entry_push(CHAT, seq) for seq in (3, 4))
    made.turn(0)
    assert not made.has(CHAT, FIRST)
    assert made.has(CHAT, Seq(3))
    assert len(made) == 2
