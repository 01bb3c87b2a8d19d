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


State = Callable[[], str]
"""How a part is that the node can do without for a while, in a word; ``ok`` when all is well."""


class Readiness:
    """``/readyz``: every check, by name; 503 when one fails, or when the node is leaving. Reasons
    go to the log alone.

    Args:
        is_draining: whether the node is leaving.
        states: told with it. They don't make a node unready: what all nodes miss at the same time
            would take all of them out.
    """

    def __init__(
        self,
        checks: Mapping[str, Check],
        *,
        is_draining: Callable[[], bool],
        states: Mapping[str, State] | None = None,
        timeout_s: float = CHECK_TIMEOUT_S,
    ) -> None:
        self._checks = checks
        self._is_draining = is_draining
        self._states = states or {}
        self._timeout_s = timeout_s

    async def answer(self, _: web.Request) -> web.Response:
        """Run all checks at once."""
        names = list(self._checks)
        results = await asyncio.gather(*(self._passes(name) for name in names))
        is_draining = self._is_draining()
        status = 200 if all(results) and not is_draining else 503
        body = {
            name: "ok" if passes else "failing" for name, passes in zip(names, results, strict=True)
        }
        states = {name: state() for name, state in self._states.items()}
        states["node"] = "draining" if is_draining else "ok"
        return web.json_response(
            {"ready": status == 200, "checks": body, "states": states}, status=status
        )

    async def _passes(self, name: str) -> bool:
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._checks[name]()
        except Exception as error:
            logger.warning("ready.failing", extra={"check": name, "error": repr(error)})
            return False
        return True
