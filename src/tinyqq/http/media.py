"""``/v1/media`` and ``/v1/avatars``: files on their way out.

=====================================  ======================================================
``GET /v1/media/{blob_id}``            a file; ``?name=`` says what it shall be saved as
``GET /v1/media/{blob_id}/thumbnail``  a small picture of an image
``GET /v1/avatars/{user_id}``          a small picture of a user
=====================================  ======================================================

Files are what anybody has sent, so a browser gets none that it would run: what is no picture, sound
or film is only ever saved.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from aiohttp import web

from tinyqq.errors import ErrorCode, NotFound, TinyQQError, Unavailable
from tinyqq.http.bearer import caller_of, in_time
from tinyqq.http.problems import problem
from tinyqq.model.ids import MAX_USER_ID, UserId
from tinyqq.model.media import THUMBNAIL_TYPE, Blob, is_shown
from tinyqq.ports.media import Bearers, MediaApi

PATH: Final = "/v1/media"
AVATARS_PATH: Final = "/v1/avatars"
_FOR_EVER: Final = "private, max-age=31536000, immutable"
"""A blob id never gets another content."""
_FOR_A_WHILE: Final = "private, max-age=300"
_POLICY: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"
_SILENCE_S: Final = 60.0
"""A client that takes nothing for so long is taken for gone."""
_MAX_NAME_CHARS: Final = 200
_MAX_DIGITS: Final = 10
_ONE_RANGE: Final = re.compile(r"bytes=(?=.*[0-9])(?P<first>[0-9]*)-(?P<last>[0-9]*)", re.I)


class Media:
    """Answers them.

    Args:
        max_running: downloads at a time; one more is refused as busy.
    """

    def __init__(self, media: MediaApi, bearers: Bearers, *, max_running: int = 256) -> None:
        self._media = media
        self._bearers = bearers
        self._max_running = max_running
        self._running = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the paths."""
        router.add_get(f"{PATH}/{{blob_id}}", self.file)
        router.add_get(f"{PATH}/{{blob_id}}/thumbnail", self.thumbnail)
        router.add_get(f"{AVATARS_PATH}/{{user_id}}", self.avatar)

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file, or the range of it that is asked for."""
        caller = await caller_of(request, self._bearers)
        blob = await in_time(self._media.find(caller, request.match_info["blob_id"]))
        tag = f'"{blob.blob_id}"'
        if _has(request, tag):
            return _not_changed(tag, _FOR_EVER)
        try:
            start, end, status = _range(request, blob.size_bytes, tag)
        except ValueError:
            answer = problem(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            answer.headers["Content-Range"] = f"bytes */{blob.size_bytes}"
            return answer
        headers = {
            "Content-Type": blob.media_type,
            "Content-Length": str(end - start),
            "Content-Disposition": _disposition(blob, request.query.get("name", "")),
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Cache-Control": _FOR_EVER,
        }
        if status is HTTPStatus.PARTIAL_CONTENT:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size_bytes}"
        return await self._send(request, status, headers, self._media.read(blob, start, end))

    async def thumbnail(self, request: web.Request) -> web.StreamResponse:
        """Of an image."""
        caller = await caller_of(request, self._bearers)
        blob = await in_time(self._media.find(caller, request.match_info["blob_id"]))
        return await self._thumbnail(request, blob, _FOR_EVER)

    async def avatar(self, request: web.Request) -> web.StreamResponse:
        """Of a user, for everybody who is logged in."""
        await caller_of(request, self._bearers)
        text = request.match_info["user_id"]
        is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
        if not is_number or int(text) > MAX_USER_ID:
            raise NotFound(ErrorCode.USER_NOT_FOUND)
        blob = await in_time(self._media.find_avatar(UserId(int(text))))
        return await self._thumbnail(request, blob, _FOR_A_WHILE)

    async def _thumbnail(self, request: web.Request, blob: Blob, cache: str) -> web.StreamResponse:
        tag = f'"{blob.blob_id}-small"'
        if _has(request, tag):
            return _not_changed(tag, cache)
        if not blob.has_thumbnail:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        headers = {
            "Content-Type": THUMBNAIL_TYPE,
            "Content-Disposition": "inline",
            "ETag": tag,
            "Cache-Control": cache,
        }
        return await self._send(request, HTTPStatus.OK, headers, self._media.read_thumbnail(blob))

    async def _send(
        self,
        request: web.Request,
        status: HTTPStatus,
        headers: dict[str, str],
        pieces: AsyncIterator[bytes],
    ) -> web.StreamResponse:
        if self._running >= self._max_running:
            raise Unavailable(ErrorCode.BUSY, retry_after_s=1.0)
        response = web.StreamResponse(
            status=status, headers={**headers, "Content-Security-Policy": _POLICY}
        )
        self._running += 1
        try:
            # An object that is missing or a store that is away is told while it can be.
            first = await anext(pieces, b"")
            await response.prepare(request)
            if request.method != "HEAD":
                await _write(response, first)
                async for piece in pieces:
                    await _write(response, piece)
        except (OSError, TimeoutError, TinyQQError):
            if not response.prepared:
                raise
            # The length was promised: only a cut connection says that it was not kept.
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._running -= 1
        return response


async def _write(response: web.StreamResponse, piece: bytes) -> None:
    async with asyncio.timeout(_SILENCE_S):
        await response.write(piece)


def _range(request: web.Request, size: int, tag: str) -> tuple[int, int, HTTPStatus]:
    """Which bytes are asked for; raises ValueError for those that there are not.

    What is no single range of bytes is passed over (RFC 9110, 14.2), as is one of a HEAD.
    """
    wanted = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if wanted is None or request.method != "GET" or request.headers.get("If-Range", tag) != tag:
        return 0, size, HTTPStatus.OK
    first, last = wanted["first"], wanted["last"]
    if first:
        start, end = int(first), min(int(last or size) + 1, size)
    else:
        start, end = max(size - int(last), 0), size
    if start >= end:
        raise ValueError("nothing of it")
    return start, end, HTTPStatus.PARTIAL_CONTENT


def _has(request: web.Request, tag: str) -> bool:
    known = request.headers.get("If-None-Match", "")
    return tag in (one.strip().removeprefix("W/") for one in known.split(","))


def _not_changed(tag: str, cache: str) -> web.Response:
    return web.Response(
        status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag, "Cache-Control": cache}
    )


def _disposition(blob: Blob, name: str) -> str:
    """``attachment`` unless it can only be looked at; the name in a form that is harmless in a
    header, for the browser to make harmless on the disk."""
    kind = "inline" if is_shown(blob.media_type) else "attachment"
    plain = name.replace("\\", "/").rpartition("/")[2][:_MAX_NAME_CHARS].strip(" .")
    return f"{kind}; filename*=UTF-8''{quote(plain or blob.blob_id[:12], safe='')}"
