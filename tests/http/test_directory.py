"""The unit directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from tinyqq.http.directory import TTL_S, UnitDirectory, reachable
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node


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


async def ask(*nodes: Node, chance: Callable[[], float] = lambda: 0.0) -> dict[str, Any]:
    request = make_mocked_request("GET", "/v1/units", headers={"Host": "asked.example:7080"})
    answer = await UnitDirectory(Picture(*nodes), chance=chance).answer(request)
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


@pytest.mark.parametrize(
    ("url", "asked_host", "expected"),
    [
        ("tinyqq://0.0.0.0:7001", "chat.example", "tinyqq://chat.example:7001"),
        ("http://[::]:7080", "chat.example", "http://chat.example:7080"),
        ("http://[::]:7080", "2001:db8::1", "http://[2001:db8::1]:7080"),
        ("tinyqq://10.0.0.1:7001", "chat.example", "tinyqq://10.0.0.1:7001"),
        ("tinyqq://0.0.0.0", "chat.example", "tinyqq://chat.example"),
        ("tinyqq://0.0.0.0:7001", "", "tinyqq://0.0.0.0:7001"),
    ],
)
def test_reachable_when_the_host_is_any_then_the_one_that_was_asked(
    url: str, asked_host: str, expected: str
) -> None:
    assert reachable(url, asked_host) == expected
