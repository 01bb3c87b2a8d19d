"""The addresses by which clients reach a unit, as text."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})
"""What a unit that listens in every network of its machine calls its host."""


def websocket_url(http_url: str) -> str:
    """The WebSocket of a unit whose HTTP port is at ``http(s)://host:port``; empty: of none."""
    return f"ws{http_url.removeprefix('http')}/ws" if http_url else ""


def names_a_host(url: str) -> bool:
    """Whether a client can go there who knows nothing but this URL."""
    return (urlsplit(url).hostname or "") not in _EVERYWHERE


def reachable(url: str, asked_host: str) -> str:
    """The URL with the host by which a client came, if it names none of its own."""
    if not url or names_a_host(url) or not asked_host:
        return url
    parts = urlsplit(url)
    host = f"[{asked_host}]" if ":" in asked_host else asked_host
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host))
