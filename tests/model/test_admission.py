"""Log-ins one after the other, as fast as they can be served."""

from __future__ import annotations

from tinyqq.model.admission import MAX_WAIT_S, Admission, Slots


def test_slots_when_calm_then_nobody_waits() -> None:
    slots = Slots(burst_s=1.0)
    assert [slots.take(second, 2.0) for second in range(10)] == [0.0] * 10


def test_slots_when_many_come_then_a_burst_and_then_one_after_the_other() -> None:
    slots = Slots(burst_s=1.0)
    assert [slots.take(100.0, 2.0) for _ in range(6)] == [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]


def test_slots_when_the_rate_changes_then_it_holds_from_now_on() -> None:
    slots = Slots(burst_s=0.0)
    assert [slots.take(0.0, rate) for rate in (1.0, 10.0, 10.0)] == [0.0, 1.0, 1.1]


def test_slots_when_there_is_no_rate_then_nobody_waits() -> None:
    slots = Slots(burst_s=0.0)
    assert [slots.take(0.0, 0.0) for _ in range(5)] == [0.0] * 5


def test_slots_when_flooded_then_the_wait_is_bounded_and_ends_with_the_flood() -> None:
    slots = Slots(burst_s=0.0)
    for _ in range(10_000):
        assert slots.take(0.0, 10.0) <= MAX_WAIT_S
    assert slots.take(2 * MAX_WAIT_S, 10.0) == 0.0


def test_admission_when_calm_then_everybody_comes_in() -> None:
    admission = Admission(rate_per_s=2.0)
    assert [admission.take(second / 2) for second in range(20)] == [0.0] * 20


def test_admission_when_a_herd_comes_then_a_burst_and_the_others_at_moments_of_their_own() -> None:
    admission = Admission(rate_per_s=10.0)
    waits = [admission.take(0.0) for _ in range(30)]
    assert waits[:10] == [0.0] * 10
    later = waits[10:]
    assert min(later) > 0
    assert len(set(later)) == 20


def test_admission_when_the_herd_comes_back_as_told_then_all_are_in_soon() -> None:
    admission = Admission(rate_per_s=10.0)
    due = sorted((0.0, number) for number in range(100))
    came_in: list[float] = []
    for _ in range(1_000):
        if not due:
            break
        now_s, number = due.pop(0)
        wait_s = admission.take(now_s)
        if wait_s:
            due = sorted([*due, (now_s + wait_s, number)])
        else:
            came_in.append(now_s)
    assert len(came_in) == 100
    assert came_in[-1] <= 15.0
    for start in range(15):
        assert sum(start <= moment < start + 1 for moment in came_in) <= 20


def test_admission_when_there_is_no_rate_then_everybody_comes_in() -> None:
    admission = Admission(rate_per_s=0.0)
    assert [admission.take(0.0) for _ in range(1_000)] == [0.0] * 1_000


def test_admission_when_the_rate_is_below_one_then_still_one_at_a_time() -> None:
    admission = Admission(rate_per_s=0.5)
    assert admission.take(0.0) == 0.0
    assert admission.take(0.0) > 0.0
    assert admission.take(2.0) == 0.0
