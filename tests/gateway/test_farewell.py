"""Where the clients of a unit that leaves go, and when."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tinyqq.errors import ErrorCode
from tinyqq.gateway.farewell import Farewells, units_but, window_of
from tinyqq.model.connection import GoAway
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node


def unit(name: str, **fields: Any) -> Node:
    defaults = {
        "incarnation": "i",
        "roles": frozenset({"proxy"}),
        "public_tcp": f"tinyqq://{name}:7001",
        "public_http": f"http://{name}:7080",
        "version": "1",
    }
    return Node(UnitId(name), **(defaults | fields))


def test_units_but_when_some_leave_or_take_nobody_then_left_out() -> None:
    nodes = unit("a"), unit("b"), unit("c", draining=True), unit("d", roles=frozenset({"user"}))
    assert [one.unit_id for one in units_but(UnitId("a"), nodes)] == ["b"]


@pytest.mark.parametrize(
    ("clients", "rates", "window_s"),
    [
        (100, (10.0, 10.0), 10.0),
        (10, (10.0, 10.0), 3.0),
        (100_000, (0.0, 10.0), 3.0),
        (100, (), 0.0),
    ],
)
def test_window_when_the_others_take_so_many_then_so_long(
    clients: int, rates: tuple[float, ...], window_s: float
) -> None:
    units = [unit(str(number), log_ins_per_s=rate) for number, rate in enumerate(rates)]
    assert window_of(clients, units, 3.0) == window_s


def test_farewells_when_many_then_spread_over_the_window() -> None:
    farewells = Farewells(clients=4, units=[unit("b")], window_s=2.0)
    told = [farewells.next(by_websocket=False, by_proxy=False) for _ in range(4)]
    assert [one.after_ms for one in told] == [0, 500, 1000, 1500]


def test_farewells_when_loads_differ_then_shared_out_by_what_is_free() -> None:
    units = [unit("b", load=0.8), unit("c", load=0.2)]
    farewells = Farewells(clients=100, units=units, window_s=1.0)
    urls = Counter(farewells.next(by_websocket=False, by_proxy=False).url for _ in range(100))
    assert urls == {"tinyqq://b:7001": 20, "tinyqq://c:7001": 80}


def test_farewells_when_all_are_full_then_shared_out_all_the_same() -> None:
    farewells = Farewells(clients=2, units=[unit("b", load=1.0), unit("c", load=1.0)], window_s=0)
    assert len({farewells.next(by_websocket=False, by_proxy=False).url for _ in range(2)}) == 2


def test_farewells_when_by_websocket_then_there_too() -> None:
    farewells = Farewells(clients=1, units=[unit("b")], window_s=0.0)
    assert farewells.next(by_websocket=True, by_proxy=False).url == "ws://b:7080/ws"


@pytest.mark.parametrize("address", ["tinyqq://0.0.0.0:7001", ""])
def test_farewells_when_the_unit_names_no_host_then_the_directory_is_asked(address: str) -> None:
    farewells = Farewells(clients=1, units=[unit("b", public_tcp=address)], window_s=0.0)
    assert farewells.next(by_websocket=False, by_proxy=False) == GoAway(ErrorCode.DRAINING, 0)


def test_farewells_when_there_is_nobody_else_then_at_once_and_nowhere() -> None:
    farewells = Farewells(clients=2, units=[], window_s=0.0)
    told = [farewells.next(by_websocket=False, by_proxy=False) for _ in range(2)]
    assert told == [GoAway(ErrorCode.DRAINING, 0)] * 2


def test_farewells_when_by_a_proxy_then_through_it_again() -> None:
    farewells = Farewells(clients=2, units=[unit("b")], window_s=1.0)
    told = [farewells.next(by_websocket=False, by_proxy=True) for _ in range(2)]
    assert told == [GoAway(ErrorCode.DRAINING, 0), GoAway(ErrorCode.DRAINING, 500)]
