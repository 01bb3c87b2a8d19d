"""Objects, as every store keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
from obstore.store import MemoryStore
from tests.support.s3 import S3Server, bucket

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.media.bucket import BucketStore
from tinyqq.media.folder import FolderStore
from tinyqq.ports.media import ObjectStore

KEY = "blobs/ab/abcd-01"
PART = "uploads/01/0000000000000000-aa"


KINDS = ("folder", "memory", pytest.param("s3", marks=pytest.mark.slow))


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[ObjectStore, ObjectStore]:
    """The same one, as two nodes have it."""
    match request.param:
        case "folder":
            return FolderStore(tmp_path / "media"), FolderStore(tmp_path / "media")
        case "memory":
            memory = MemoryStore()
            return BucketStore(memory), BucketStore(memory)
        case _:
            server: S3Server = request.getfixturevalue("s3_server")
            url = server.make_bucket()
            return bucket(url, server.endpoint), bucket(url, server.endpoint)


@pytest.fixture
def store(stores: tuple[ObjectStore, ObjectStore]) -> ObjectStore:
    return stores[0]


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def content(store: ObjectStore, key: str = KEY, start: int = 0, end: int = 10**9) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, end)])


async def test_object_when_put_then_read_as_it_was(store: ObjectStore) -> None:
    large = Random(1).randbytes(3_000_000)
    await store.put(KEY, pieces_of(large[:1_000_000], large[1_000_000:]))
    assert await content(store, end=len(large)) == large


async def test_object_when_larger_than_a_part_then_read_as_it_was(
    stores: tuple[ObjectStore, ObjectStore],
) -> None:
    one, other = stores
    large = Random(2).randbytes(13_000_001)
    pieces = (large[at : at + 700_000] for at in range(0, len(large), 700_000))
    await one.put(KEY, pieces_of(*pieces))
    assert await content(other, end=len(large)) == large
    assert await content(other, start=10_485_000, end=10_486_000) == large[10_485_000:10_486_000]


@pytest.mark.parametrize(("start", "end"), [(0, 3), (3, 7), (9, 10), (4, 4), (6, 99)])
async def test_object_when_a_range_is_read_then_that(
    store: ObjectStore, start: int, end: int
) -> None:
    await store.put(KEY, pieces_of(b"0123456789"))
    assert await content(store, start=start, end=end) == b"0123456789"[start:end]


async def test_object_when_put_again_then_the_new_one(store: ObjectStore) -> None:
    await store.put(KEY, pieces_of(b"old"))
    await store.put(KEY, pieces_of(b"new"))
    assert await content(store, end=3) == b"new"


async def test_object_when_several_put_it_at_once_then_one_of_theirs_as_a_whole(
    stores: tuple[ObjectStore, ObjectStore],
) -> None:
    written = [bytes([number]) * 300_000 for number in range(6)]
    await asyncio.gather(
        *(
            stores[number % 2].put(KEY, pieces_of(one[:100_000], one[100_000:]))
            for number, one in enumerate(written)
        )
    )
    assert await content(stores[0], end=300_000) in written


async def test_object_when_another_node_has_put_or_deleted_it_then_seen(
    stores: tuple[ObjectStore, ObjectStore],
) -> None:
    one, other = stores
    await one.put(KEY, pieces_of(b"x"))
    assert await content(other, end=1) == b"x"
    await other.delete([KEY])
    with pytest.raises(NotFound):
        await content(one, end=1)


async def test_objects_when_many_are_deleted_then_all(store: ObjectStore) -> None:
    keys = [f"uploads/01/{number:016d}-aa" for number in range(40)]
    for key in keys:
        await store.put(key, pieces_of(b"x"))
    await store.delete(keys)
    for key in (keys[0], keys[-1]):
        with pytest.raises(NotFound):
            await content(store, key, end=1)


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
