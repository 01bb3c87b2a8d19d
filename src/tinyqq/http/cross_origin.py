"""What pages of other origins may ask here: files, and which units there are.

The node that a page came from may be gone; its link to another unit is not, and the files lie
there too. A browser asks first (CORS) before a page of one origin reads from another. On the paths
below it is told that every page may: what opens a file is the access token, which another site
does not have, and never a cookie or the place where one asks from. A node therefore need not know
where pages came from, which those that start later could not. Where tokens are given out nothing
is allowed (``sessions.py``, ``tokens.py``).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from aiohttp import web

from tinyqq.http import directory, media, media_uploads
from tinyqq.http.problems import Handler

_PATHS: Final = (media.PATH, media.AVATARS_PATH, media_uploads.PATH, directory.PATH)
_MAY: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, If-None-Match, If-Range, Range, Tus-Resumable, "
        "Upload-Length, Upload-Metadata, Upload-Offset"
    ),
    "Access-Control-Max-Age": "600",
}
_TOLD: Final = (
    "Blob-Id, Content-Disposition, Content-Range, ETag, Location, Retry-After, Tus-Extension, "
    "Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Length, Upload-Offset"
)


def let_pages_ask(app: web.Application) -> None:
    """Answer what browsers ask first, and mark what they may hand on."""
    app.middlewares.append(_answer_first)
    app.on_response_prepare.append(_mark)


@web.middleware
async def _answer_first(request: web.Request, handler: Handler) -> web.StreamResponse:
    is_question = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not (is_question and _is_open(request.path)):
        return await handler(request)
    return web.Response(status=HTTPStatus.NO_CONTENT, headers=_MAY)


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    if _is_open(request.path):
        # With this value browsers send and take no cookies.
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = _TOLD
        # What a browser has kept for one page it must not give to another, which has no token.
        response.headers["Vary"] = "Origin"


def _is_open(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in _PATHS)
