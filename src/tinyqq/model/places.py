"""The addresses at which nodes are reached, as text."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

_EVERYWHERE: Final = frozenset({"", "0.0.0.0", "::"})
"""What a unit that listens in every network of its machine calls its host."""
_PORTS: Final = {"http": 80, "https": 443}


def is_everywhere(host: str) -> bool:
    """Whether it stands for every network of a machine: to listen there, not to go there."""
    return host in _EVERYWHERE


def authority(host: str, port: int) -> str:
    """``host:port`` as in a URL, IPv6 in brackets."""
    return f"{_bracketed(host)}:{port}"


def websocket_url(http_url: str) -> str:
    """The WebSocket of a unit whose HTTP port is at ``http(s)://host:port``; empty: of none."""
    return f"ws{http_url.removeprefix('http')}/ws" if http_url else ""


def origin_of(url: str) -> str:
    """What browsers call the site of a page at ``http(s)://host:port``: without the port that goes
    without saying; empty: of none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host or parts.scheme not in _PORTS:
        return ""
    if port in (None, _PORTS[parts.scheme]):
        return f"{parts.scheme}://{_bracketed(host)}"
    return f"{parts.scheme}://{authority(host, port)}"


def names_a_host(url: str) -> bool:
    """Whether a client can go there who knows nothing but this URL."""
    return not is_everywhere(urlsplit(url).hostname or "")


def reachable(url: str, asked_host: str) -> str:
    """The URL with the host by which a client came, if it names none of its own."""
    if not url or names_a_host(url) or not asked_host:
        return url
    parts = urlsplit(url)
    if parts.port:
        return urlunsplit(parts._replace(netloc=authority(asked_host, parts.port)))
    return urlunsplit(parts._replace(netloc=_bracketed(asked_host)))


def _bracketed(host: str) -> str:
    """As it stands in a URL."""
    return f"[{host}]" if ":" in host else host
