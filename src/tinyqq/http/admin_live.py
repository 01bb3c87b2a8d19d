"""``/v1/admin/live``: the picture of the cluster, pushed as server-sent events; charts; draining.

What one listener has not been sent yet is one thing: that the picture has changed. Who reads slowly
therefore sees fewer pictures, and always the newest one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.http.admin import Admin, AdminDoor, AdminRouter, note_deed
from tinyqq.http.admin_cluster import ClusterView
from tinyqq.http.numbers import to_number
from tinyqq.model.figures import SAMPLES_KEPT
from tinyqq.model.ids import UnitId

logger = logging.getLogger(__name__)

MAX_LISTENERS: Final = 64
_EVERY_S: Final = 2.0
_GATHER_S: Final = 0.1
"""Changes that come so soon after another are shown together."""
_CHECK_EVERY_S: Final = 15.0
_CHECK_TIMEOUT_S: Final = 1.0
_WRITE_TIMEOUT_S: Final = 10.0
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class AdminLive:
    """Answers what the page asks about the cluster.

    Args:
        door: asks a listener again and again whether it may still listen.
        every_s: how often figures are asked for while somebody listens.
        check_every_s: how often the door is asked.
    """

    def __init__(
        self,
        view: ClusterView,
        door: AdminDoor,
        *,
        every_s: float = _EVERY_S,
        check_every_s: float = _CHECK_EVERY_S,
    ) -> None:
        self._view = view
        self._door = door
        self._every_s = every_s
        self._check_every_s = check_every_s
        self._listeners: set[asyncio.Event] = set()
        self._is_closing = False

    def add_to(self, router: AdminRouter) -> None:
        """Take the paths."""
        router.add("GET", "/live", self.stream)
        router.add("GET", "/history", self.history)
        router.add("POST", "/nodes/{unit}/drain", self.drain)

    def close(self) -> None:
        """End every stream: the node stops."""
        self._is_closing = True
        for changed in self._listeners:
            changed.set()

    async def stream(self, request: web.Request, _: Admin) -> web.StreamResponse:
        """Pictures, until the listener goes, may not listen any more, or the node stops."""
        if len(self._listeners) >= MAX_LISTENERS:
            raise Unavailable(ErrorCode.BUSY, retry_after_s=5.0)
        response = web.StreamResponse(headers=_HEADERS)
        with self._listening() as changed:
            await response.prepare(request)
            try:
                await self._tell(request, response, changed)
            except (ConnectionResetError, TimeoutError, TinyQQError) as reason:
                logger.debug("admin.listener_gone", extra={"reason": repr(reason)})
        return response

    async def history(self, request: web.Request, _: Admin) -> web.Response:
        """The last samples of every node."""
        samples = to_number(request.query.get("samples", str(SAMPLES_KEPT)), "samples")
        return web.json_response(await self._view.history(min(samples, SAMPLES_KEPT)))

    async def drain(self, request: web.Request, admin: Admin) -> web.Response:
        """Ask a node to leave; the query says which start of it is meant."""
        unit_id = UnitId(request.match_info["unit"])
        await self._view.drain(unit_id, request.query.get("incarnation", ""))
        note_deed(admin, "drain", unit=unit_id)
        return web.Response(status=HTTPStatus.NO_CONTENT)

    async def _tell(
        self, request: web.Request, response: web.StreamResponse, changed: asyncio.Event
    ) -> None:
        loop = asyncio.get_running_loop()
        await self._send(response)
        await self._view.look()
        checked_s = looked_s = loop.time()
        while not self._is_closing:
            await self._send(response)
            try:
                async with asyncio.timeout_at(looked_s + self._every_s):
                    await changed.wait()
                    await asyncio.sleep(_GATHER_S)
            except TimeoutError:
                await self._view.look()
                looked_s = loop.time()
            changed.clear()
            if loop.time() - checked_s >= self._check_every_s:
                await self._check_again(request)
                checked_s = loop.time()

    async def _check_again(self, request: web.Request) -> None:
        """Nobody can be asked while the database is away, which is when the picture is wanted most:
        who was let in before goes on looking until it answers again."""
        try:
            async with asyncio.timeout(_CHECK_TIMEOUT_S):
                await self._door.check(request)
        except (Unavailable, TimeoutError):
            logger.debug("admin.unchecked")

    async def _send(self, response: web.StreamResponse) -> None:
        async with asyncio.timeout(_WRITE_TIMEOUT_S):
            await response.write(_event(self._view.picture()))

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()
        self._listeners.add(changed)
        stop = self._view.watch(changed.set)
        try:
            yield changed
        finally:
            stop()
            self._listeners.discard(changed)


def _event(picture: dict[str, Any]) -> bytes:
    text = json.dumps(picture, ensure_ascii=False, separators=(",", ":"))
    return f"data: {text}\n\n".encode()
