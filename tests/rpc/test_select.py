"""Which node gets a call, which a conversation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.ports.registry import Node
from tinyqq.rpc.select import (
    FIRST_AT_A_TIME,
    FIRST_PENALTY_S,
    LAST_PENALTY_S,
    WARM_AFTER_S,
    Pick,
    Selector,
    place,
    seed_of,
)

A, B, C = (UnitId(name) for name in "abc")
NOW = 100.0


def node(unit_id: UnitId, load: float = 0.0, incarnation: str = "1") -> Node:
    return Node(unit_id, incarnation, frozenset({"user"}), "", "", "", load, internal="h:1")


def selector(*nodes: Node, now: float = NOW) -> Selector:
    one = Selector()
    one.update(nodes, now)
    return one


def draw(seed: int = 1) -> Any:
    return random.Random(seed).randrange


def picked(one: Selector, now: float = NOW, **how: Any) -> Pick:
    pick = one.pick(now, how.pop("draw", draw()), **how)
    assert pick is not None
    return pick


def counted(one: Selector, calls: int, *, now: float = NOW, keep: bool = False) -> Counter[UnitId]:
    """Who gets how many of *calls*, each done at once unless they are to be kept."""
    chance, counts = draw(), Counter[UnitId]()
    for _ in range(calls):
        pick = picked(one, now, draw=chance)
        counts[pick.unit_id] += 1
        if not keep:
            one.done(pick, now, failed=False)
    return counts


# ---- by load -------------------------------------------------------------------------------------


def test_pick_when_there_is_no_node_then_none() -> None:
    assert selector().pick(NOW, draw()) is None


def test_pick_when_all_are_alike_then_shared_out_evenly() -> None:
    counts = counted(selector(node(A), node(B), node(C)), 3000, keep=True)
    assert all(900 < counts[unit_id] < 1100 for unit_id in (A, B, C))


@given(st.floats(0.4, 1.0), st.floats(0.4, 1.0), st.integers(0, 20), st.integers(0, 2**32))
@settings(max_examples=40)
def test_pick_when_a_new_node_joins_two_loaded_ones_then_it_gets_most_calls_at_once(
    load_a: float, load_b: float, in_flight: int, seed: int
) -> None:
    one = selector(node(A, load_a), node(B, load_b))
    for _ in range(in_flight):
        picked(one)
    one.update([node(A, load_a), node(B, load_b), node(C)], NOW + 1)
    chance, counts = draw(seed), Counter[UnitId]()
    for _ in range(600):
        pick = picked(one, NOW + 1, draw=chance)
        counts[pick.unit_id] += 1
        one.done(pick, NOW + 1, failed=False)
    assert counts[C] > 300


def test_pick_when_a_node_is_new_then_it_is_warmed_up() -> None:
    one = selector(node(A, 0.9), node(B, 0.9))
    everybody = [node(A, 0.9), node(B, 0.9), node(C)]
    one.update(everybody, NOW)
    assert counted(one, 300, keep=True)[C] == FIRST_AT_A_TIME
    more = counted(one, 300, now=NOW + 1, keep=True)[C]
    assert more == FIRST_AT_A_TIME
    assert counted(one, 300, now=NOW + WARM_AFTER_S, keep=True)[C] > 100


def test_pick_when_only_the_new_node_is_there_then_it_takes_all() -> None:
    one = selector(node(A))
    one.update([node(B)], NOW + 1)
    assert counted(one, 100, now=NOW + 1, keep=True) == {B: 100}


def test_update_when_a_node_started_again_then_it_is_new() -> None:
    one = selector(node(A), node(B))
    pick = picked(one, draw=lambda _: 0)
    one.update([node(A, incarnation="2"), node(B)], NOW + 1)
    one.done(pick, NOW + 1, failed=True)
    assert one.figures(NOW + 1)[A] == {"in_flight": 0, "load": 0.0, "open": 1.0}


def test_update_when_a_node_goes_then_it_gets_nothing() -> None:
    one = selector(node(A), node(B))
    one.update([node(B)], NOW)
    assert counted(one, 50) == {B: 50}


def test_pick_when_a_node_is_to_be_avoided_then_another() -> None:
    one = selector(node(A), node(B))
    assert {picked(one, avoid=[A]).unit_id for _ in range(20)} == {B}
    assert one.pick(NOW, draw(), avoid=[A, B]) is None


# ---- failures ------------------------------------------------------------------------------------


def fail(one: Selector, unit_id: UnitId, now: float = NOW) -> None:
    others = [other for other in (A, B, C) if other != unit_id]
    one.done(picked(one, now, avoid=others), now, failed=True)


@given(st.integers(0, 2**32), st.floats(0, FIRST_PENALTY_S * 0.99))
@settings(max_examples=40)
def test_pick_when_a_node_has_failed_then_it_gets_none_until_its_time(
    seed: int, later_s: float
) -> None:
    one = selector(node(A), node(B, 1.0), node(C, 1.0))
    fail(one, A)
    chance = draw(seed)
    for _ in range(100):
        assert picked(one, NOW + later_s, draw=chance).unit_id != A


def test_pick_when_its_time_has_come_then_one_probe_at_a_time() -> None:
    one = selector(node(A))
    fail(one, A)
    assert one.wait_s(NOW) == FIRST_PENALTY_S
    later = NOW + FIRST_PENALTY_S
    probe = picked(one, later)
    assert probe.is_probe
    assert one.pick(later, draw()) is None
    one.done(probe, later, failed=False)
    assert not picked(one, later).is_probe
    assert one.pick(later, draw()) is not None


def test_done_when_the_probe_fails_then_a_longer_wait_up_to_the_last() -> None:
    one, now, waits = selector(node(A)), NOW, []
    for _ in range(7):
        fail(one, A, now)
        waits.append(one.wait_s(now))
        now += waits[-1]
    assert waits[:3] == [FIRST_PENALTY_S, 2 * FIRST_PENALTY_S, 4 * FIRST_PENALTY_S]
    assert waits[-1] == LAST_PENALTY_S


def test_done_when_several_fail_together_then_one_failure() -> None:
    one = selector(node(A))
    picks = [picked(one) for _ in range(5)]
    for pick in picks:
        one.done(pick, NOW, failed=True)
    assert one.wait_s(NOW) == FIRST_PENALTY_S


def test_done_when_nobody_waited_for_the_probe_then_another_may_go() -> None:
    one = selector(node(A))
    fail(one, A)
    later = NOW + FIRST_PENALTY_S
    one.done(picked(one, later), later, failed=None)
    assert picked(one, later).is_probe


def test_done_when_a_failed_node_answers_then_it_is_warmed_up_again() -> None:
    one = selector(node(A), node(B, 0.9))
    fail(one, A)
    later = NOW + FIRST_PENALTY_S
    probe = picked(one, later, avoid=[B])
    one.done(probe, later, failed=False)
    assert counted(one, 200, now=later, keep=True)[A] == FIRST_AT_A_TIME


@given(st.lists(st.tuples(st.sampled_from("pdfnu"), st.floats(0, 2)), max_size=60))
@settings(max_examples=60)
def test_selector_when_anything_happens_then_its_figures_stay_sane(
    steps: Sequence[tuple[str, float]],
) -> None:
    one, now, picks, chance = selector(node(A), node(B)), NOW, list[Pick](), draw()
    for step, seconds in steps:
        now += seconds
        if step == "p" and (pick := one.pick(now, chance)) is not None:
            picks.append(pick)
        elif step == "u":
            one.update([node(A, 0.5), node(B), node(C, 1.0)], now)
        elif picks:
            one.done(picks.pop(), now, failed={"d": False, "f": True}.get(step))
        figures = one.figures(now)
        assert sum(each["in_flight"] for each in figures.values()) == len(picks)
        assert 0 <= one.wait_s(now) <= LAST_PENALTY_S


# ---- conversations -------------------------------------------------------------------------------

_units = st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=8, unique=True).map(
    lambda names: [UnitId(name) for name in names]
)


def placed(units: Sequence[UnitId], **unanswered: int) -> dict[int, UnitId]:
    seeds = {unit_id: seed_of(unit_id) for unit_id in units}
    busy = {UnitId(name): count for name, count in unanswered.items()}
    places = {one: place(ConversationId(one), seeds, busy) for one in range(10_000, 10_300)}
    return {one: unit_id for one, unit_id in places.items() if unit_id is not None}


def test_place_when_there_is_no_node_then_none() -> None:
    assert place(ConversationId(10_000), {}, {}) is None


@given(_units)
@settings(max_examples=20)
def test_place_when_a_node_goes_then_only_its_conversations_move(units: list[UnitId]) -> None:
    before, after = placed(units), placed(units[1:])
    moved = {one for one in before if before[one] != after[one]}
    assert moved == {one for one, unit_id in before.items() if unit_id == units[0]}


def test_place_when_nodes_are_alike_then_each_gets_its_part() -> None:
    counts = Counter(placed((A, B, C)).values())
    assert all(60 < count < 140 for count in counts.values())


def test_place_when_asked_in_another_order_then_the_same() -> None:
    assert placed((A, B, C)) == placed((C, A, B))


def test_place_when_a_node_is_overloaded_then_it_gets_no_new_conversation() -> None:
    assert A not in placed((A, B, C), a=1000, b=10, c=10).values()


def test_place_when_a_node_is_overloaded_then_the_others_keep_theirs() -> None:
    before, after = placed((A, B, C)), placed((A, B, C), a=1000, b=10, c=10)
    assert all(after[one] == unit_id for one, unit_id in before.items() if unit_id != A)


def test_place_when_all_are_equally_busy_then_as_without_load() -> None:
    assert placed((A, B), a=5000, b=5000) == placed((A, B))
