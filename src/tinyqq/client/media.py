"""Files: sending them up, fetching them, and going on where a connection broke."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import mimetypes
import os
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote

from tinyqq.client.image_metadata import without_metadata
from tinyqq.client.media_http import MediaHttp
from tinyqq.client.messages import Message
from tinyqq.client.retry import Backoff
from tinyqq.errors import Conflict, ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.model.media import OCTETS, check_blob_id
from tinyqq.model.message import Media as MediaRecord

CHUNK_BYTES: Final = 1024 * 1024
"""What one request carries, and what a break costs."""
_TUS: Final = {"Tus-Resumable": "1.0.0"}
_PATCH: Final = {**_TUS, "Content-Type": "application/offset+octet-stream"}
_TRIES: Final = 6
"""How often in a row something may fail before it is given up."""
_MAX_NAME_BYTES: Final = 200
_NO_NAME: Final = "file"
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')

Progress = Callable[[int, int], None]
"""Told how many bytes of how many are there."""
Source = str | Path | bytes
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of one's own on the server. ``media.name``: as it was called when it was uploaded."""

    media: MediaRecord
    added_at_ms: int


@dataclass(frozen=True, slots=True)
class StoredFiles:
    """What an account has. ``used_bytes``: with what is on its way up; ``quota_bytes``: 0: any
    number; ``files``: the newest first; ``next``: where the next page begins, empty on the last."""

    used_bytes: int
    quota_bytes: int
    files: tuple[StoredFile, ...]
    next: str


class Media:
    """``me.media``. Every method raises what the server answers (see ``errors.py``); Unavailable
    when it could not be reached for a while."""

    def __init__(self, http: MediaHttp, *, random: Random) -> None:
        self._http = http
        self._random = random

    async def upload(
        self,
        source: Source,
        *,
        name: str = "",
        media_type: str = "",
        as_picture: bool = False,
        on_progress: Progress | None = None,
    ) -> MediaRecord:
        """Send a file up, so that messages can refer to it.

        Args:
            source: a path, or the bytes themselves.
            name: how others shall call it; by default the path's last part.
            media_type: by default what the name says.
            as_picture: leave out what a JPEG, PNG or WebP tells besides the picture: place, time,
                maker.

        Returns:
            What a message's content holds (``Content(media=…)``); ``blob_id`` is also what
            ``me.account.update_profile(avatar=…)`` takes.

        Raises:
            InvalidRequest: MEDIA_TOO_LARGE, MEDIA_TYPE_REFUSED; BAD_MEDIA for a broken picture.
            Conflict: MEDIA_QUOTA_EXCEEDED.
            OSError: the file cannot be read.
        """
        if isinstance(source, bytes):
            content = source
        else:
            content = await read_source(source)
            name = name or Path(source).name
        # Names on a disk are bytes; what is no text becomes question marks.
        name = name.encode(errors="replace").decode()
        if as_picture:
            content = await asyncio.to_thread(without_metadata, content)
        kind = media_type or mimetypes.guess_type(name)[0] or OCTETS
        sha256 = (await asyncio.to_thread(hashlib.sha256, content)).hexdigest()
        told = {"filetype": kind, "sha256": sha256, "filename": name}
        place = await self._retried(partial(self._announce, len(content), told))
        await self._send(place, content, on_progress or _nobody)
        blob = (await self._retried(partial(self._json, place)))["blob"]
        return _record(blob, name)

    async def download(
        self,
        what: Message | MediaRecord | str,
        to: str | Path,
        *,
        on_progress: Progress | None = None,
    ) -> Path:
        """Fetch a file of a message (or by its blob id) onto the disk.

        Args:
            to: a new file, or a folder: then the name that its sender gave it, made harmless, with
                a number where that is taken.

        Returns:
            Where it is.

        Raises:
            NotFound: MEDIA_NOT_FOUND, also for a file that one may not see.
            FileExistsError: there is such a file.
        """
        blob_id = blob_id_of(what)
        folder_or_file, name = Path(to), name_of(what)
        target = _target(folder_or_file, name)
        draft = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
        try:
            with draft.open("xb") as file:
                await self._fetch(blob_id, file, on_progress or _nobody)
            # Meanwhile another download may have taken the name.
            target = _target(folder_or_file, name)
            draft.rename(target)
        finally:
            draft.unlink(missing_ok=True)
        return target

    async def read(self, what: Message | MediaRecord | str) -> bytes:
        """A file's bytes."""
        return await self._bytes(f"/v1/media/{blob_id_of(what)}")

    async def thumbnail(self, what: Message | MediaRecord | str) -> bytes:
        """A small picture of an image, WebP."""
        return await self._bytes(f"/v1/media/{blob_id_of(what)}/thumbnail")

    async def avatar(self, user_id: int) -> bytes:
        """A user's picture, WebP. NotFound when there is none."""
        return await self._bytes(f"/v1/avatars/{user_id}")

    async def list_files(self, *, after: str = "") -> StoredFiles:
        """One's own files, page by page.

        Args:
            after: ``next`` of the page before.
        """
        told = await self._retried(partial(self._json, f"/v1/media?after={quote(after, safe='')}"))
        return StoredFiles(
            used_bytes=told["used_bytes"],
            quota_bytes=told["quota_bytes"],
            files=tuple(
                StoredFile(_record(one, one["name"]), one["added_at_ms"]) for one in told["files"]
            ),
            next=told["next"] or "",
        )

    async def delete(self, what: Message | MediaRecord | str) -> None:
        """Delete a file of one's own. Messages stay, and show that it was removed, unless others
        have uploaded it too.

        Raises:
            NotFound: MEDIA_NOT_FOUND: it is not one's own (any more).
        """
        path = f"/v1/media/{blob_id_of(what)}"
        async with self._http.ask("DELETE", path):
            pass

    # ---- up --------------------------------------------------------------------------------------

    async def _announce(self, size_bytes: int, metadata: dict[str, str]) -> str:
        headers = {
            **_TUS,
            "Upload-Length": str(size_bytes),
            "Upload-Metadata": ",".join(f"{name} {_base64(it)}" for name, it in metadata.items()),
        }
        async with self._http.ask("POST", "/v1/uploads", headers=headers) as answer:
            return answer.headers["Location"]

    async def _send(self, place: str, content: bytes, on_progress: Progress) -> None:
        done = 0
        on_progress(0, len(content))
        backoff, failures = Backoff(random=self._random), 0
        while done < len(content):
            try:
                if failures:
                    done = await self._offset(place)
                    if done == len(content):
                        break
                done = await self._patch(place, done, content[done : done + CHUNK_BYTES])
                failures = 0
                backoff = Backoff(random=self._random)
            except Conflict as error:
                if error.code is not ErrorCode.UPLOAD_ELSEWHERE or failures >= _TRIES:
                    raise
                failures += 1
            except Unavailable as error:
                failures += 1
                if failures >= _TRIES:
                    raise
                await asyncio.sleep(backoff.next_s(at_least_s=error.retry_after_s))
            on_progress(done, len(content))

    async def _offset(self, place: str) -> int:
        async with self._http.ask("HEAD", place, headers=_TUS) as answer:
            return int(answer.headers["Upload-Offset"])

    async def _patch(self, place: str, offset: int, chunk: bytes) -> int:
        headers = {**_PATCH, "Upload-Offset": str(offset)}
        async with self._http.ask("PATCH", place, data=chunk, headers=headers) as answer:
            return int(answer.headers["Upload-Offset"])

    async def _json(self, path: str) -> dict[str, Any]:
        async with self._http.ask("GET", path) as answer:
            told: dict[str, Any] = await answer.json()
            return told

    # ---- down ------------------------------------------------------------------------------------

    async def _fetch(self, blob_id: str, file: BinaryIO, on_progress: Progress) -> None:
        digest = hashlib.sha256()
        backoff, failures = Backoff(random=self._random), 0
        while True:
            before = file.tell()
            try:
                await self._fetch_on(blob_id, file, digest.update, on_progress)
                break
            except Unavailable as error:
                failures = 1 if file.tell() > before else failures + 1
                if failures >= _TRIES:
                    raise
                await asyncio.sleep(backoff.next_s(at_least_s=error.retry_after_s))
        if digest.hexdigest() != blob_id:
            raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="its SHA-256 is another")

    async def _fetch_on(
        self,
        blob_id: str,
        file: BinaryIO,
        note: Callable[[bytes], object],
        on_progress: Progress,
    ) -> None:
        """From where the file ends."""
        start = file.tell()
        headers = {"Range": f"bytes={start}-"} if start else {}
        async with self._http.ask("GET", f"/v1/media/{blob_id}", headers=headers) as answer:
            if start and answer.status != HTTPStatus.PARTIAL_CONTENT:
                raise Unavailable(ErrorCode.CONNECTION_LOST, reason="no ranges")
            total = start + (answer.content_length or 0)
            async for piece in answer.content.iter_chunked(CHUNK_BYTES):
                await asyncio.to_thread(file.write, piece)
                note(piece)
                on_progress(file.tell(), total)

    async def _bytes(self, path: str) -> bytes:
        async def get() -> bytes:
            async with self._http.ask("GET", path) as answer:
                return await answer.read()

        return await self._retried(get)

    async def _retried(self, call: Callable[[], Awaitable[_T]]) -> _T:
        backoff = Backoff(random=self._random)
        for _ in range(_TRIES - 1):
            try:
                return await call()
            except Unavailable as error:
                await asyncio.sleep(backoff.next_s(at_least_s=error.retry_after_s))
        return await call()


async def read_source(source: str | Path) -> bytes:
    """A file of this disk."""
    return await asyncio.to_thread(Path(source).read_bytes)


def _record(told: dict[str, Any], name: str) -> MediaRecord:
    return MediaRecord(
        blob_id=told["blob_id"],
        name=name,
        media_type=told["media_type"],
        size_bytes=told["size_bytes"],
        width=told["width"],
        height=told["height"],
    )


def blob_id_of(what: Message | MediaRecord | str) -> str:
    """The file that something names.

    Raises:
        NotFound: MEDIA_NOT_FOUND when it names none.
    """
    if isinstance(what, Message):
        if what.content.media is None:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        what = what.content.media
    return check_blob_id(what.blob_id if isinstance(what, MediaRecord) else what)


def name_of(what: Message | MediaRecord | str) -> str:
    """What it shall be called on this disk."""
    media = what.content.media if isinstance(what, Message) else what
    name = media.name if isinstance(media, MediaRecord) else ""
    return safe_name(name)


def safe_name(name: str) -> str:
    """What somebody else called a file, as the last part of a path and nothing more: without
    folders, control characters, characters that some system forbids, dots that hide it, and not too
    long. The ending is kept."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        one for one in last if unicodedata.category(one)[0] != "C" and one not in _FORBIDDEN
    ).strip(" .")
    stem, ending = os.path.splitext(kept)
    while len((stem + ending).encode()) > _MAX_NAME_BYTES:
        stem, ending = (stem[:-1], ending) if stem else ("", ending[:-1])
    return (stem + ending).strip(" .") or _NO_NAME


def free_name(folder: Path, name: str) -> Path:
    """A path in the folder that is not taken: ``photo.jpg``, ``photo (2).jpg``, …"""
    stem, ending = os.path.splitext(name)
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{stem} ({number}){ending}"
    return path


def _target(to: Path, name: str) -> Path:
    if to.is_dir():
        return free_name(to, name)
    if to.exists():
        raise FileExistsError(to)
    return to


def _nobody(done: int, total: int) -> None:
    """Nobody wants to know."""


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
