"""Lanes on different nodes of one Galera cluster: one order, nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest
from tests.support.eventually import eventually
from tests.support.log_writers import Writer, befriend, check, check_positions, lane_on, whole_log
from tests.support.logs import ANN, ANN_BOB, BOB, ZOE, messages

from tinyqq.lab.servers.galera import GaleraNode, cluster_url, galera_cluster
from tinyqq.lab.servers.mariadb import running_mariadb
from tinyqq.lab.servers.spider import DATABASE, FRONT_OPTIONS, SHARD_OPTIONS, lay_out
from tinyqq.model.ids import own_conversation
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


@pytest.mark.needs("spider")
async def test_front_when_one_of_three_is_killed_then_both_shards_are_written_through_another(
    galera_template: Path, mariadb_template: Path
) -> None:
    """What makes the front of a sharded log as available as anything else."""
    with ExitStack() as stack:
        shards = [
            stack.enter_context(running_mariadb(mariadb_template, options=SHARD_OPTIONS))
            for _ in range(2)
        ]
        fronts = stack.enter_context(galera_cluster(galera_template, options=FRONT_OPTIONS))
        await asyncio.to_thread(lay_out, fronts[0], shards)
        await migrate_storage(in_turn(fronts, 0))
        await befriend(in_turn(fronts, 0))
        async with (
            lane_on(in_turn(fronts, 0)) as (first, _),
            lane_on(in_turn(fronts, 1)) as (second, _),
        ):
            writers = [
                Writer(first, ANN), Writer(second, BOB), Writer(first, ZOE, own_conversation(ZOE)),
            ]  # fmt: skip
            async with asyncio.TaskGroup() as group:
                for writer in writers:
                    group.create_task(writer.send(_ENTRIES // 2))
                await eventually(lambda: len(writers[0].acknowledged) > _ENTRIES // 8)
                fronts[0].kill()
            assert [writer.refused for writer in writers] == [[], [], []]
        check(await whole_log(in_turn(fronts, 1)), *writers[:2])
        assert all(
            int(shard.ask("SELECT COUNT(*) FROM message", DATABASE)[0][0]) for shard in shards
        )


async def test_read_when_on_another_node_then_it_sees_every_acknowledged_entry(
    shared_galera: Nodes,
) -> None:
    url = in_turn(shared_galera, 0)
    async with open_storage(url) as writing, open_storage(in_turn(shared_galera, 1)) as reading:
        head = (await writing.log_reader.read_heads([ANN_BOB])).get(ANN_BOB, 0)
        for one in messages(head + 200)[head:]:
            await writing.log_writer.append([one], [])
            assert await reading.log_reader.read_heads([ANN_BOB]) == {ANN_BOB: one.seq}
