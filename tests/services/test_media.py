"""Who may see a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    BOB,
    EVE,
    GROUP,
    account,
    entry,
    in_group,
    log_of,
    new_operation_id,
    put_group,
    put_member,
)
from tests.support.media import PNG, MediaWorld, caller, media_world
from tests.support.worlds import code_of

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.model.conversation import EraseEntry
from tinyqq.model.ids import ConversationId, OperationId, UserId
from tinyqq.model.media import Blob, UploadId
from tinyqq.model.message import Kind
from tinyqq.ports.storage import SendKey


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MediaWorld]:
    async with media_world(tmp_path) as made:
        yield made


async def refer(
    world: MediaWorld, blob: Blob, conversation_id: ConversationId = ANN_BOB
) -> OperationId:
    """Note that a message of Ann's is about to refer to it."""
    operation_id = new_operation_id()
    key = SendKey(conversation_id, ANN, operation_id)
    assert await world.storage.media.add_reference(blob.blob_id, key, 1)
    await world.storage.log_writer.ensure_listed(
        [(user_id, conversation_id) for user_id in (ANN, BOB, EVE)]
    )
    return operation_id


async def sees(world: MediaWorld, blob: Blob, user_id: UserId) -> bool:
    try:
        found = await world.service.find(caller(user_id), blob.blob_id)
    except NotFound:
        return False
    assert found == blob
    return True


async def test_file_when_nobody_refers_to_it_then_its_owner_s_alone(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    assert await sees(world, blob, ANN)
    assert not await sees(world, blob, BOB)


async def test_file_when_the_message_was_not_accepted_then_no_right(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    await refer(world, blob)
    assert not await sees(world, blob, BOB)


async def test_file_when_the_message_is_there_then_for_both_and_nobody_else(
    world: MediaWorld,
) -> None:
    blob = await world.put(b"abc")
    key = await refer(world, blob)
    await world.storage.log_writer.append([entry(1, kind=Kind.FILE, operation_id=key)], [])
    assert await sees(world, blob, BOB)
    assert not await sees(world, blob, EVE)  # though the conversation is in her list


async def test_file_when_the_message_is_recalled_then_its_owner_s_again(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    key = await refer(world, blob)
    await world.storage.log_writer.append([entry(1, kind=Kind.FILE, operation_id=key)], [])
    recall = entry(2, kind=Kind.RECALL, ordinal=1)
    await world.storage.log_writer.append([recall], [(ANN_BOB, EraseEntry(entry(1).seq))])
    assert not await sees(world, blob, BOB)
    assert await sees(world, blob, ANN)


async def test_file_when_in_a_group_then_for_who_was_in_it_at_the_time(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    key = await refer(world, blob, GROUP)
    log = log_of([Kind.GROUP_CREATED, Kind.FILE, Kind.MEMBER_JOINED], GROUP)
    log[1] = log[1]._replace(client_message_id=key)
    members = in_group(put_group(), put_member(ANN, 1), put_member(BOB, 1, 2), put_member(EVE, 3))
    await world.storage.log_writer.append(log, members)
    assert await sees(world, blob, BOB)
    assert not await sees(world, blob, EVE)


async def test_find_when_there_is_no_such_file_then_the_same_as_no_right(world: MediaWorld) -> None:
    for name in ("0" * 64, "../../etc/passwd", ""):
        assert await code_of(world.service.find(caller(), name)) is ErrorCode.MEDIA_NOT_FOUND
    assert world.service.counters()["refused_total"] == 1


async def test_avatar_when_the_user_has_uploaded_it_then_that(world: MediaWorld) -> None:
    users = world.storage.accounts
    await users.create_accounts([account(ANN), account(BOB), account(EVE, deleted_at_ms=1)], [])
    picture = await world.put(PNG, media_type="image/png")
    text = await world.put(b"abc")
    none = ErrorCode.MEDIA_NOT_FOUND
    assert await code_of(world.service.find_avatar(ANN)) is none
    await users.update_account(ANN, avatar=picture.blob_id)
    assert await world.service.find_avatar(ANN) == picture
    for user_id, avatar in ((ANN, text.blob_id), (ANN, "cat"), (BOB, picture.blob_id)):
        await users.update_account(user_id, avatar=avatar)
        assert await code_of(world.service.find_avatar(user_id)) is none
    await users.update_account(EVE, avatar=picture.blob_id)
    assert await code_of(world.service.find_avatar(EVE)) is none


async def test_thumbnail_when_there_is_none_then_not_found(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    assert await code_of(anext(world.service.read_thumbnail(blob))) is ErrorCode.MEDIA_NOT_FOUND
    lost = replace(blob, object_id=UploadId(b"?" * 16))
    assert await code_of(anext(world.service.read(lost, 0, 3))) is ErrorCode.MEDIA_NOT_FOUND


async def test_files_when_listed_then_one_s_own_with_what_there_is(world: MediaWorld) -> None:
    mine = await world.put(b"abc", name="a.txt")
    await world.put(b"defg", BOB)
    [found] = await world.service.list_files(caller(), None, 9)
    assert (found.blob, found.name) == (mine, "a.txt")
    after = (found.added_at_ms, mine.blob_id)
    assert await world.service.list_files(caller(), after, 9) == ()
    assert await world.service.read_usage(caller()) == (3, 0)


async def test_file_when_deleted_then_gone_for_who_saw_it_by_a_message(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    await world.put(b"abc", EVE)
    key = await refer(world, blob)
    await world.storage.log_writer.append([entry(1, kind=Kind.FILE, operation_id=key)], [])
    await world.service.delete(caller(), blob.blob_id)
    assert await sees(world, blob, BOB)
    await world.service.delete(caller(EVE), blob.blob_id)
    assert not await sees(world, blob, BOB)
    assert world.service.counters()["deleted_total"] == 2


async def test_file_when_brought_again_then_messages_show_it_again(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    key = await refer(world, blob)
    await world.storage.log_writer.append([entry(1, kind=Kind.FILE, operation_id=key)], [])
    await world.service.delete(caller(), blob.blob_id)
    again = await world.put(b"abc", EVE)
    assert await sees(world, again, BOB)


async def test_delete_when_another_s_then_not_found(world: MediaWorld) -> None:
    blob = await world.put(b"abc")
    for blob_id in (blob.blob_id, "0" * 64, "x"):
        assert (
            await code_of(world.service.delete(caller(BOB), blob_id)) is ErrorCode.MEDIA_NOT_FOUND
        )
