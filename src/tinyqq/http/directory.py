"""``/v1/units``: where clients can connect, the least loaded unit first."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web

from tinyqq.ports.registry import Node, Registry

TTL_S: Final = 15
"""How long a client may use an answer."""
_JITTER: Final = 0.1
"""Loads that differ by less are the same: so that not everybody goes to one unit."""
_ANYWHERE: Final = frozenset({"", "0.0.0.0", "::"})


class UnitDirectory:
    """Answers with the live units of the registry that take log-ins.

    ``Node.public_tcp`` is a URL ``tinyqq(s)://host:port``, ``Node.public_http`` one
    ``http(s)://host:port``; a unit that listens on every address of its machine gives the host as
    ``0.0.0.0``, and clients get the host by which they reached the directory.

    Args:
        chance: numbers from 0 to 1.
    """

    def __init__(self, registry: Registry, *, chance: Callable[[], float] = random.random) -> None:
        self._registry = registry
        self._chance = chance

    async def answer(self, request: web.Request) -> web.Response:
        """The directory as JSON."""
        nodes = [
            node for node in self._registry.nodes() if "proxy" in node.roles and not node.draining
        ]
        nodes.sort(key=lambda node: node.load + self._chance() * _JITTER)
        host = request.url.host or ""
        units = [_unit(node, host) for node in nodes]
        return web.json_response({"units": units, "ttl_s": TTL_S})


def _unit(node: Node, asked_host: str) -> dict[str, Any]:
    unit: dict[str, Any] = {
        "unit": node.unit_id,
        "load": round(node.load, 3),
        "sessions": node.sessions,
    }
    if node.public_tcp:
        unit["tcp"] = reachable(node.public_tcp, asked_host)
    if node.public_http:
        http = reachable(node.public_http, asked_host)
        unit["websocket"] = f"ws{http.removeprefix('http')}/ws"
    return unit


def reachable(url: str, asked_host: str) -> str:
    """The URL with the host by which the client came, if it names none of its own."""
    parts = urlsplit(url)
    if (parts.hostname or "") not in _ANYWHERE or not asked_host:
        return url
    host = f"[{asked_host}]" if ":" in asked_host else asked_host
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host))
