"""What is particular to a bucket; the rest is in tests/contracts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from obstore.store import MemoryStore
from tests.support.media import pieces_of
from tests.support.s3 import S3Server, bucket

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.media.bucket import BucketStore


@pytest.mark.parametrize("url", ["http://bucket", "s3:bucket", "folder"])
def test_open_when_no_address_of_a_bucket_then_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        bucket(url, "")


async def test_read_when_missing_then_not_found() -> None:
    with pytest.raises(NotFound):
        await anext(BucketStore(MemoryStore()).read("a", 0, 1))


async def test_read_when_nothing_is_asked_for_then_nothing() -> None:
    assert [piece async for piece in BucketStore(MemoryStore()).read("a", 4, 4)] == []


async def test_put_when_nobody_answers_then_unavailable() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        store = bucket("s3://files/tinyqq", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        with pytest.raises(Unavailable) as caught:
            await store.put("a", pieces_of(b"1"))
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert "secret" not in str(caught.value)


@asynccontextmanager
async def endpoint(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that says this to everything, or nothing at all; and what it was asked."""
    asked: list[bytes] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def test_calls_when_the_endpoint_is_stuck_then_given_up() -> None:
    async with endpoint(b"") as (url, asked):
        store = bucket("s3://files/tinyqq", url, timeout_s=0.5)
        for call in (
            anext(store.read("a", 0, 1)),
            store.put("a", pieces_of(b"1")),
            store.delete(["a"]),
        ):
            with pytest.raises(Unavailable) as caught:
                await call
            assert caught.value.code is ErrorCode.UNAVAILABLE
    assert {one.split()[0] for one in asked} == {b"GET", b"PUT", b"POST"}


@pytest.mark.parametrize("status", [b"403 Forbidden", b"301 Moved Permanently", b"400 Bad Request"])
async def test_calls_when_refused_then_unavailable(status: bytes) -> None:
    async with endpoint(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as (url, _):
        store = bucket("s3://files/tinyqq", url, timeout_s=30)
        with pytest.raises(Unavailable) as caught:
            await store.put("a", pieces_of(b"1"))
        assert "secret" not in str(caught.value)
        with pytest.raises(Unavailable):
            await anext(store.read("a", 0, 1))


async def test_read_when_large_then_each_request_asks_for_a_part() -> None:
    # Of the whole in one, whoever takes it slowly would not see the end before the deadline.
    async with endpoint(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as (url, asked):
        with pytest.raises(NotFound):
            await anext(bucket("s3://files", url, timeout_s=30).read("a", 5, 10**9))
    assert b"range: bytes=5-1048580\r\n" in asked[0].lower()


@pytest.mark.slow
async def test_put_when_there_is_no_such_bucket_then_unavailable(s3_server: S3Server) -> None:
    store = bucket("s3://nobody-has-it", s3_server.endpoint)
    for call in (store.put("a", pieces_of(b"1")), anext(store.read("a", 0, 1))):
        with pytest.raises(Unavailable):
            await call
