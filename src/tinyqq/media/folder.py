"""Files in a folder: of this machine, or a network's that all nodes have mounted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from tinyqq.errors import ErrorCode, NotFound, Unavailable

_PIECE_BYTES: Final = 256 * 1024
_RETRY_AFTER_S: Final = 5.0


class FolderStore:
    """Implements ``ports.media.ObjectStore``. Keys come from ``model/media.py``, never from people.

    Args:
        folder: made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, pieces: AsyncIterable[bytes]) -> None:
        """Write to a file of another name, make it durable, then rename it."""
        path = self._folder / key
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with _translating():
            file = await asyncio.to_thread(_create, draft)
            try:
                try:
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
                    await asyncio.to_thread(_sync, file)
                finally:
                    file.close()
                await asyncio.to_thread(_publish, draft, path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes, a piece at a time."""
        with _translating():
            file = await asyncio.to_thread((self._folder / key).open, "rb")
            try:
                file.seek(start)
                while start < end:
                    piece = await asyncio.to_thread(file.read, min(_PIECE_BYTES, end - start))
                    if not piece:
                        return
                    start += len(piece)
                    yield piece
            finally:
                file.close()

    async def delete(self, keys: Collection[str]) -> None:
        """Delete objects, and folders of uploads that are empty then."""
        with _translating():
            await asyncio.to_thread(self._delete, keys)

    def _delete(self, keys: Collection[str]) -> None:
        for key in keys:
            path = self._folder / key
            path.unlink(missing_ok=True)
            if key.startswith("uploads/"):
                with contextlib.suppress(OSError):  # the next part is in it, or it is gone
                    path.parent.rmdir()


def _create(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.open("xb")


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _publish(draft: Path, path: Path) -> None:
    draft.replace(path)
    if os.name == "posix":  # elsewhere folders cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as exc:
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND) from exc
    except OSError as exc:
        raise Unavailable(
            ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, reason="the folder of files failed"
        ) from exc
