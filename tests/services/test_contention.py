"""Contention: short pauses for both, and none where nobody else writes."""

from __future__ import annotations

from tests.support.lane_fixtures import ANN_BOB, ANN_EVE, GROUP

from tinyqq.services.contention import (
    LONGEST_YIELD_S,
    LOST_S,
    TRUST_S,
    YIELD_APPENDS,
    YIELD_S,
    Contention,
)


def contention(look_every_s: float = 0.0) -> Contention:
    return Contention(draw=lambda: 0.5, look_every_s=look_every_s)


def test_lost_then_a_short_pause() -> None:
    assert contention().lost(ANN_BOB, 0.0) == LOST_S / 2


def test_won_when_nobody_else_was_seen_then_no_pause() -> None:
    assert contention().won([ANN_BOB], 0.0) == []


def test_won_after_a_loss_then_left_to_the_other() -> None:
    contest = contention()
    contest.lost(ANN_BOB, 0.0)
    assert contest.won([ANN_BOB, GROUP], 0.1) == [(ANN_BOB, YIELD_S * 0.75)]


def test_trim_when_the_last_loss_is_long_ago_then_over() -> None:
    contest = contention()
    contest.lost(ANN_BOB, 0.0)
    contest.lost(GROUP, 0.5)
    contest.trim(TRUST_S + 0.1)
    assert len(contest) == 1
    assert contest.won([ANN_BOB], TRUST_S + 0.1) == []


def test_losing_since_then_the_first_loss_after_the_last_win() -> None:
    contest = contention()
    assert contest.losing_since_s(ANN_BOB) is None
    for now_s in (1.0, 1.5):
        contest.lost(ANN_BOB, now_s)
    assert contest.losing_since_s(ANN_BOB) == 1.0
    contest.won([ANN_BOB], 1.6)
    assert contest.losing_since_s(ANN_BOB) is None
    contest.lost(ANN_BOB, 1.7)
    assert contest.losing_since_s(ANN_BOB) == 1.7


def test_won_again_and_again_then_now_and_then_a_look_whether_somebody_waits() -> None:
    contest = contention(look_every_s=1.0)
    assert contest.won([ANN_BOB, ANN_EVE], 0.0) == []
    assert contest.won([ANN_BOB, GROUP], 0.5) == []
    assert contest.won([ANN_BOB, ANN_EVE], 1.0) == [(ANN_BOB, YIELD_S * 0.75)]
    assert contest.won([ANN_BOB, ANN_EVE], 1.5) == []


def test_won_when_appends_are_slow_then_left_to_the_other_for_longer() -> None:
    contest = contention()
    contest.lost(ANN_BOB, 0.0)
    assert contest.won([ANN_BOB], 0.1, 0.05) == [(ANN_BOB, YIELD_APPENDS * 0.05 * 0.75)]
    assert contest.won([ANN_BOB], 0.9, 60.0) == [(ANN_BOB, LONGEST_YIELD_S * 0.75)]


def test_look_when_appends_are_slow_then_it_still_takes_little_of_the_time() -> None:
    contest = contention(look_every_s=0.25)
    contest.won([ANN_BOB], 0.0, 0.05)
    assert contest.won([ANN_BOB], 1.9, 0.05) == []
    assert len(contest.won([ANN_BOB], 2.1, 0.05)) == 1


def test_losses_when_it_was_first_in_between_then_counted_on_until_it_is_over() -> None:
    contest = contention()
    contest.lost(ANN_BOB, 0.0)
    contest.won([ANN_BOB], 0.1)
    contest.lost(ANN_BOB, 0.2)
    assert (contest.losses(ANN_BOB), contest.losses(GROUP)) == (2, 0)
    contest.trim(TRUST_S + 0.3)
    assert contest.losses(ANN_BOB) == 0
