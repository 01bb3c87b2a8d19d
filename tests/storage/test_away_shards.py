"""A shard that does not answer is asked again, less and less often; told once, and once back."""

from __future__ import annotations

import pytest

from tinyqq.storage.away_shards import LONGEST_PAUSE, AwayShards

GONE = TimeoutError()


def pause(away: AwayShards, shard: int = 1) -> int:
    """How many questions are left out before the next."""
    left_out = 0
    while not away.may_ask(shard):
        left_out += 1
    return left_out


def test_may_ask_when_it_has_never_failed_then_always() -> None:
    away = AwayShards()
    assert (pause(away), away.is_away(1)) == (0, False)


def test_failed_then_asked_again_after_pauses_that_grow_to_a_bound() -> None:
    away = AwayShards()
    pauses = []
    for _ in range(7):
        away.failed(1, GONE)
        pauses.append(pause(away))
    assert pauses == [1, 2, 4, 8, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_failed_then_others_are_asked_as_before() -> None:
    away = AwayShards()
    away.failed(1, GONE)
    assert (away.is_away(1), away.is_away(0), pause(away, 0)) == (True, False, 0)


def test_answered_then_there_and_the_next_pause_is_short_again() -> None:
    away = AwayShards()
    for _ in range(3):
        away.failed(1, GONE)
    away.answered(1)
    assert (away.is_away(1), pause(away)) == (False, 0)
    away.failed(1, GONE)
    assert pause(away) == 1


def test_away_then_told_once_and_when_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="tinyqq.storage.away_shards")
    away = AwayShards()
    for _ in range(3):
        away.failed(0, GONE)
    for _ in range(2):
        away.answered(0)
    assert [one.message for one in caplog.records] == ["shard.away", "shard.there"]
