"""What does a message cost in a cluster, and what does it cost more for being between units?

All friends of the one-to-one questions sit on different units, if there is more than one. Each unit
has the same load, however many there are.
"""

from __future__ import annotations

from typing import Any

from bench.net import cost_at
from bench.rounds import run
from bench.rows import Goal, Line, Measurement, Row, at_least, at_most, cpu_us, each, figure

PAIRS_PER_UNIT = 100
QUIET_PAIRS_PER_UNIT = 25
PER_UNIT_PER_S = 50
GROUP_UNITS = 4
HEARTBEAT_S = 3
NET_UNITS = 4
NET_PER_S = 5_000

_COST = (
    Line("CPU µs per message", lambda one: one.cpu_us_each, goal=at_most(100)),
    Line("… of the units", cpu_us("units")),
    Line("… of MariaDB", cpu_us("database")),
    Line("… of Redis", cpu_us("redis")),
)


def _pairs(units: int) -> dict[str, Any]:
    return {"pairs": PAIRS_PER_UNIT * units, "window": 10}


def _rate(units: int, per_second: int) -> dict[str, Any]:
    # All pairs have written before the measured time begins: a chat's first message costs more.
    return {"pairs": QUIET_PAIRS_PER_UNIT * units, "per_second": per_second}


def _pushes(one: Measurement) -> float:
    """Node-to-node pushes per message, counted at rest, so exactly."""
    pushes = one.grown_in_all("node_port_deliveries_received_total")
    return pushes / one.grown_in_all("lane_entries_total")


def _pushes_per_unit(one: Measurement) -> float:
    """Node-to-node pushes per message of a group and unit that did not commit it."""
    return _pushes(one) / (GROUP_UNITS - 1)


def _net_share(one: Measurement) -> float:
    """What the units' nets cost, of all CPU: rows read, by what each costs when it is read."""
    cost = cost_at(NET_PER_S * (NET_UNITS - 1) // NET_UNITS)
    return 100 * one.each("net_keys_total") * cost.total_us / one.cpu_us_each


def _group(how: str, *, apart: int, goal: Goal) -> Row:
    return Row(
        f"cluster, group of 1,000 over {GROUP_UNITS} units, {how}",
        "fan_out",
        (
            Line("CPU µs per delivery", lambda one: one.cpu_us_each, goal=goal),
            Line("… of the units", cpu_us("units")),
            Line("deliveries/s", lambda one: one.per_second),
            Line("pushes to each other unit", _pushes_per_unit, goal=at_most(1)),
        ),
        {"members": 1_000, "apart": apart},
        ours=f"{GROUP_UNITS} units",
        beside="",
    )


def _outage(how: str, title: str, bound_s: float) -> Row:
    return Row(
        f"cluster, {title}",
        "outage",
        (
            Line("s until served again, most", figure("gap_max_s"), goal=at_most(bound_s)),
            Line("s until served again, p50", figure("gap_p50_s")),
            Line("pairs cut off", figure("hit")),
        ),
        {"how": how},
        ours="3 units",
        beside="",
        settings={"LIMITS__IDLE_TIMEOUT_S": str(3 * HEARTBEAT_S)},
    )


ROWS = (
    Row(
        "cluster, one-to-one on one unit",
        "one_to_one",
        (Line("messages/s", lambda one: one.per_second, goal=at_least(8_000)), *_COST),
        _pairs(1),
        ours="1 unit",
        beside="",
    ),
    Row(
        "cluster, one-to-one between two units",
        "one_to_one",
        (
            Line("CPU µs per message", lambda one: one.cpu_us_each, ratio_goal=at_most(1.8)),
            *_COST[1:],
            Line("messages/s", lambda one: one.per_second),
        ),
        _pairs(2),
        ours="2 units",
        beside="1 unit",
        beside_plan=_pairs(1),
    ),
    Row(
        f"cluster, at {PER_UNIT_PER_S} messages/s and unit",
        "fixed_rate",
        (
            Line("pushes between nodes per message", _pushes, ratio_goal=at_most(1.01)),
            Line("SQL statements per message", each("statements"), ratio_goal=at_most(1.1)),
            Line("Redis commands per message", each("redis_commands"), ratio_goal=at_most(1.1)),
            Line("CPU µs per message", lambda one: one.cpu_us_each),
        ),
        _rate(8, PER_UNIT_PER_S * 8),
        ours="8 units",
        beside="2 units",
        beside_plan=_rate(2, PER_UNIT_PER_S * 2),
    ),
    Row(
        f"cluster, {NET_PER_S:,} messages/s",
        "fixed_rate",
        (
            Line("CPU µs per message", lambda one: one.cpu_us_each),
            *_COST[1:],
            Line("rows that the net reads per message", each("net_keys_total")),
            Line("the net's share of the CPU, %", _net_share),
        ),
        _rate(NET_UNITS, NET_PER_S),
        ours=f"{NET_UNITS} units",
        beside="",
    ),
    _group("written to on one unit", apart=GROUP_UNITS, goal=at_most(8)),
    _group("written to on all of them", apart=1, goal=at_most(8)),
    _outage("kill", "one of 3 units killed (kill -9)", 3),
    _outage("hang", f"one of 3 units hangs (SIGSTOP), heartbeat {HEARTBEAT_S} s", HEARTBEAT_S + 3),
)

if __name__ == "__main__":
    run(ROWS)
