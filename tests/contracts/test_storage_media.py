"""What is known of files, as every storage keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, EVE, GROUP, account, new_operation_id

from tinyqq.errors import Unavailable
from tinyqq.model.ids import ConversationId, UserId
from tinyqq.model.media import Blob, BlobId, OwnFile, Part, Upload, UploadId
from tinyqq.ports.media import MediaStore, Usage
from tinyqq.ports.storage import SendKey
from tinyqq.storage.open import Storage

ONE, OTHER = UploadId(b"1" * 16), UploadId(b"2" * 16)
SHA = BlobId("ab" * 32)
BLOB = Blob(SHA, 100, "image/png", ONE, 40, 20, has_thumbnail=True)


def upload(upload_id: UploadId = ONE, user_id: UserId = ANN, touched_at_ms: int = 5) -> Upload:
    return Upload(upload_id, user_id, "image/png", 100, SHA, touched_at_ms)


def part(offset: int, size: int, nonce: bytes = b"n" * 8) -> Part:
    return Part(offset, size, nonce)


def key(conversation_id: ConversationId = ANN_BOB, sender_id: UserId = ANN) -> SendKey:
    return SendKey(conversation_id, sender_id, new_operation_id())


async def announce(media: MediaStore, wanted: Upload) -> None:
    assert await media.create_upload(wanted, quota_bytes=0, max_open=99) is None


async def put_blob(
    media: MediaStore, user_id: UserId = ANN, blob: Blob = BLOB, now_ms: int = 10
) -> None:
    wanted = upload(blob.object_id, user_id)
    await announce(media, wanted)
    assert await media.finish_upload(wanted, blob.blob_id, blob, now_ms) == blob


async def bring_too(media: MediaStore, user_id: UserId) -> None:
    """Another owner of the same file."""
    again = upload(OTHER, user_id)
    await announce(media, again)
    assert await media.finish_upload(again, SHA, None, 11) == BLOB


async def test_upload_when_created_then_found_with_every_field(storage: Storage) -> None:
    await announce(storage.media, upload())
    assert await storage.media.find_upload(ONE) == upload()
    assert await storage.media.find_upload(OTHER) is None


async def test_part_when_it_is_the_next_then_taken(storage: Storage) -> None:
    media = storage.media
    await announce(media, upload())
    assert await media.add_part(ONE, part(0, 60), 6)
    assert not await media.add_part(ONE, part(0, 60, b"m" * 8), 7)
    assert not await media.add_part(ONE, part(61, 9), 7)
    assert not await media.add_part(OTHER, part(0, 60), 7)
    assert await media.add_part(ONE, part(60, 40), 8)
    assert await media.list_parts(ONE) == (part(0, 60), part(60, 40))
    assert await media.find_upload(ONE) == replace(upload(), offset_bytes=100, touched_at_ms=8)


async def test_part_when_two_come_for_one_place_then_one_is_taken(storage: Storage) -> None:
    await announce(storage.media, upload())
    parts = [part(0, 10 + number, bytes([number]) * 8) for number in range(6)]
    taken = await asyncio.gather(*(storage.media.add_part(ONE, one, 6) for one in parts))
    assert sorted(taken) == [False] * 5 + [True]
    assert await storage.media.list_parts(ONE) == (parts[taken.index(True)],)


async def test_upload_when_deleted_then_with_its_parts(storage: Storage) -> None:
    await announce(storage.media, upload())
    await storage.media.add_part(ONE, part(0, 60), 6)
    await storage.media.delete_upload(ONE)
    assert await storage.media.find_upload(ONE) is None
    assert await storage.media.list_parts(ONE) == ()


async def test_file_when_finished_then_it_is_its_owner_s(storage: Storage) -> None:
    await put_blob(storage.media)
    assert await storage.media.find_blob(SHA) == BLOB
    assert await storage.media.is_owner(ANN, SHA)
    assert not await storage.media.is_owner(BOB, SHA)
    found = await storage.media.find_upload(ONE)
    assert found is not None
    assert (found.is_finished, found.blob_id, found.touched_at_ms) == (True, SHA, 10)


async def test_file_when_another_brings_it_too_then_the_first_object_stays(
    storage: Storage,
) -> None:
    media = storage.media
    await put_blob(media)
    again = upload(OTHER, BOB)
    await announce(media, again)
    assert await media.finish_upload(again, SHA, replace(BLOB, object_id=OTHER), 11) == BLOB
    assert await media.is_owner(BOB, SHA)


async def test_file_when_expected_and_gone_then_none(storage: Storage) -> None:
    await announce(storage.media, upload())
    assert await storage.media.finish_upload(upload(), SHA, None, 11) is None
    assert not await storage.media.is_owner(ANN, SHA)


async def test_usage_when_read_then_files_and_open_uploads(storage: Storage) -> None:
    media = storage.media
    assert await media.read_usage(ANN) == Usage(0, 0)
    await put_blob(media)
    await announce(media, replace(upload(OTHER), size_bytes=7))
    assert await media.read_usage(ANN) == Usage(107, 1)
    assert await media.read_usage(BOB) == Usage(0, 0)


async def test_upload_when_there_is_no_room_then_told_what_there_is(storage: Storage) -> None:
    media = storage.media
    await put_blob(media)
    for quota_bytes, max_open, expected in ((199, 9, Usage(100, 0)), (200, 9, None)):
        one = upload(OTHER)
        assert (
            await media.create_upload(one, quota_bytes=quota_bytes, max_open=max_open) == expected
        )
        assert await media.find_upload(OTHER) == (None if expected else one)
    third = upload(UploadId(b"3" * 16))
    assert await media.create_upload(third, quota_bytes=0, max_open=1) == Usage(200, 1)
    await media.delete_upload(OTHER)
    assert await media.create_upload(third, quota_bytes=0, max_open=1) is None


async def test_uploads_when_announced_at_once_then_never_more_than_there_is_room_for(
    storage: Storage,
) -> None:
    wanted = [upload(UploadId(bytes([number]) * 16)) for number in range(8)]

    async def create(one: Upload) -> bool:
        try:
            return await storage.media.create_upload(one, quota_bytes=350, max_open=9) is None
        except Unavailable:  # too many at once for this database
            return False

    stored = sum(await asyncio.gather(*(create(one) for one in wanted)))
    assert await storage.media.read_usage(ANN) == Usage(100 * stored, stored)
    assert 1 <= stored <= 3


async def test_files_when_listed_then_the_newest_first_page_by_page(storage: Storage) -> None:
    media = storage.media
    blobs = [
        replace(
            BLOB, blob_id=BlobId(f"{number:02x}" * 32), object_id=UploadId(bytes([number]) * 16)
        )
        for number in range(5)
    ]
    for at, blob in enumerate(blobs):
        await put_blob(media, blob=blob, now_ms=10 + at // 2)
    await put_blob(media, BOB)
    everything = await media.list_files(ANN, None, 9)
    assert [one.blob for one in everything] == blobs[::-1]
    assert [one.added_at_ms for one in everything] == [12, 11, 11, 10, 10]
    last = everything[1]
    rest = await media.list_files(ANN, (last.added_at_ms, last.blob.blob_id), 2)
    assert rest == everything[2:4]


async def test_files_when_brought_again_then_as_they_were_called_last(storage: Storage) -> None:
    media = storage.media
    for number, name in enumerate(("a.png", "b.png")):
        one = replace(upload(UploadId(bytes([number]) * 16)), name=name)
        await announce(media, one)
        await media.finish_upload(one, SHA, BLOB, 10 + number)
    assert await media.list_files(ANN, None, 9) == (OwnFile(BLOB, "b.png", 11),)


async def test_file_when_its_last_owner_lets_go_then_it_is_left_to_be_cleared(
    storage: Storage,
) -> None:
    media = storage.media
    await put_blob(media)
    await bring_too(media, BOB)
    await media.add_reference(SHA, key(), 11)
    assert not await media.disown(EVE, SHA, 12)
    assert await media.disown(ANN, SHA, 12)
    assert not await media.disown(ANN, SHA, 12)
    assert await media.find_blob(SHA) == BLOB
    assert await media.read_usage(ANN) == Usage(0, 0)
    assert await media.disown(BOB, SHA, 13)
    assert await media.find_blob(SHA) is None
    [left] = await media.list_stale_uploads(1, 9)
    assert (left.upload_id, left.blob_id) == (ONE, SHA)


async def test_file_when_its_owners_let_go_at_once_then_nothing_stays(storage: Storage) -> None:
    await put_blob(storage.media)
    await bring_too(storage.media, BOB)
    done = await asyncio.gather(*(storage.media.disown(one, SHA, 12) for one in (ANN, BOB)))
    assert done == [True, True]
    assert await storage.media.find_blob(SHA) is None


async def test_file_when_it_turns_out_an_image_then_the_new_object_is_taken(
    storage: Storage,
) -> None:
    media = storage.media
    plain = Blob(SHA, 100, "application/octet-stream", ONE)
    await put_blob(media, blob=plain)
    await media.delete_upload(ONE)
    again = upload(OTHER, BOB)
    await announce(media, again)
    image = replace(BLOB, object_id=OTHER)
    assert await media.finish_upload(again, SHA, image, 20) == image
    assert await media.find_blob(SHA) == image
    left = await media.find_upload(ONE)
    assert left is not None
    assert (left.blob_id, left.is_finished, left.touched_at_ms) == (SHA, True, 20)


async def test_references_when_asked_for_then_in_the_viewer_s_conversations(
    storage: Storage,
) -> None:
    media = storage.media
    await put_blob(media)
    direct, group, own = key(), key(GROUP), key(ANN_OWN)
    assert not await media.add_reference(BlobId("cd" * 32), direct, 12)
    for at, one in enumerate((direct, group, own, direct)):
        assert await media.add_reference(SHA, one, 12 + at)
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB), (BOB, ANN_BOB), (EVE, GROUP)])
    assert set(await media.find_references(SHA, ANN, 9)) == {direct, own}
    assert await media.find_references(SHA, BOB, 9) == (direct,)
    assert await media.find_references(SHA, EVE, 9) == (group,)
    assert await media.find_references(SHA, UserId(20_000), 9) == ()
    assert await media.find_references(SHA, ANN, 1) == (own,)


async def test_unreferred_when_listed_then_old_ones_without_references(storage: Storage) -> None:
    media = storage.media
    await put_blob(media)
    other = Blob(BlobId("cd" * 32), 1, "text/plain", OTHER)
    await put_blob(media, BOB, other)
    await media.add_reference(other.blob_id, key(), 11)
    assert await media.list_unreferred(10, 9) == ()
    assert await media.list_unreferred(11, 9) == (BLOB,)
    await media.touch_blob(SHA, 20)
    assert await media.list_unreferred(11, 9) == ()


async def test_file_when_dropped_then_it_is_left_to_be_cleared(storage: Storage) -> None:
    media = storage.media
    await put_blob(media)
    await media.drop_blob(SHA, 10)
    assert await media.find_blob(SHA) == BLOB
    await media.drop_blob(SHA, 11)
    assert await media.find_blob(SHA) is None
    assert not await media.is_owner(ANN, SHA)
    [left] = await media.list_stale_uploads(1, 9)
    assert (left.upload_id, left.blob_id) == (ONE, SHA)


async def test_file_when_referred_to_meanwhile_then_not_dropped(storage: Storage) -> None:
    await put_blob(storage.media)
    await storage.media.add_reference(SHA, key(), 10)
    await storage.media.drop_blob(SHA, 99)
    assert await storage.media.find_blob(SHA) == BLOB


async def test_avatar_when_its_user_has_uploaded_it_then_one(storage: Storage) -> None:
    await storage.accounts.create_accounts([account(ANN), account(BOB)], [])
    await put_blob(storage.media)
    await storage.accounts.update_account(BOB, avatar=SHA)
    assert not await storage.media.is_avatar(SHA)
    await storage.accounts.update_account(ANN, avatar=SHA)
    assert await storage.media.is_avatar(SHA)


async def test_stale_when_listed_then_the_oldest_first(storage: Storage) -> None:
    for number in range(3):
        one = upload(UploadId(bytes([number]) * 16), touched_at_ms=9 - number)
        await announce(storage.media, one)
    found = await storage.media.list_stale_uploads(9, 9)
    assert [one.touched_at_ms for one in found] == [7, 8]
    assert len(await storage.media.list_stale_uploads(9, 1)) == 1


async def test_sweep_when_several_want_it_then_one_has_it_for_a_while(storage: Storage) -> None:
    takes = await asyncio.gather(*(storage.media.take_sweep(100, 200) for _ in range(5)))
    assert sorted(takes) == [False] * 4 + [True]
    assert not await storage.media.take_sweep(150, 250)
    assert await storage.media.take_sweep(200, 300)
