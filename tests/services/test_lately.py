"""Where somebody was lately: told while it is young, forgotten afterwards, bounded."""

from __future__ import annotations

import pytest

from tinyqq.model.ids import UnitId
from tinyqq.services.lately import Lately

HERE = frozenset({UnitId("here")})
THERE = frozenset({UnitId("there")})


def lately() -> Lately[int]:
    return Lately(max_age_s=10.0, max_entries=3)


def test_find_when_never_asked_for_then_not_known() -> None:
    assert lately().find(1, 0.0) is None


def test_find_when_presence_has_found_them_or_not_then_its_answer() -> None:
    known = lately()
    known.learn([1, 2], {1: HERE}, 0.0)
    assert (known.find(1, 1.0), known.find(2, 1.0)) == (HERE, frozenset())


def test_learn_when_they_have_moved_then_the_newer_answer() -> None:
    known = lately()
    known.learn([1], {1: HERE}, 0.0)
    known.learn([1], {1: THERE}, 7.0)
    assert known.find(1, 8.0) == THERE


@pytest.mark.parametrize("asked_s", [(), (6.0,), (1.0, 6.0, 9.0)])
def test_find_when_the_answer_is_old_then_no_longer_known(asked_s: tuple[float, ...]) -> None:
    known = lately()
    known.learn([1], {1: HERE}, 0.0)
    known.learn([3], {}, 5.0)
    for at_s in asked_s:
        known.learn([2], {}, at_s)
    assert known.find(1, 10.5) is None


def test_find_when_asked_in_the_meantime_then_it_does_not_live_longer() -> None:
    known = lately()
    known.learn([1], {1: HERE}, 0.0)
    assert [known.find(1, float(at_s)) for at_s in range(2, 14, 2)] == [HERE] * 5 + [None]


def test_learn_when_there_are_many_then_the_oldest_are_forgotten() -> None:
    known = lately()
    for number in range(20):
        known.learn([number], {number: HERE}, 0.0)
    assert [number for number in range(20) if known.find(number, 0.0)] == [16, 17, 18, 19]
