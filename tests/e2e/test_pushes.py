"""What a message costs between units, counted: one push for each unit that holds a receiver."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack

import aiohttp
import pytest
from tests.e2e.test_cluster import TIMEOUT_S, Cluster, person, sees_nodes, texts

from tinyqq.app.build import App
from tinyqq.client import Client
from tinyqq.model.group import JoinPolicy

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb", "redis", "zookeeper")]

UNITS = 4
PEOPLE = 2 * UNITS
MESSAGES = 10


async def received(app: App) -> int:
    """How many pushes other nodes have brought to a unit."""
    name = "tinyqq_node_port_deliveries_received_total"
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        [value] = re.findall(rf"^{name} (.*)$", await answer.text(), re.M)
        return int(float(value))


async def open_units(stack: AsyncExitStack, cluster: Cluster) -> list[App]:
    units = [await stack.enter_async_context(cluster.unit(f"unit{n}")) for n in range(UNITS)]
    async with asyncio.timeout(TIMEOUT_S):
        for app in units:
            await sees_nodes(app, UNITS)
    return units


async def test_group_over_units_then_one_push_for_each_unit_and_message(cluster: Cluster) -> None:
    async with AsyncExitStack() as stack:
        units = await open_units(stack, cluster)
        people: list[Client] = [
            await stack.enter_async_context(person(units[number % UNITS], f"人{number}"))
            for number in range(PEOPLE)
        ]
        group = await people[0].groups.create("群", join_policy=JoinPolicy.OPEN)
        for one in people[1:]:
            await one.groups.join(group)
        # After a message of every unit nothing older is on its way.
        for number, one in enumerate(people[:UNITS]):
            await one.send_group(group, f"{number}")
        for number, one in enumerate(people):
            await texts(one, UNITS - (number < UNITS))
        before = [await received(app) for app in units]
        for number in range(MESSAGES):
            await people[0].send_group(group, f"#{number}")
        for one in people[1:]:
            assert len(await texts(one, MESSAGES)) == MESSAGES
        after = [await received(app) for app in units]
    grown = [late - early for early, late in zip(before, after, strict=True)]
    assert grown == [0, *[MESSAGES] * (UNITS - 1)]
