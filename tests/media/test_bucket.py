"""What is particular to a bucket; the rest is in tests/contracts."""

from __future__ import annotations

import socket

import pytest
from obstore.store import MemoryStore
from tests.support.media import pieces_of

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.media.bucket import BucketStore


def bucket(url: str, endpoint: str = "") -> BucketStore:
    return BucketStore.open(
        url, endpoint=endpoint, region="us-east-1", access_key="key", secret_key="secret"
    )


@pytest.mark.parametrize("url", ["http://bucket", "s3:bucket", "folder"])
def test_open_when_no_address_of_a_bucket_then_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        bucket(url)


async def test_read_when_missing_then_not_found() -> None:
    with pytest.raises(NotFound):
        await anext(BucketStore(MemoryStore()).read("a", 0, 1))


async def test_read_when_nothing_is_asked_for_then_nothing() -> None:
    assert [piece async for piece in BucketStore(MemoryStore()).read("a", 4, 4)] == []


@pytest.mark.timeout(60)
async def test_put_when_nobody_answers_then_unavailable() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = bucket("s3://files/tinyqq", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(Unavailable) as caught:
            await store.put("a", pieces_of(b"1"))
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "secret" not in str(caught.value)
