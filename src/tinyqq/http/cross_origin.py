"""Files for pages of other units: the node that a page came from may be gone, its link is not.

A browser asks first (CORS) before a page of one origin reads from another. Only the paths of files
allow it, only for units of this cluster, and never with cookies: what counts is the access token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from aiohttp import web
from yarl import URL

from tinyqq.http import media, media_uploads
from tinyqq.http.problems import Handler
from tinyqq.model.places import reachable
from tinyqq.ports.registry import Node, Registry

_PATHS: Final = (f"{media.PATH}/", f"{media.AVATARS_PATH}/", media_uploads.PATH)
_METHODS: Final = "GET, HEAD, OPTIONS, POST, PATCH, DELETE"
_ASKED: Final = (
    "Authorization, Content-Type, If-None-Match, If-Range, Range, Tus-Resumable, Upload-Length, "
    "Upload-Metadata, Upload-Offset"
)
_TOLD: Final = (
    "Blob-Id, Content-Disposition, Content-Range, ETag, Location, Retry-After, Tus-Extension, "
    "Tus-Max-Size, Tus-Resumable, Tus-Version, Upload-Length, Upload-Offset"
)
_ORIGIN: Final = re.compile(r"https?://[\w.:\[\]-]+")
"""Nothing else may get into a page's policy."""
_REMEMBER_S: Final = 600
_MAX_REMEMBERED: Final = 64
"""A page's policy names them all, and proxies do not take any length of header."""


class UnitOrigins:
    """Where the pages of this cluster's units come from. Those that are gone are remembered: their
    pages are still open, and it is for them that others stand in.

    Args:
        registry: says which units there are.
    """

    def __init__(self, registry: Registry) -> None:
        self._seen: dict[str, None] = {}
        registry.watch(self._see)
        self._see(registry.nodes())

    def seen_from(self, host: str) -> tuple[str, ...]:
        """Origins, for somebody who reached this node by *host*; the latest are the last."""
        return tuple(filter(None, (_origin(reachable(url, host)) for url in self._seen)))

    def _see(self, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.public_http:
                self._seen.pop(node.public_http, None)
                self._seen[node.public_http] = None
        while len(self._seen) > _MAX_REMEMBERED:
            del self._seen[next(iter(self._seen))]


class CrossOrigin:
    """Lets pages of the units read files here.

    Args:
        units: whose pages.
    """

    def __init__(self, units: UnitOrigins) -> None:
        self._units = units

    def add_to(self, app: web.Application) -> None:
        """Answer what browsers ask first, and mark what they may hand on."""
        app.middlewares.append(self._answer_first)
        app.on_response_prepare.append(self._mark)

    @web.middleware
    async def _answer_first(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_question = "Access-Control-Request-Method" in request.headers
        if not (request.method == "OPTIONS" and is_question and self._is_allowed(request)):
            return await handler(request)
        return web.Response(
            status=HTTPStatus.NO_CONTENT,
            headers={
                "Access-Control-Allow-Methods": _METHODS,
                "Access-Control-Allow-Headers": _ASKED,
                "Access-Control-Max-Age": str(_REMEMBER_S),
            },
        )

    async def _mark(self, request: web.Request, response: web.StreamResponse) -> None:
        if not request.path.startswith(_PATHS):
            return
        # A browser must not take what it has kept for one page for an answer to another.
        response.headers["Vary"] = "Origin"
        if self._is_allowed(request):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = _TOLD

    def _is_allowed(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin", "")
        if not origin or not request.path.startswith(_PATHS):
            return False
        return origin in self._units.seen_from(request.url.host or "")


def _origin(url: str) -> str:
    """As browsers write it: without the port that goes without saying; empty: of none."""
    try:
        origin = str(URL(url).origin())
    except ValueError:
        return ""
    return origin if _ORIGIN.fullmatch(origin) else ""
