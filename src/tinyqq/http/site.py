"""The web client's built files, at ``/``."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web

_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_OWN_NODE: Final = "connect-src 'self'"
_ANY_UNIT: Final = "connect-src 'self' http: https: ws: wss:"
"""For the page that follows the units of the cluster, which come and go while it is open. To a
script it closes nothing that WebSockets, which go there too, would not leave open; what keeps
scripts out is ``script-src``."""
_FOLLOWER: Final = "index.html"
_PERMISSIONS: Final = "camera=(), geolocation=(), microphone=(self)"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_FIRST: Final = "no-cache"
_ASSETS: Final = "assets/"
"""Files in this folder have a hash of their content in their name."""
_PACKED: Final = frozenset({".gz", ".br"})
_TAG_CHARS: Final = 32
_WORKER: Final = "sw.js"
"""Lives under the policy that comes with it: one that forbids to fetch would break the page."""
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Not left to the machine's own table, which may say anything."""
_PAGES: Final = {"/": _FOLLOWER, "/admin": "admin.html"}
"""What people open, without the name of the file."""
_TEXT: Final = frozenset({".js", ".css", ".html"})
_STAMP: Final = ".hash"
"""What a build writes when all the rest is there."""


@dataclass(frozen=True, slots=True)
class _File:
    """``packed``: the same by gzip; empty: it is not worth it."""

    data: bytes
    packed: bytes
    content_type: str
    tag: str


class Site:
    """Serves what a build has made, from memory; packed to who takes that.

    A build that is made anew while this runs is served as soon as it is whole. The parts of the one
    before stay: pages that are open have its names.

    Args:
        folder: where the build is. Without an ``index.html`` at the start there is no site.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._built_at = _built_at(folder)
        self._files = _read(folder)
        self._former: Mapping[str, _File] = {}

    @property
    def is_built(self) -> bool:
        """Whether there is something to serve."""
        return "index.html" in self._files

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the pages and the paths where files may be."""
        for path in _PAGES:
            router.add_get(path, self.answer)
        router.add_get(f"/{_ASSETS}{{name}}", self.answer)
        router.add_get("/{name}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        name = _PAGES.get(request.path) or request.path.lstrip("/")
        file = await self._find(name)
        headers = {
            "Content-Type": file.content_type,
            "Cache-Control": _FOR_EVER if name.startswith(_ASSETS) else _ASK_FIRST,
            "ETag": f'W/"{file.tag}"',
        }
        if file.packed:
            headers["Vary"] = "Accept-Encoding"
        if name.endswith(".html") or name == _WORKER:
            headers["Content-Security-Policy"] = _policy(name)
            headers["Permissions-Policy"] = _PERMISSIONS
        if any(known.value == file.tag for known in request.if_none_match or ()):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        if file.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=file.packed, headers=headers)
        return web.Response(body=file.data, headers=headers)

    async def _find(self, name: str) -> _File:
        file = self._files.get(name)
        if file is None or not name.startswith(_ASSETS):
            await self._look_again()
            file = self._files.get(name) or self._former.get(name)
        if file is None:
            raise web.HTTPNotFound
        return file

    async def _look_again(self) -> None:
        built_at = _built_at(self._folder)
        if built_at in (0, self._built_at):
            return
        # Who comes meanwhile gets what there was.
        self._built_at = built_at
        try:
            files = await asyncio.to_thread(_read, self._folder)
        except OSError:  # the next build has begun
            return
        if "index.html" in files:
            self._former = {
                name: file for name, file in self._files.items() if name.startswith(_ASSETS)
            }
            self._files = files


def _policy(name: str) -> str:
    return "; ".join((*_POLICY, _ANY_UNIT if name == _FOLLOWER else _OWN_NODE))


def _built_at(folder: Path) -> int:
    """When the build was done; 0: it is not, or cannot be told."""
    try:
        return (folder / _STAMP).stat().st_mtime_ns
    except OSError:
        return 0


def _read(folder: Path) -> Mapping[str, _File]:
    """All of a build, by names below the folder."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _PACKED or path.name.startswith(".") or not path.is_file():
            continue
        data = path.read_bytes()
        packed = path.with_name(f"{path.name}.gz")
        files[path.relative_to(folder).as_posix()] = _File(
            data=data,
            packed=packed.read_bytes() if packed.is_file() else b"",
            content_type=_content_type(path),
            tag=hashlib.sha256(data).hexdigest()[:_TAG_CHARS],
        )
    return files


def _content_type(file: Path) -> str:
    known = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    charset = "; charset=utf-8" if file.suffix in _TEXT else ""
    return f"{known or 'application/octet-stream'}{charset}"
