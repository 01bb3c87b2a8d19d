"""``/healthz``: the process lives. ``/readyz``: it can do its work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

logger = logging.getLogger(__name__)

CHECK_TIMEOUT_S: Final = 2.0

Check = Callable[[], Awaitable[object]]
"""Raises, or takes too long, when its part is not ready."""


async def answer_health(_: web.Request) -> web.Response:
    """The process answers, so it lives."""
    return web.Response(text="ok\n")


class Readiness:
    """``/readyz``: every check, by name; 503 when one fails. Reasons go to the log alone."""

    def __init__(self, checks: Mapping[str, Check], *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._checks = checks
        self._timeout_s = timeout_s

    async def answer(self, _: web.Request) -> web.Response:
        """Run all checks at once."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._passes(name) for name in names))
        status = 200 if all(results) else 503
        body = {
            name: "ok" if passes else "failing" for name, passes in zip(names, results, strict=True)
        }
        return web.json_response({"ready": status == 200, "checks": body}, status=status)

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._checks[name]()
        except Exception as error:
            logger.warning("ready.failing", extra={"check": name, "error": repr(error)})
            return False
        return True
