"""A log on two shards of which one is killed or hangs: its conversations wait, others do not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
from tests.support.eventually import eventually
from tests.support.log_writers import Writer, befriend, check, lane_on, whole_log
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, PHONE, entry, put_group, put_member
from tests.support.relay import relay_to
from tests.support.spider import emptied

from tinyqq.errors import Unavailable
from tinyqq.lab.servers.spider import DATABASE, SpiderServers
from tinyqq.model.ids import ConversationId, GroupId, Seq
from tinyqq.model.message import Kind
from tinyqq.storage.open import Storage, open_storage
from tinyqq.storage.shards import BUCKETS

pytestmark = [pytest.mark.needs("spider"), pytest.mark.slow]
GROUP_ID: Final = GroupId(60 * BUCKETS)
GROUP: Final = ConversationId(GROUP_ID)
"""On the first shard; the conversations of Ann and Bob are on the second."""


async def prepare(url: str) -> None:
    """Ann and Bob are friends, and in a group."""
    await befriend(url)
    async with open_storage(url) as storage:
        members = [(GROUP, put_member(one)) for one in (ANN, BOB)]
        created = entry(1, GROUP, kind=Kind.GROUP_CREATED, ordinal=0)
        await storage.log_writer.append([created], [(GROUP, put_group()), *members])
        for key in (ANN_BOB, GROUP):
            await storage.log_writer.ensure_listed([(ANN, key), (BOB, key)])


async def test_shard_when_killed_in_the_middle_of_appends_then_others_go_on_and_it_later(
    breakable_spider: SpiderServers,
) -> None:
    await prepare(breakable_spider.url)
    victim = breakable_spider.shards[1]
    async with lane_on(breakable_spider.url) as (lane, database):
        stuck, free = Writer(lane, ANN, ANN_BOB), Writer(lane, BOB, GROUP)
        for _ in range(3):
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(stuck.send(400))
                goal = len(stuck.acknowledged) + 100
                await eventually(lambda: len(stuck.acknowledged) >= goal)  # noqa: B023 - awaited
                victim.kill()
                await free.send(200)
                assert not sending.done()
                victim.start()
                await sending
        assert (stuck.refused, free.refused) == ([], [])
        assert (len(stuck.acknowledged), len(free.acknowledged)) == (1_200, 600)
        assert len(database.writers) == 2
    check(await whole_log(breakable_spider.url), stuck)
    check(await whole_log(breakable_spider.url, GROUP), free)
    asked = (
        "SELECT COUNT(*), COUNT(DISTINCT writer_pos), MAX(writer_pos) FROM message GROUP BY writer"
    )
    for shard in breakable_spider.shards:
        assert all(len(set(row)) == 1 for row in shard.ask(asked, DATABASE))


async def test_answers_of_a_shard_when_lost_then_what_was_committed_is_found_and_kept_once(
    own_spider: SpiderServers,
) -> None:
    await prepare(own_spider.url)
    async with relay_to("127.0.0.1", own_spider.shards[1].port) as relay:
        port = relay.url.rpartition(":")[2]
        await asyncio.to_thread(
            own_spider.front.ask,
            "CREATE OR REPLACE SERVER tinyqq_2 FOREIGN DATA WRAPPER mysql OPTIONS"
            f" (HOST '127.0.0.1', PORT {port}, DATABASE '{DATABASE}', USER 'root'); FLUSH TABLES",
        )
        async with lane_on(own_spider.url) as (lane, database):
            writer = Writer(lane, ANN, ANN_BOB)
            for _ in range(5):
                async with asyncio.TaskGroup() as group:
                    sending = group.create_task(writer.send(600))
                    goal = len(writer.acknowledged) + 40
                    await eventually(lambda: len(writer.acknowledged) >= goal)  # noqa: B023 - awaited
                    relay.loses_answers = True
                    await eventually(lambda: relay.lost > 0)
                    relay.cut()
                    relay.loses_answers, relay.lost = False, 0
                    await sending
            assert (len(writer.acknowledged), writer.refused) == (3_000, [])
            assert database.counters()["storage_unknown_outcomes_total"] > 0
        check(await whole_log(own_spider.url), writer)


async def refused_after_s(call: Callable[[], Any]) -> float:
    """How long a call took to be refused as unavailable."""
    begin = asyncio.get_running_loop().time()
    with pytest.raises(Unavailable):
        await call()
    return asyncio.get_running_loop().time() - begin


async def check_reads_on_the_living(storage: Storage) -> None:
    """What does not need the other shard is answered."""
    async with asyncio.timeout(30):
        page = await storage.log_reader.read_page(ANN, GROUP, Seq(0), 100)
        assert page.head_seq == 1
        assert await storage.log_reader.read_heads([GROUP]) == {GROUP: 1}
        assert (await storage.conversations.list_member_ids(GROUP_ID))[0] == (ANN, BOB)
        assert (await storage.log_writer.load([GROUP]))[GROUP].head_seq == 1
        assert set(await storage.accounts.find_accounts([ANN, BOB])) == {ANN, BOB}


async def test_shard_when_it_hangs_then_what_needs_it_is_refused_in_time_and_nothing_else(
    breakable_spider: SpiderServers,
) -> None:
    await prepare(breakable_spider.url)
    victim = breakable_spider.shards[1]
    async with open_storage(breakable_spider.url) as storage:

        def overview() -> Any:
            return storage.log_reader.read_overview(
                ANN,
                PHONE,
                known=[],
                with_cursors=False,
                after_conversation_id=ConversationId(0),
                limit=9,
            )

        assert len((await overview()).conversations) == 3
        victim.pause()
        # As many as there are connections for what is read there, and more.
        calls = [
            *(lambda: storage.log_reader.read_page(ANN, ANN_BOB, Seq(0), 9) for _ in range(10)),
            *(overview for _ in range(10)),
            *(lambda: storage.log_writer.load([ANN_OWN]) for _ in range(10)),
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(refused_after_s(call)) for call in calls]
            for _ in range(5):
                await check_reads_on_the_living(storage)
        # It is known to be away by now.
        assert await refused_after_s(overview) < max(task.result() for task in tasks)
        victim.resume()
        async with asyncio.timeout(30):
            while True:
                try:
                    assert len((await overview()).conversations) == 3
                    break
                except Unavailable:
                    continue


async def test_node_when_started_while_a_shard_is_away_then_it_serves_the_other(
    breakable_spider: SpiderServers,
) -> None:
    await prepare(breakable_spider.url)
    async with open_storage(breakable_spider.url) as before:
        await check_reads_on_the_living(before)
    breakable_spider.shards[1].kill()
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(breakable_spider.url))
        await check_reads_on_the_living(storage)
        lane, _ = await stack.enter_async_context(lane_on(breakable_spider.url))
        writer = Writer(lane, ANN, GROUP)
        await writer.send(10)
        assert (len(writer.acknowledged), writer.refused) == (10, [])


async def test_tail_when_a_shard_is_away_then_the_other_goes_on_and_nothing_is_lost(
    breakable_spider: SpiderServers,
) -> None:
    await prepare(breakable_spider.url)
    victim = breakable_spider.shards[1]
    async with (
        open_storage(breakable_spider.url) as storage,
        open_storage(breakable_spider.url) as other,
    ):
        tail = storage.log_tail
        assert tail is not None
        after = dict.fromkeys(other.writers, 0)
        await other.log_writer.append([entry(2, GROUP)], ())
        await other.log_writer.append([entry(2, ANN_BOB)], ())
        assert (await tail.read_keys(after, 9)).is_whole
        victim.kill()
        await other.log_writer.append([entry(3, GROUP)], ())
        for _ in range(10):
            async with asyncio.timeout(30):
                seen = await tail.read_keys(after, 9)
            assert [(key.conversation_id, key.seq) for key in seen.keys] == [(GROUP, 2), (GROUP, 3)]
            assert not seen.is_whole
        found = await tail.read_entries([(ANN_BOB, Seq(2)), (GROUP, Seq(3))])
        assert [one.seq for one in found.entries] == [3]
        assert set(found.members_seqs) == {GROUP}
        assert found.unread == {(ANN_BOB, Seq(2))}
        victim.start()
        async with asyncio.timeout(30):
            while not seen.is_whole:
                seen = await tail.read_keys(after, 9)
        places = sorted((key.conversation_id, key.seq) for key in seen.keys)
        assert places == sorted([(GROUP, 2), (GROUP, 3), (ANN_BOB, 2)])


async def test_lanes_when_two_write_one_conversation_then_one_order_without_gaps(
    spider: SpiderServers,
) -> None:
    url = await asyncio.to_thread(emptied, spider)
    await prepare(url)
    async with lane_on(url) as (first, _), lane_on(url) as (second, _):
        writers = [Writer(first, ANN), Writer(second, BOB), Writer(first, ANN, GROUP)]
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.send(500))
        assert [writer.refused for writer in writers] == [[], [], []]
    check(await whole_log(url), *writers[:2])
    check(await whole_log(url, GROUP), writers[2])
