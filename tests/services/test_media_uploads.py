"""Files on their way in."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from tests.support.logs import ANN, BOB
from tests.support.media import PNG, MediaWorld, caller, media_world, pieces_of
from tests.support.worlds import code_of

from tinyqq.errors import Conflict, ErrorCode, NotFound, Unavailable
from tinyqq.model.media import MAX_IMAGE_BYTES, MIN_PART_BYTES, PART_BYTES, CreateUpload, UploadId
from tinyqq.services.media_uploads import MAX_OPEN_UPLOADS, MediaPolicy

POLICY = MediaPolicy(max_bytes=40 * 1024 * 1024, types=("text/*", "image/*"), quota_bytes=2**26)
BIG = Random(3).randbytes(PART_BYTES + MIN_PART_BYTES + 5)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MediaWorld]:
    async with media_world(tmp_path, POLICY) as made:
        yield made


async def begin(world: MediaWorld, content: bytes, **more: str) -> UploadId:
    wish = CreateUpload(len(content), more.pop("media_type", "text/plain"), **more)
    return (await world.uploads.create(caller(), wish)).upload_id


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (CreateUpload(0, "text/plain"), ErrorCode.MEDIA_TOO_LARGE),
        (CreateUpload(POLICY.max_bytes + 1, "text/plain"), ErrorCode.MEDIA_TOO_LARGE),
        (CreateUpload(MAX_IMAGE_BYTES + 1, "image/png"), ErrorCode.MEDIA_TOO_LARGE),
        (CreateUpload(1, "video/mp4"), ErrorCode.MEDIA_TYPE_REFUSED),
        (CreateUpload(1, ""), ErrorCode.MEDIA_TYPE_REFUSED),
        (CreateUpload(1, "text/plain", "no hash"), ErrorCode.MEDIA_NOT_FOUND),
    ],
)
async def test_create_when_not_allowed_then_refused(
    world: MediaWorld, wish: CreateUpload, code: ErrorCode
) -> None:
    assert await code_of(world.uploads.create(caller(), wish)) is code


async def test_create_when_the_account_has_too_much_then_refused(world: MediaWorld) -> None:
    half = CreateUpload(POLICY.quota_bytes // 2, "text/plain")
    await world.uploads.create(caller(), half)
    await world.uploads.create(caller(), half)
    refused = world.uploads.create(caller(), CreateUpload(1, "text/plain"))
    assert await code_of(refused) is ErrorCode.MEDIA_QUOTA_EXCEEDED
    await world.uploads.create(caller(BOB), half)


async def test_create_when_too_many_are_open_then_refused(world: MediaWorld) -> None:
    for _ in range(MAX_OPEN_UPLOADS):
        await begin(world, b"x")
    assert await code_of(begin(world, b"x")) is ErrorCode.MEDIA_QUOTA_EXCEEDED


async def test_append_when_large_then_kept_in_parts_and_made_one(world: MediaWorld) -> None:
    upload_id = await begin(world, BIG)
    pieces = [BIG[at : at + 50_000] for at in range(0, len(BIG), 50_000)]
    upload = await world.uploads.append(caller(), upload_id, 0, pieces_of(*pieces))
    assert upload.is_complete
    assert len(await world.storage.media.list_parts(upload_id)) == 2
    blob = await world.uploads.finish(caller(), upload_id)
    assert blob.blob_id == hashlib.sha256(BIG).hexdigest()
    read = [piece async for piece in world.service.read(blob, 0, blob.size_bytes)]
    assert b"".join(read) == BIG
    assert [key.split("/")[0] for key in world.keys()] == ["blobs"]


async def test_append_when_cut_off_then_what_came_is_kept(world: MediaWorld) -> None:
    async def cut(size: int) -> AsyncIterator[bytes]:
        yield BIG[:size]
        raise Unavailable(ErrorCode.CONNECTION_LOST)

    upload_id = await begin(world, BIG)
    for size, kept in ((MIN_PART_BYTES - 1, 0), (MIN_PART_BYTES, MIN_PART_BYTES)):
        appended = world.uploads.append(caller(), upload_id, 0, cut(size))
        assert await code_of(appended) is ErrorCode.CONNECTION_LOST
        assert (await world.uploads.find(caller(), upload_id)).offset_bytes == kept
    rest = pieces_of(BIG[MIN_PART_BYTES:])
    await world.uploads.append(caller(), upload_id, MIN_PART_BYTES, rest)
    blob = await world.uploads.finish(caller(), upload_id)
    assert blob.blob_id == hashlib.sha256(BIG).hexdigest()


async def test_append_when_elsewhere_then_told_where(world: MediaWorld) -> None:
    upload_id = await begin(world, BIG)
    with pytest.raises(Conflict) as caught:
        await world.uploads.append(caller(), upload_id, 5, pieces_of(b"x"))
    assert caught.value.fields == {"offset": 0}


async def test_append_when_two_do_at_once_then_one_is_refused_and_leaves_nothing(
    world: MediaWorld,
) -> None:
    upload_id = await begin(world, b"0123456789")

    async def overtaken() -> AsyncIterator[bytes]:
        yield b"ABCDEFGHIJ"
        await world.uploads.append(caller(), upload_id, 0, pieces_of(b"0123456789"))

    slow = world.uploads.append(caller(), upload_id, 0, overtaken())
    assert await code_of(slow) is ErrorCode.UPLOAD_ELSEWHERE
    assert len(world.keys()) == 1
    blob = await world.uploads.finish(caller(), upload_id)
    assert blob.blob_id == hashlib.sha256(b"0123456789").hexdigest()


async def test_append_when_too_much_or_too_little_then_refused(world: MediaWorld) -> None:
    upload_id = await begin(world, BIG)
    much = world.uploads.append(caller(), upload_id, 0, pieces_of(BIG[:PART_BYTES], BIG))
    assert await code_of(much) is ErrorCode.MEDIA_TOO_LARGE
    upload_id = await begin(world, BIG)
    little = world.uploads.append(caller(), upload_id, 0, pieces_of(b"x"))
    assert await code_of(little) is ErrorCode.BAD_MEDIA


async def test_upload_when_somebody_else_s_then_not_found(world: MediaWorld) -> None:
    upload_id = await begin(world, b"x")
    for call in (
        world.uploads.find(caller(BOB), upload_id),
        world.uploads.append(caller(BOB), upload_id, 0, pieces_of(b"x")),
        world.uploads.finish(caller(BOB), upload_id),
        world.uploads.cancel(caller(BOB), upload_id),
    ):
        assert await code_of(call) is ErrorCode.MEDIA_NOT_FOUND


async def test_finish_when_repeated_then_the_same(world: MediaWorld) -> None:
    upload_id = await begin(world, b"abc")
    assert await code_of(world.uploads.finish(caller(), upload_id)) is ErrorCode.UPLOAD_ELSEWHERE
    await world.uploads.append(caller(), upload_id, 0, pieces_of(b"abc"))
    first = await world.uploads.finish(caller(), upload_id)
    assert await world.uploads.finish(caller(), upload_id) == first
    await world.uploads.cancel(caller(), upload_id)
    assert await world.storage.media.find_blob(first.blob_id) == first


async def test_finish_when_another_content_was_announced_then_forgotten(world: MediaWorld) -> None:
    upload_id = await begin(world, b"abc", blob_id="0" * 64)
    await world.uploads.append(caller(), upload_id, 0, pieces_of(b"abc"))
    assert await code_of(world.uploads.finish(caller(), upload_id)) is ErrorCode.BAD_MEDIA
    with pytest.raises(NotFound):
        await world.uploads.find(caller(), upload_id)
    assert world.keys() == []


async def test_finish_when_a_picture_then_looked_into_once(world: MediaWorld) -> None:
    blob = await world.put(PNG + b"1", media_type="image/jpeg")
    assert (blob.media_type, blob.width, blob.height) == ("image/png", 40, 20)
    assert b"".join([one async for one in world.service.read_thumbnail(blob)]) == b"small"
    again = await world.put(PNG + b"1", BOB, media_type="image/png")
    assert again == blob
    assert world.pictures.looked_at == [PNG + b"1"]
    assert [key.split("/")[0] for key in world.keys()] == ["blobs", "thumbnails"]
    assert world.service.counters()["uploads_known_content_total"] == 1


async def test_finish_when_known_as_a_mere_file_then_looked_into_after_all(
    world: MediaWorld,
) -> None:
    plain = await world.put(PNG + b"1")
    image = await world.put(PNG + b"1", BOB, media_type="image/png")
    assert (image.blob_id, image.media_type, image.is_image) == (plain.blob_id, "image/png", True)
    assert await world.service.find(caller(), plain.blob_id) == image
    read = [piece async for piece in world.service.read(image, 0, image.size_bytes)]
    assert b"".join(read) == PNG + b"1"
    assert await world.put(PNG + b"1") == image
    assert world.pictures.looked_at == [PNG + b"1"]


async def test_finish_when_known_as_a_mere_file_and_broken_then_it_stays_one(
    world: MediaWorld,
) -> None:
    plain = await world.put(b"xxx")
    assert await code_of(world.put(b"xxx", BOB, media_type="image/png")) is ErrorCode.BAD_MEDIA
    assert await world.service.find(caller(), plain.blob_id) == plain


async def test_finish_when_a_broken_picture_then_forgotten(world: MediaWorld) -> None:
    assert await code_of(world.put(b"xxx", media_type="image/png")) is ErrorCode.BAD_MEDIA
    assert world.keys() == []


async def test_finish_when_no_picture_by_name_then_not_looked_into(world: MediaWorld) -> None:
    blob = await world.put(PNG, media_type="image/svg+xml")
    assert not blob.is_image
    assert world.pictures.looked_at == []


async def test_cancel_when_open_then_its_parts_go(world: MediaWorld) -> None:
    upload_id = await begin(world, BIG)
    await world.uploads.append(caller(), upload_id, 0, pieces_of(BIG[:PART_BYTES]))
    assert len(world.keys()) == 1
    await world.uploads.cancel(caller(), upload_id)
    assert world.keys() == []
    assert await world.storage.media.read_usage(ANN) == (0, 0)
