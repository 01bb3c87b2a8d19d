"""The web client's built files, at ``/``."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web

_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        # WebSockets go to the units of the cluster, wherever these are.
        "connect-src 'self' ws: wss:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_FIRST: Final = "no-cache"
_ASSETS: Final = "assets/"
"""Files in this folder have a hash of their content in their name."""
_PACKED: Final = frozenset({".gz", ".br"})
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
_PAGES: Final = {"/": "index.html", "/admin": "admin.html"}
"""What people open, without the name of the file."""
_TEXT: Final = frozenset({".js", ".css", ".html"})


class Site:
    """Serves the files that are in a folder now; packed ones (``.gz``) to who takes them.

    Args:
        folder: what the build has made. Without an ``index.html`` there is no site.
    """

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix not in _PACKED and not path.name.startswith(".")
        }

    @property
    def is_built(self) -> bool:
        """Whether there is something to serve."""
        return "index.html" in self._files

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the pages and the path of every file."""
        for path, name in _PAGES.items():
            if name in self._files:
                router.add_get(path, self.answer)
        for name in self._files:
            router.add_get(f"/{name}", self.answer)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """One file."""
        name = _PAGES.get(request.path) or request.path.lstrip("/")
        file = self._files[name]
        headers = {
            "Content-Type": _content_type(file),
            "Cache-Control": _FOR_EVER if name.startswith(_ASSETS) else _ASK_FIRST,
        }
        if file.suffix == ".html" or name == _WORKER:
            headers |= _PAGE_HEADERS
        return web.FileResponse(file, headers=headers)


def _content_type(file: Path) -> str:
    known = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0]
    charset = "; charset=utf-8" if file.suffix in _TEXT else ""
    return f"{known or 'application/octet-stream'}{charset}"
