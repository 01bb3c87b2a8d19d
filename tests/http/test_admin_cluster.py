"""The cluster as administrators see it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.admin_api import Cluster, answer_all, figures_of, node

from tinyqq.errors import ErrorCode, NotFound, Unavailable
from tinyqq.http.admin_cluster import SHOWN_GONE_MS, Departed
from tinyqq.model.figures import LinkFigures, NodeFigures
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.testing.clock import FakeClock

A, B = node("a"), node("b")


@given(st.lists(st.frozensets(st.sampled_from("abcd")), max_size=12))
def test_departed_when_nodes_come_and_go_then_who_is_gone_is_shown_since_then(
    pictures: list[frozenset[str]],
) -> None:
    departed = Departed()
    since: dict[str, int] = {}
    before: frozenset[str] = frozenset()
    for now_ms, names in enumerate(pictures):
        departed.see([node(name) for name in names], now_ms)
        since |= dict.fromkeys(before - names, now_ms)
        since = {name: at for name, at in since.items() if name not in names}
        before = names
    found = {one.node.unit_id: one.since_ms for one in departed.lately(len(pictures))}
    assert found == since


def test_departed_when_long_ago_then_forgotten() -> None:
    departed = Departed()
    departed.see([A], 0)
    departed.see([], 10)
    assert departed.lately(10 + SHOWN_GONE_MS)
    assert not departed.lately(11 + SHOWN_GONE_MS)
    assert not departed.lately(11)


def test_departed_when_very_many_go_then_the_first_are_forgotten() -> None:
    departed = Departed()
    departed.see([node(f"n{number:03}") for number in range(150)], 0)
    departed.see([], 1)
    assert len(departed.lately(1)) == 100


async def test_picture_when_looked_at_then_nodes_with_what_they_tell() -> None:
    link = LinkFigures(UnitId("b"), 1, 2, 3, 0, 0)

    async def ask(one: Node, samples: int) -> NodeFigures:
        return figures_of(one, counters={"gateway.sends_total": 7.0}, links=(link,))

    cluster = Cluster(replace(A, sessions=3), B, ask=ask)
    assert cluster.view.picture()["nodes"][0]["figures"] is None
    await cluster.view.look()
    first, second = cluster.view.picture()["nodes"]
    assert (first["unit"], first["sessions"], first["roles"]) == ("a", 3, ["chat", "proxy"])
    assert first["figures"]["counters"] == {"gateway.sends_total": 7.0}
    assert first["figures"]["links"] == [
        {"to": "b", "deliveries": 1, "sends": 2, "calls": 3, "breaks": 0, "waiting": 0}
    ]
    assert second["silent_since_ms"] is None


async def test_picture_when_a_node_is_silent_then_since_when_and_what_it_told_last() -> None:
    clock, silent = FakeClock(), False

    async def ask(one: Node, samples: int) -> NodeFigures:
        if silent and one is B:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        return figures_of(one)

    cluster = Cluster(A, B, ask=ask, clock=clock)
    await cluster.view.look()
    silent = True
    clock.advance(5)
    since_ms = clock.now_ms()
    for _ in range(3):
        await cluster.view.look()
        clock.advance(5)
    nodes = cluster.view.picture()["nodes"]
    assert [one["silent_since_ms"] for one in nodes] == [None, since_ms]
    assert nodes[1]["figures"] is not None
    silent = False
    await cluster.view.look()
    assert cluster.view.picture()["nodes"][1]["silent_since_ms"] is None


async def test_picture_when_a_node_dies_or_leaves_then_gone_and_which_it_was() -> None:
    clock = FakeClock()
    cluster = Cluster(A, B, clock=clock)
    clock.advance(9)
    cluster.registry.show(A)
    [gone] = cluster.view.picture()["gone"]
    assert (gone["unit"], gone["since_ms"], gone["has_left"]) == ("b", clock.now_ms(), False)
    leaving = replace(B, draining=True)
    cluster.registry.show(A, leaving)
    assert cluster.view.picture()["gone"] == []
    assert cluster.view.picture()["nodes"][1]["is_draining"]
    cluster.registry.show(A)
    assert cluster.view.picture()["gone"][0]["has_left"]


async def test_picture_when_a_node_that_was_asked_to_leave_is_gone_then_it_has_left() -> None:
    cluster = Cluster(A, B)
    await cluster.view.drain(B.unit_id, B.incarnation)
    cluster.registry.show(A)
    assert cluster.view.picture()["gone"][0]["has_left"]
    again = replace(B, incarnation="b-2")
    cluster.registry.show(A, again)
    cluster.registry.show(A)
    assert not cluster.view.picture()["gone"][0]["has_left"]


async def test_picture_when_a_node_starts_anew_then_nothing_of_its_earlier_start() -> None:
    cluster = Cluster(A)
    await cluster.view.look()
    cluster.registry.show(replace(A, incarnation="a-2"))
    assert cluster.view.picture()["nodes"][0]["figures"] is None


async def test_look_when_another_start_answers_then_silent() -> None:
    async def ask(one: Node, samples: int) -> NodeFigures:
        return figures_of(replace(one, incarnation="another"))

    cluster = Cluster(A, ask=ask)
    await cluster.view.look()
    assert cluster.view.picture()["nodes"][0]["silent_since_ms"] is not None


async def test_look_when_many_look_then_every_node_is_asked_once() -> None:
    asked = []

    async def ask(one: Node, samples: int) -> NodeFigures:
        asked.append(one.unit_id)
        await asyncio.sleep(0)
        return await answer_all(one, samples)

    clock = FakeClock()
    cluster = Cluster(A, B, ask=ask, clock=clock)
    await asyncio.gather(*(cluster.view.look() for _ in range(9)))
    assert sorted(asked) == ["a", "b"]
    clock.advance(1)
    await cluster.view.look()
    assert len(asked) == 4


async def test_history_when_a_node_is_silent_then_said_so() -> None:
    async def ask(one: Node, samples: int) -> NodeFigures:
        if one is B:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        return await answer_all(one, samples)

    told = await Cluster(A, B, ask=ask).view.history(2)
    assert told["silent"] == ["b"]
    [history] = told["nodes"]
    assert (history["unit"], history["incarnation"]) == ("a", "a-1")
    assert [dict(zip(told["fields"], one, strict=True)) for one in history["samples"]][1] == {
        "at_ms": 1,
        "seconds": 5.0,
        "sends": 1,
        "deliveries": 2,
        "sessions": 3,
        "commits": 4,
        "commit_p50_ms": 5.0,
        "commit_p99_ms": 6.0,
        "commit_max_ms": 7.0,
        "lag_p50_ms": 8.0,
        "lag_p99_ms": 9.0,
        "lag_max_ms": 10.0,
    }


async def test_drain_when_this_start_is_there_then_asked_to_leave() -> None:
    cluster = Cluster(A, B)
    await cluster.view.drain(B.unit_id, B.incarnation)
    assert cluster.drained == [B]
    for unit_id, incarnation in ((B.unit_id, "before"), (UnitId("c"), B.incarnation)):
        with pytest.raises(NotFound):
            await cluster.view.drain(unit_id, incarnation)


def test_watch_when_ended_then_no_more_calls() -> None:
    cluster, calls = Cluster(A), [0]

    def note() -> None:
        calls[0] += 1

    stop = cluster.view.watch(note)
    cluster.registry.show(A, B)
    stop()
    cluster.registry.show(A)
    assert calls == [1]
