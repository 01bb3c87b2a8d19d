"""Schedules that broke an earlier draft of the design: two units, and an unlucky order."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from itertools import count

import pytest
from tests.e2e.test_cluster import PASSWORD, Cluster, befriend, person, texts
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.app.build import App
from tinyqq.client import Change, Client, Message
from tinyqq.client.operations import new_operation_id
from tinyqq.client.outbox import Outgoing
from tinyqq.clock import SystemClock
from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, TinyQQError
from tinyqq.model.account import DeviceKind
from tinyqq.model.group import CreateGroup, GroupCreated, JoinPolicy
from tinyqq.model.ids import ConversationId, GroupId, UserId
from tinyqq.model.message import Content, Kind, Sent
from tinyqq.services.lane import Change as Written
from tinyqq.services.lane import Draft, Lane
from tinyqq.storage.open import open_storage
from tinyqq.wire.content import encode_content
from tinyqq.wire.packets import PacketType

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
]

TIMEOUT_S = 200.0
BUSY = 150


async def make_group(owner: Client, *members: Client) -> GroupId:
    group_id = await owner.groups.create("群", join_policy=JoinPolicy.OPEN)
    for one in members:
        await one.groups.join(group_id)
    return group_id


async def log_of(me: Client, conversation_id: int) -> list[Message | Change]:
    """The whole log, as *me* may see it."""
    found: list[Message | Change] = []
    before = 0
    while True:
        page = await me.history(ConversationId(conversation_id), before=before, limit=500)
        found[:0] = page.entries
        if not page.more:
            return found
        before = found[0].seq


async def seqs_until(me: Client, conversation_id: int, last: int) -> list[int]:
    """Seqs of a conversation as they are handed out, own ones too, up to *last*."""
    seqs: list[int] = []
    async for event in me.events():
        if isinstance(event, Message | Change) and event.conversation == conversation_id:
            seqs.append(event.seq)
            if event.seq >= last:
                return seqs
    raise AssertionError("the stream ended")


async def test_refusal_that_is_remembered_when_the_block_is_lifted_elsewhere_then_soon_forgotten(
    units: tuple[App, App],
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        await hong.friends.block(ming.user_id)
        for _ in range(3):  # the first reads it, the others find it remembered
            with pytest.raises(Forbidden):
                await ming.send(hong.user_id, "在吗？")
        await hong.friends.unblock(ming.user_id)
        async with asyncio.timeout(TIMEOUT_S):
            while not await is_taken(ming, hong.user_id, "在吗？"):
                """A refusal is remembered for a second at most."""
        assert await texts(hong, 1) == ["在吗？"]


async def is_taken(me: Client, user_id: UserId, text: str) -> bool:
    try:
        await me.send(user_id, text)
    except Forbidden:
        return False
    return True


async def test_member_removed_through_one_node_while_writing_through_another_then_no_word_more(
    units: tuple[App, App],
) -> None:
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ming, gang = await enter(person(units[0], "小明")), await enter(person(units[0], "小刚"))
        hong = await enter(person(units[1], "小红"))
        group_id = await make_group(ming, gang, hong)

        async def write_until_refused() -> TinyQQError:
            for number in count():
                try:
                    await hong.send_group(group_id, f"#{number}")
                except Forbidden as refused:
                    return refused
            raise AssertionError("unreachable")

        async with asyncio.TaskGroup() as group:
            writing = group.create_task(write_until_refused())
            for number in range(20):
                await ming.send_group(group_id, f"#{number}")
            await ming.groups.remove(group_id, hong.user_id)
            after = await ming.send_group(group_id, "她走了")
        assert writing.result().code is ErrorCode.NOT_A_MEMBER
        log = await log_of(ming, group_id)
        [removed] = [one.seq for one in log if one.kind == Kind.MEMBER_REMOVED]
        hers = [one.seq for one in log if isinstance(one, Message) and one.sender == hong.user_id]
        assert max(hers) < removed < after.seq
        heard = await seqs_until(hong, group_id, removed)
        assert heard == list(range(heard[0], removed + 1))
        assert (await log_of(hong, group_id))[-1].seq == removed


async def test_group_when_joined_while_busy_then_nobody_has_a_gap(units: tuple[App, App]) -> None:
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ming, gang = await enter(person(units[0], "小明")), await enter(person(units[1], "小刚"))
        newcomers = [await enter(person(units[n % 2], f"新人{n}")) for n in range(4)]
        group_id = await make_group(ming, gang)
        first = (await ming.send_group(group_id, "开始")).seq

        async def write(me: Client) -> None:
            for number in range(BUSY):
                await me.send_group(group_id, f"#{number}")

        async with asyncio.TaskGroup() as group:
            for one in (ming, gang):
                group.create_task(write(one))
            for one in newcomers:
                group.create_task(one.groups.join(group_id))
        last = (await ming.send_group(group_id, "完")).seq
        assert last == first + 2 * BUSY + len(newcomers) + 1
        joined = {
            one.notice.user_ids[0] if one.notice.user_ids else one.actor: one.seq
            for one in await log_of(ming, group_id)
            if isinstance(one, Change) and one.kind == Kind.MEMBER_JOINED
        }
        for one in newcomers:
            since = joined[one.user_id]
            assert await seqs_until(one, group_id, last) == list(range(since, last + 1))
        for one in (ming, gang):
            heard = await seqs_until(one, group_id, last)
            assert heard == list(range(heard[0], last + 1))


async def test_batch_with_messages_that_may_not_be_then_the_others_go_through_in_order(
    units: tuple[App, App],
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        outcomes = await asyncio.gather(
            *(ming.send(hong.user_id, f"#{number}") for number in range(10)),
            ming.send(hong.user_id, "长" * 20_000),
            ming.send(hong.user_id + 999, "谁？"),
            *(ming.send(hong.user_id, f"#{number}") for number in range(10, 20)),
            return_exceptions=True,
        )
        refused = [one for one in outcomes if isinstance(one, BaseException)]
        assert [type(one) for one in refused[:1]] == [InvalidRequest]
        assert len(refused) == 2
        assert await texts(hong, 20) == [f"#{number}" for number in range(20)]


async def test_send_repeated_when_its_first_node_died_after_the_commit_then_same_seq_and_pushed(
    units: tuple[App, App], cluster: Cluster
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        conversation_id, key = ming.conversation_with(hong.user_id), new_operation_id()
        body = encode_content(Content("只一次"))
        first = await write_unpushed(
            str(cluster.shared["database_url"]), ming, conversation_id, key, body
        )
        outgoing = Outgoing(conversation_id, key, Kind.TEXT, body)
        again = await ming._session.mailbox.sender.send(outgoing, timeout_s=60)
        assert again.seq == first.entry.seq
        await ming.send(hong.user_id, "后来")
        assert await texts(hong, 2) == ["只一次", "后来"]


async def write_unpushed(
    url: str, me: Client, conversation_id: ConversationId, key: bytes, body: bytes
) -> Written:
    """As a node does that dies before it pushes and answers."""
    written: asyncio.Future[Written | TinyQQError] = asyncio.get_running_loop().create_future()
    async with open_storage(url) as storage:
        lane = Lane(log=storage.log_writer, delivery=RecordingDelivery(), clock=SystemClock())
        async with lane:
            operation_id = type(new_operation_id())(key)
            done = written.set_result
            lane.submit(Draft(conversation_id, me.user_id, operation_id, done, Kind.TEXT, body))
            outcome = await written
    assert isinstance(outcome, Written)
    return outcome


async def test_group_creation_repeated_after_a_lost_answer_then_one_group(
    units: tuple[App, App],
) -> None:
    async with (
        person(units[0], "小明") as ming,
        Client(units[1].tcp_url, device_kind=DeviceKind.MOBILE) as elsewhere,
    ):
        await elsewhere.login(ming.user_id, PASSWORD)
        request = CreateGroup(new_operation_id(), "群")

        async def create(me: Client) -> GroupCreated:
            made: GroupCreated = await me._session.call(PacketType.CREATE_GROUP, request)
            return made

        made = await asyncio.gather(*(create(one) for one in (ming, elsewhere) * 2))
        again = await create(elsewhere)
        assert len({one.group_id for one in (*made, again)}) == 1
        assert [one.group_id for one in await ming.groups.list()] == [again.group_id]
        log = await log_of(ming, again.group_id)
        assert [one.kind for one in log].count(Kind.GROUP_CREATED) == 1


async def test_sends_when_some_are_refused_for_now_then_their_order_stays(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    cluster.shared["limits"] = {"sends_per_s": 10.0}  # and fifty at once
    async with asyncio.timeout(TIMEOUT_S), cluster.unit("one") as one, cluster.unit("two") as two:
        async with person(one, "小明") as ming, person(two, "小红") as hong:
            await befriend(ming, hong)
            async with asyncio.TaskGroup() as group:
                sending: list[asyncio.Task[Sent]] = [
                    group.create_task(ming.send(hong.user_id, f"#{number}")) for number in range(70)
                ]
            assert "send.postponed" in [one.message for one in caplog.records]
            seqs = [task.result().seq for task in sending]
            assert seqs == list(range(seqs[0], seqs[0] + 70))
            assert await texts(hong, 70) == [f"#{number}" for number in range(70)]
