"""``/v1/media`` of one's own: what an account has of files, and deleting them.

==============================  ==================================================================
``GET /v1/media``               how much of how much, and files, the newest first: ``?limit=``,
                                ``?after=`` what ``next`` of the answer before says
``DELETE /v1/media/{blob_id}``  delete one
==============================  ==================================================================
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.http.bearer import caller_of, in_time
from tinyqq.http.media import PATH
from tinyqq.http.media_uploads import shown_blob
from tinyqq.http.numbers import to_number
from tinyqq.model.media import OwnFile
from tinyqq.ports.media import Bearers, MediaApi

_PAGE: Final = 50
_MAX_PAGE: Final = 200


class MediaFiles:
    """Answers both."""

    def __init__(self, media: MediaApi, bearers: Bearers) -> None:
        self._media = media
        self._bearers = bearers

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the paths."""
        router.add_get(PATH, self.list_files)
        router.add_delete(f"{PATH}/{{blob_id}}", self.delete)

    async def list_files(self, request: web.Request) -> web.Response:
        """What the caller has."""
        caller = await caller_of(request, self._bearers)
        limit = _limit(request.query.get("limit", str(_PAGE)))
        after = _after(request.query.get("after", ""))
        usage = await in_time(self._media.read_usage(caller))
        files = await in_time(self._media.list_files(caller, after, limit))
        told = {
            "used_bytes": usage.size_bytes,
            "quota_bytes": self._media.quota_bytes,
            "files": [_shown(one) for one in files],
            "next": _place(files[-1]) if len(files) == limit else None,
        }
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a file of the caller's."""
        caller = await caller_of(request, self._bearers)
        await in_time(self._media.delete(caller, request.match_info["blob_id"]))
        return web.Response(status=HTTPStatus.NO_CONTENT)


def _shown(one: OwnFile) -> dict[str, Any]:
    return {**shown_blob(one.blob), "name": one.name, "added_at_ms": one.added_at_ms}


def _place(one: OwnFile) -> str:
    return f"{one.added_at_ms}-{one.blob.blob_id}"


def _after(text: str) -> tuple[int, str] | None:
    if not text:
        return None
    added, _, blob_id = text.partition("-")
    return to_number(added, "after"), blob_id


def _limit(text: str) -> int:
    limit = to_number(text, "limit")
    if not 0 < limit <= _MAX_PAGE:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="limit")
    return limit
