"""Every question goes through the database; what the answers are is in the contract."""

from __future__ import annotations

from tests.support.logs import (
    ANN,
    ANN_BOB,
    BOB,
    GROUP,
    GROUP_ID,
    PHONE,
    in_group,
    put_group,
    put_member,
)

from tinyqq.model.conversation import PutJoinRequest, PutRelation
from tinyqq.model.ids import Seq, UserId
from tinyqq.ports.storage import CursorRow
from tinyqq.storage.conversations import SqlConversationStore
from tinyqq.storage.log_writer import SqlLogWriter
from tinyqq.storage.sqlite import SqliteDatabase


async def test_cursors_when_merged_then_read_back(database: SqliteDatabase) -> None:
    store = SqlConversationStore(database=database)
    row = CursorRow(ANN, PHONE, ANN_BOB, Seq(5), Seq(3))
    await store.merge_cursors([])
    await store.merge_cursors([row])
    assert await store.read_cursor(ANN, PHONE, ANN_BOB) == row
    assert await store.read_cursor(BOB, PHONE, ANN_BOB) is None


async def test_lists_when_changed_then_only_the_user_s_own(database: SqliteDatabase) -> None:
    store, writer = SqlConversationStore(database=database), SqlLogWriter(database=database)
    await writer.append([], [(ANN_BOB, PutRelation(user, is_friend=True)) for user in (ANN, BOB)])
    await writer.ensure_listed([(ANN, ANN_BOB), (BOB, ANN_BOB)])
    await store.set_remark(ANN, ANN_BOB, "Bobby")
    await store.drop_listed(BOB, ANN_BOB)
    assert await store.list_friend_ids(ANN) == (BOB,)
    assert await store.list_friend_ids(BOB) == ()
    assert await store.list_contacts(BOB) == ()


async def test_groups_when_asked_for_then_from_every_side(database: SqliteDatabase) -> None:
    store, writer = SqlConversationStore(database=database), SqlLogWriter(database=database)
    effects = in_group(put_group(), put_member(ANN), PutJoinRequest(BOB, 5))
    await writer.append([], effects)
    await writer.ensure_listed([(ANN, GROUP)])
    assert await store.list_group_ids(ANN) == (GROUP_ID,)
    [group] = await store.list_groups(ANN)
    assert await store.find_group(GROUP_ID, ANN) == group
    assert await store.find_group(GROUP_ID, BOB) != group
    assert await store.list_member_ids(GROUP_ID) == ((ANN,), 0)
    assert len((await store.list_members(GROUP_ID, UserId(0), 9)).members) == 1
    assert [one.user_id for one in await store.list_join_requests(GROUP_ID)] == [BOB]
