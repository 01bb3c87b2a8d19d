"""``/v1/uploads``: files on their way in, resumable, by the protocol tus 1.0.0 (https://tus.io).

=================================  ==========================================================
``OPTIONS /v1/uploads``            what there is: versions, extensions, the largest file
``POST /v1/uploads``               announce a file (extension creation)
``HEAD /v1/uploads/{id}``          how much of it is here
``PATCH /v1/uploads/{id}``         more of it; with the last byte it becomes a file
``DELETE /v1/uploads/{id}``        forget it (extension termination)
``GET /v1/uploads/{id}``           ours: what became of it, as JSON
=================================  ==========================================================
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any, Final

from aiohttp import ClientError, web

from tinyqq.errors import ErrorCode, NotFound, Unavailable
from tinyqq.http.bearer import caller_of, in_time
from tinyqq.http.numbers import to_number
from tinyqq.http.problems import problem
from tinyqq.model.media import UPLOAD_ID_BYTES, Blob, CreateUpload, Upload, UploadId
from tinyqq.ports.media import Bearers, MediaApi

PATH: Final = "/v1/uploads"
_VERSION: Final = "1.0.0"
_EXTENSIONS: Final = "creation,termination"
_PATCH_TYPE: Final = "application/offset+octet-stream"
_PIECE_BYTES: Final = 64 * 1024
_SILENCE_S: Final = 30.0
"""A client that says nothing for so long is taken for gone."""
_FINISH_S: Final = 120.0


class MediaUploads:
    """Answers all of them.

    Args:
        max_running: PATCH requests at a time; one more is refused as busy. Each holds a part.
    """

    def __init__(self, media: MediaApi, bearers: Bearers, *, max_running: int = 32) -> None:
        self._media = media
        self._bearers = bearers
        self._max_running = max_running
        self._running = 0

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the paths."""
        one = f"{PATH}/{{upload_id}}"
        router.add_options(PATH, self.tell)
        router.add_post(PATH, self.create)
        router.add_head(one, self.look)
        router.add_get(one, self.show, allow_head=False)
        router.add_patch(one, self.append)
        router.add_delete(one, self.cancel)

    async def tell(self, request: web.Request) -> web.Response:
        """What there is."""
        headers = {
            "Tus-Version": _VERSION,
            "Tus-Extension": _EXTENSIONS,
            "Tus-Max-Size": str(self._media.max_bytes),
        }
        return _answer(HTTPStatus.NO_CONTENT, **headers)

    async def create(self, request: web.Request) -> web.Response:
        """Announce a file. Of the metadata ``filetype``, ``sha256`` and ``filename`` are looked at;
        the name is for the owner's list, what others see stands in messages."""
        if refusal := _other_version(request):
            return refusal
        caller = await caller_of(request, self._bearers)
        metadata = parse_metadata(request.headers.get("Upload-Metadata", ""))
        wish = CreateUpload(
            _header_number(request, "Upload-Length"),
            metadata.get("filetype", ""),
            metadata.get("sha256", ""),
            metadata.get("filename", ""),
        )
        upload = await in_time(self._media.create(caller, wish))
        return _answer(HTTPStatus.CREATED, Location=f"{PATH}/{upload.upload_id.hex()}")

    async def look(self, request: web.Request) -> web.Response:
        """How much of it is here."""
        caller = await caller_of(request, self._bearers)
        upload = await in_time(self._media.find_upload(caller, _upload_id(request)))
        return _answer(
            HTTPStatus.OK,
            **{"Upload-Offset": str(upload.offset_bytes), "Upload-Length": str(upload.size_bytes)},
        )

    async def show(self, request: web.Request) -> web.Response:
        """What became of it; what is complete and not yet a file becomes one."""
        caller = await caller_of(request, self._bearers)
        upload = await in_time(self._media.find_upload(caller, _upload_id(request)))
        if not upload.is_complete:
            return web.json_response(_shown(upload, None))
        blob = await in_time(self._media.finish(caller, upload.upload_id), _FINISH_S)
        return web.json_response(_shown(upload, blob))

    async def append(self, request: web.Request) -> web.Response:
        """More of it."""
        if refusal := _other_version(request):
            return refusal
        if request.content_type != _PATCH_TYPE:
            return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        caller = await caller_of(request, self._bearers)
        if self._running >= self._max_running:
            raise Unavailable(ErrorCode.BUSY, retry_after_s=1.0)
        self._running += 1
        try:
            upload = await self._media.append(
                caller,
                _upload_id(request),
                _header_number(request, "Upload-Offset"),
                _body(request),
            )
        finally:
            self._running -= 1
        headers = {"Upload-Offset": str(upload.offset_bytes)}
        if upload.is_complete:
            blob = await in_time(self._media.finish(caller, upload.upload_id), _FINISH_S)
            headers["Blob-Id"] = blob.blob_id
        return _answer(HTTPStatus.NO_CONTENT, **headers)

    async def cancel(self, request: web.Request) -> web.Response:
        """Forget it."""
        caller = await caller_of(request, self._bearers)
        await in_time(self._media.cancel(caller, _upload_id(request)))
        return _answer(HTTPStatus.NO_CONTENT)


def parse_metadata(header: str) -> dict[str, str]:
    """``name base64,name base64`` of tus; what cannot be read counts as empty."""
    found = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            found[name] = ""
    return found


def shown_blob(blob: Blob) -> dict[str, Any]:
    """A file, as JSON tells it."""
    return {
        "blob_id": blob.blob_id,
        "size_bytes": blob.size_bytes,
        "media_type": blob.media_type,
        "width": blob.width,
        "height": blob.height,
        "has_thumbnail": blob.has_thumbnail,
    }


def _shown(upload: Upload, blob: Blob | None) -> dict[str, Any]:
    return {
        "upload_id": upload.upload_id.hex(),
        "offset_bytes": upload.offset_bytes,
        "size_bytes": upload.size_bytes,
        "blob": shown_blob(blob) if blob else None,
    }


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """The bytes of a request, as long as they come.

    Raises:
        Unavailable: CONNECTION_LOST.
    """
    while True:
        try:
            async with asyncio.timeout(_SILENCE_S):
                piece = await request.content.read(_PIECE_BYTES)
        except (OSError, TimeoutError, ClientError, web.RequestPayloadError) as exc:
            raise Unavailable(ErrorCode.CONNECTION_LOST) from exc
        if not piece:
            return
        yield piece


def _other_version(request: web.Request) -> web.Response | None:
    """The refusal of a client of another version; one that does not say is taken for ours."""
    if request.headers.get("Tus-Resumable", _VERSION) == _VERSION:
        return None
    answer = problem(HTTPStatus.PRECONDITION_FAILED)
    answer.headers["Tus-Version"] = _VERSION
    return answer


def _answer(status: HTTPStatus, **headers: str) -> web.Response:
    return web.Response(status=status, headers={"Tus-Resumable": _VERSION, **headers})


def _header_number(request: web.Request, name: str) -> int:
    return to_number(request.headers.get(name, ""), name)


def _upload_id(request: web.Request) -> UploadId:
    text = request.match_info["upload_id"]
    try:
        upload_id = bytes.fromhex(text)
    except ValueError:
        upload_id = b""
    if len(upload_id) != UPLOAD_ID_BYTES:
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
    return UploadId(upload_id)
