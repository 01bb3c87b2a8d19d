"""The client's address and scheme behind a reverse proxy, when the proxy is one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from tinyqq.http.problems import Handler

Network = IPv4Network | IPv6Network
_SCHEMES: Final = frozenset({"http", "https"})


def trust_proxies(networks: Sequence[Network]) -> Middleware:
    """Middleware: believe X-Forwarded-For and -Proto of peers in *networks*, and of nobody else.

    The client is the last address of the chain that is not a proxy of ours: whatever stands before
    it anybody may have written.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_in(request.remote or "", networks):
            return await handler(request)
        # A proxy may add a line of its own behind one that the client has made up.
        lines = ",".join(request.headers.getall("X-Forwarded-For", ()))
        chain = [one.strip() for one in lines.split(",")]
        client = next((one for one in reversed(chain) if not _is_in(one, networks)), "")
        scheme = request.headers.get("X-Forwarded-Proto", "")
        return await handler(
            request.clone(
                remote=client if _address(client) else request.remote or "",
                scheme=scheme if scheme in _SCHEMES else request.scheme,
            )
        )

    return middleware


def _is_in(text: str, networks: Sequence[Network]) -> bool:
    address = _address(text)
    return address is not None and any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
