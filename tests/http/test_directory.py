"""The unit directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from aiohttp.test_utils import make_mocked_request

from tinyqq.http.directory import TTL_S, UnitDirectory
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.testing.clock import FakeClock


class Picture:
    """Implements ``ports.registry.Registry`` for reading: several nodes at once."""

    def __init__(self, *nodes: Node) -> None:
        self._nodes = nodes

    async def register(self, node: Node) -> None:
        raise NotImplementedError

    async def unregister(self) -> None:
        raise NotImplementedError

    def nodes(self) -> tuple[Node, ...]:
        return self._nodes

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        raise NotImplementedError


def node(name: str, load: float = 0.0, **fields: Any) -> Node:
    defaults = {
        "incarnation": "i",
        "roles": frozenset({"proxy"}),
        "public_tcp": f"tinyqqs://{name}.example:7001",
        "public_http": f"https://{name}.example:7080",
        "version": "1",
    }
    return Node(UnitId(name), load=load, **(defaults | fields))


def directory(*nodes: Node, chance: Callable[[], float] = lambda: 0.0) -> UnitDirectory:
    return UnitDirectory(Picture(*nodes), clock=FakeClock(), chance=chance)


async def ask(*nodes: Node, chance: Callable[[], float] = lambda: 0.0) -> dict[str, Any]:
    return await answer_of(directory(*nodes, chance=chance))


async def answer_of(asked: UnitDirectory) -> dict[str, Any]:
    request = make_mocked_request("GET", "/v1/units", headers={"Host": "asked.example:7080"})
    answer = await asked.answer(request)
    assert answer.text is not None
    document: dict[str, Any] = json.loads(answer.text)
    return document


async def test_answer_when_a_unit_lives_then_how_to_reach_it() -> None:
    assert await ask(node("a", 0.25, sessions=7)) == {
        "units": [
            {
                "unit": "a",
                "load": 0.25,
                "sessions": 7,
                "tcp": "tinyqqs://a.example:7001",
                "websocket": "wss://a.example:7080/ws",
            }
        ],
        "ttl_s": TTL_S,
        "wait_ms": 0,
    }


async def test_answer_when_loads_differ_then_the_least_loaded_first() -> None:
    units = (await ask(node("a", 0.9), node("b", 0.1), node("c", 0.5)))["units"]
    assert [unit["unit"] for unit in units] == ["b", "c", "a"]


async def test_answer_when_loads_are_about_the_same_then_chance_decides() -> None:
    numbers = iter([1.0, 0.0])
    units = (await ask(node("a", 0.10), node("b", 0.15), chance=lambda: next(numbers)))["units"]
    assert [unit["unit"] for unit in units] == ["b", "a"]


async def test_answer_when_a_node_takes_nobody_then_left_out() -> None:
    nodes = node("a", draining=True), node("b", roles=frozenset({"chat"}))
    assert (await ask(*nodes))["units"] == []


async def test_answer_when_a_unit_has_one_way_only_then_only_that() -> None:
    [unit] = (await ask(node("a", public_http="")))["units"]
    assert "websocket" not in unit
    [unit] = (await ask(node("a", public_tcp="")))["units"]
    assert "tcp" not in unit


async def test_answer_when_one_unit_holds_fewer_sessions_then_first() -> None:
    units = (await ask(node("a", sessions=900), node("b", sessions=100)))["units"]
    assert [unit["unit"] for unit in units] == ["b", "a"]


async def test_answer_when_many_ask_then_a_new_unit_gets_most_but_not_all() -> None:
    asked = directory(node("old", 0.1, sessions=500), node("new"))
    firsts = [(await answer_of(asked))["units"][0]["unit"] for _ in range(1_000)]
    assert set(firsts[:200]) == {"new"}
    assert 0.5 < firsts.count("new") / 1_000 < 0.9


async def test_answer_when_no_more_ask_than_the_units_take_then_nobody_waits() -> None:
    asked = directory(node("a", log_ins_per_s=10.0), node("b", log_ins_per_s=10.0))
    waits = [(await answer_of(asked))["wait_ms"] for _ in range(10)]
    assert waits == [0] * 10


async def test_answer_when_a_herd_asks_then_each_gets_another_moment() -> None:
    asked = directory(node("a", log_ins_per_s=10.0), node("b", log_ins_per_s=10.0))
    waits = [(await answer_of(asked))["wait_ms"] for _ in range(60)]
    later = [one for one in waits if one]
    assert waits == [0] * 10 + later
    steps = [after - before for before, after in pairwise(later)]
    assert set(steps) <= {55, 56}  # a little slower than the 20 a second of both together
    assert asked.counters() == {"delayed_total": 50}


async def test_answer_when_a_unit_takes_any_number_then_nobody_waits() -> None:
    asked = directory(node("a", log_ins_per_s=1.0), node("b"))
    assert [(await answer_of(asked))["wait_ms"] for _ in range(9)] == [0] * 9
