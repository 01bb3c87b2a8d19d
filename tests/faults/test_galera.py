"""Lanes on different nodes of one Galera cluster: one order, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from tests.support.eventually import eventually
from tests.support.log_writers import Writer, befriend, check, check_positions, lane_on, whole_log
from tests.support.logs import ANN, ANN_BOB, BOB, messages

from tinyqq.lab.servers.galera import GaleraNode, cluster_url
from tinyqq.lab.servers.spider import DATABASE
from tinyqq.storage.open import migrate_storage, open_storage

pytestmark = [pytest.mark.needs("galera"), pytest.mark.slow]
Nodes = tuple[GaleraNode, ...]
_ENTRIES: Final = 1_000


def in_turn(nodes: Nodes, first: int) -> str:
    """The address that has a certain node first."""
    return cluster_url([*nodes[first:], *nodes[:first]], DATABASE)


async def prepare(nodes: Nodes) -> None:
    """A database in which Ann and Bob are friends."""
    await asyncio.to_thread(nodes[0].ask, f"CREATE DATABASE {DATABASE}")
    await migrate_storage(in_turn(nodes, 0))
    await befriend(in_turn(nodes, 0))


async def test_lanes_when_on_two_nodes_and_one_is_killed_then_one_order_without_gaps(
    galera: Nodes,
) -> None:
    await prepare(galera)
    async with (
        lane_on(in_turn(galera, 0)) as (first, database),
        lane_on(in_turn(galera, 1)) as (second, _),
    ):
        writers = [Writer(first, ANN), Writer(second, BOB)]
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.send(_ENTRIES))
            await eventually(lambda: len(writers[0].acknowledged) > _ENTRIES // 4)
            galera[0].kill()
        assert [writer.refused for writer in writers] == [[], []]
        assert [len(writer.acknowledged) for writer in writers] == [_ENTRIES] * 2
        assert database.counters()["storage_unknown_outcomes_total"] <= 3
    url = in_turn(galera, 1)
    log = await whole_log(url)
    check(log, *writers)
    assert len(log) == 2 * _ENTRIES + 1
    await check_positions(url)


async def test_read_when_on_another_node_then_it_sees_every_acknowledged_entry(
    shared_galera: Nodes,
) -> None:
    url = in_turn(shared_galera, 0)
    async with open_storage(url) as writing, open_storage(in_turn(shared_galera, 1)) as reading:
        head = (await writing.log_reader.read_heads([ANN_BOB])).get(ANN_BOB, 0)
        for one in messages(head + 200)[head:]:
            await writing.log_writer.append([one], [])
            assert await reading.log_reader.read_heads([ANN_BOB]) == {ANN_BOB: one.seq}
