"""Addresses of Redis as one string each: a single server, Sentinels, or a Redis Cluster.

==============  ==========================================================
single server   ``redis://[[user]:password@]host[:6379][/database]``
Sentinel        ``redis+sentinel://[…@]host[:26379],host…/name[/database]``
Redis Cluster   ``redis+cluster://[…@]host[:6379],host…``
==============  ==========================================================

``rediss`` instead of ``redis``: TLS. ``?prefix=name`` keeps several clusters apart in one Redis.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tinyqq.errors import ErrorCode, InvalidRequest

DEFAULT_PREFIX: Final = "tinyqq"


class RedisKind(Enum):
    """Who keeps Redis alive."""

    SINGLE = "redis"
    SENTINEL = "redis+sentinel"
    CLUSTER = "redis+cluster"


_DEFAULT_PORTS: Final = {
    RedisKind.SINGLE: 6379,
    RedisKind.SENTINEL: 26_379,
    RedisKind.CLUSTER: 6379,
}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is.

    ``hosts``: of the servers, or of the Sentinels. ``master``: what the Sentinels call it.
    ``prefix``: begins all keys.
    """

    kind: RedisKind
    hosts: tuple[tuple[str, int], ...]
    master: str = ""
    database: int = 0
    user: str | None = None
    password: str | None = None
    is_tls: bool = False
    prefix: str = DEFAULT_PREFIX


def parse_redis_url(url: str) -> RedisAddress:
    """The address that *url* means.

    Raises:
        InvalidRequest: it is none. The text is not repeated: there may be a password in it.
    """
    try:
        parts = urlsplit(url)
        is_tls = parts.scheme.partition("+")[0] == "rediss"
        kind = RedisKind(parts.scheme.replace("rediss", "redis", 1))
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        if kind is RedisKind.SINGLE and "," in hosts:
            raise ValueError("one server has one host")
        master, database = _path(kind, parts)
        address = RedisAddress(
            kind=kind,
            hosts=tuple(_host(text, _DEFAULT_PORTS[kind]) for text in hosts.split(",")),
            master=master,
            database=database,
            user=unquote(user) or None,
            password=unquote(password) or None,
            is_tls=is_tls,
            prefix=_prefix(parts),
        )
    except ValueError as exc:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, wrong="address of Redis") from exc
    return address


def _path(kind: RedisKind, parts: SplitResult) -> tuple[str, int]:
    words = [word for word in parts.path.split("/") if word]
    master = words.pop(0) if kind is RedisKind.SENTINEL and words else ""
    if (kind is RedisKind.SENTINEL) != bool(master):
        raise ValueError("Sentinels know it by a name")
    if kind is RedisKind.CLUSTER and words:
        raise ValueError("a Redis Cluster has no databases")
    return master, int("".join(words) or 0)


def _host(text: str, default_port: int) -> tuple[str, int]:
    one = urlsplit(f"//{text}")
    if not one.hostname:
        raise ValueError("no host")
    return one.hostname, default_port if one.port is None else one.port


def _prefix(parts: SplitResult) -> str:
    options = parse_qs(parts.query, strict_parsing=bool(parts.query))
    prefix = options.pop("prefix", [DEFAULT_PREFIX])[-1]
    # Braces would decide the slot of a key in a Redis Cluster, and that is ours to decide.
    if options or parts.fragment or set(prefix) & set("{}"):
        raise ValueError("unknown option")
    return prefix
