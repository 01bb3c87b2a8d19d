"""Where a server is: the addresses people write, and the choice among units. Pure.

=============================  ====================================================
``http(s)://host:7080``        ask the unit directory there, pick a unit
``tinyqq(s)://host:7001``      this unit, over TCP (with TLS)
``ws(s)://host:7080/ws``       this unit, over WebSocket (with TLS)
=============================  ====================================================
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from tinyqq.errors import ErrorCode, InvalidRequest

TCP_PORT: Final = 7001
HTTP_PORT: Final = 7080
WEBSOCKET_PATH: Final = "/ws"


@dataclass(frozen=True, slots=True)
class Address:
    """One way to one unit. ``path``: of a WebSocket; empty: TCP."""

    host: str
    port: int
    tls: bool
    path: str = ""

    def __str__(self) -> str:
        """As people write it."""
        scheme = ("ws" if self.path else "tinyqq") + ("s" if self.tls else "")
        return f"{scheme}://{_bracketed(self.host)}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class Directory:
    """Where to ask which units there are."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        """As people write it."""
        return f"http{'s' if self.tls else ''}://{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as the directory lists it: the ways to it, the best one first."""

    addresses: tuple[Address, ...]

    @property
    def directory(self) -> Directory | None:
        """Where it answers as a directory itself, if that can be told."""
        for one in self.addresses:
            if one.path == WEBSOCKET_PATH:
                return Directory(one.host, one.port, one.tls)
        return None


def parse_url(url: str) -> Address | Directory:
    """What *url* names.

    Raises:
        InvalidRequest: it has another scheme, no host, or an impossible port.
    """
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, url=url) from exc
    tls = parts.scheme.endswith("s") and parts.scheme != "ws"
    if not host:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, url=url, reason="no host")
    match parts.scheme:
        case "http" | "https":
            return Directory(host, port or (443 if tls else HTTP_PORT), tls)
        case "tinyqq" | "tinyqqs":
            return Address(host, port or TCP_PORT, tls)
        case "ws" | "wss":
            path = parts.path if parts.path.strip("/") else WEBSOCKET_PATH
            return Address(host, port or (443 if tls else HTTP_PORT), tls, path)
    raise InvalidRequest(
        ErrorCode.INVALID_REQUEST,
        url=url,
        reason="the scheme is one of http, https, tinyqq, tinyqqs, ws, wss",
    )


def ways_to(units: Iterable[Unit], avoid: Collection[Address]) -> list[Address]:
    """The addresses to try, in the order of the units, which is the directory's; units that one
    would rather not go to come last. Of a unit first the way that it names first."""
    ordered = sorted(units, key=lambda unit: any(one in avoid for one in unit.addresses))
    return [address for unit in ordered for address in unit.addresses]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
