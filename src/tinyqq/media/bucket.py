"""Files in a bucket of S3, or of whatever speaks like it (MinIO, Ceph, Garage)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterator
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import MemoryStore, S3Store

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, Unavailable

_PIECE_BYTES: Final = 1024 * 1024
"""What one request asks for. Not the whole in one: it would have to end in time, however slowly
the one who reads it takes it."""
_RETRY_AFTER_S: Final = 5.0
_TIMEOUT_S: Final = 30.0
_CONNECT_TIMEOUT_S: Final = 5.0
_RETRIES: Final = 3
_NO_BUCKET: Final = "NoSuchBucket"


class BucketStore:
    """Implements ``ports.media.ObjectStore``. See :meth:`open`."""

    def __init__(self, store: S3Store | MemoryStore) -> None:
        self._store = store

    @classmethod
    def open(
        cls,
        url: str,
        *,
        endpoint: str = "",
        region: str = "",
        access_key: str,
        secret_key: str,
        timeout_s: float = _TIMEOUT_S,
    ) -> BucketStore:
        """The bucket at ``s3://bucket/prefix``; nothing is asked of it yet.

        Args:
            endpoint: URL of a server that is not Amazon's.
            access_key, secret_key: empty: as the machine's AWS_… variables, or its role, say.
            timeout_s: of one request; none is begun again after so long.

        Raises:
            InvalidRequest: it is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, reason="expected s3://bucket/prefix")
        config: dict[str, Any] = {
            "endpoint": endpoint,
            "region": region,
            "access_key_id": access_key,
            "secret_access_key": secret_key,
        }
        store = S3Store(
            parts.hostname,
            prefix=parts.path.strip("/") or None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "timeout": timedelta(seconds=timeout_s),
                "connect_timeout": timedelta(seconds=min(timeout_s, _CONNECT_TIMEOUT_S)),
            },
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": timedelta(seconds=timeout_s),
            },
            **{name: value for name, value in config.items() if value},
        )
        return cls(store)

    async def put(self, key: str, pieces: AsyncIterable[bytes]) -> None:
        """Write an object; a large one in several parts, of which nothing is seen before the last.

        What an interruption leaves behind of those is for the bucket's own rules to clear away.
        """
        with _translating():
            # Not handed the iterator: the library would run it from a thread of its own.
            writer = obstore.open_writer_async(self._store, key)
            async for piece in pieces:
                await writer.write(piece)
            await writer.close()

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes, a piece at a time."""
        while start < end:
            wanted = min(_PIECE_BYTES, end - start)
            with _translating():
                found = await obstore.get_range_async(self._store, key, start=start, length=wanted)
            piece = bytes(found)
            yield piece
            if len(piece) < wanted:
                return
            start += wanted

    async def delete(self, keys: Collection[str]) -> None:
        """Delete objects."""
        with _translating():
            await obstore.delete_async(self._store, list(keys))


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        # Amazon's word in its answer; all that speak like it have it too.
        if _NO_BUCKET in str(exc):
            raise _failed("there is no such bucket") from exc
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND) from exc
    except (BaseError, OSError) as exc:
        raise _failed("the bucket failed") from exc


def _failed(reason: str) -> Unavailable:
    return Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, reason=reason)
