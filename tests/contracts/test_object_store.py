"""Objects, as every store keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from obstore.store import MemoryStore

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.media.bucket import BucketStore
from tinyqq.media.folder import FolderStore
from tinyqq.ports.media import ObjectStore

KEY = "blobs/ab/abcd-01"
PART = "uploads/01/0000000000000000-aa"


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "media")
    return BucketStore(MemoryStore())


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def content(store: ObjectStore, key: str = KEY, start: int = 0, end: int = 10**9) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, end)])


async def test_object_when_put_then_read_as_it_was(store: ObjectStore) -> None:
    large = Random(1).randbytes(3_000_000)
    await store.put(KEY, pieces_of(large[:1_000_000], large[1_000_000:]))
    assert await content(store, end=len(large)) == large


@pytest.mark.parametrize(("start", "end"), [(0, 3), (3, 7), (9, 10), (4, 4)])
async def test_object_when_a_range_is_read_then_that(
    store: ObjectStore, start: int, end: int
) -> None:
    await store.put(KEY, pieces_of(b"0123456789"))
    assert await content(store, start=start, end=end) == b"0123456789"[start:end]


async def test_object_when_put_again_then_the_new_one(store: ObjectStore) -> None:
    await store.put(KEY, pieces_of(b"old"))
    await store.put(KEY, pieces_of(b"new"))
    assert await content(store, end=3) == b"new"


async def test_object_when_its_source_fails_then_it_is_not_there(store: ObjectStore) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half"
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND)

    with pytest.raises(NotFound):
        await store.put(KEY, broken())
    with pytest.raises(NotFound):
        await content(store, end=4)


async def test_object_when_deleted_then_gone_and_again_is_no_error(store: ObjectStore) -> None:
    await store.put(KEY, pieces_of(b"x"))
    await store.put(PART, pieces_of(b"y"))
    await store.delete([KEY, PART, "blobs/ab/never"])
    await store.delete([KEY])
    for key in (KEY, PART):
        with pytest.raises(NotFound) as caught:
            await content(store, key, end=1)
        assert caught.value.code is ErrorCode.MEDIA_NOT_FOUND
