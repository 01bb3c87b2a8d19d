"""Addresses of ZooKeeper as one string each.

``zookeeper://[user:password@]host[:2181],host…[/chroot]``. Clusters with different chroots do not
see each other. With a user the nodes are readable and writable for this user alone (digest).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from tinyqq.errors import ErrorCode, InvalidRequest

DEFAULT_CHROOT: Final = "/tinyqq"
_DEFAULT_PORT: Final = 2181


@dataclass(frozen=True, slots=True)
class ZookeeperAddress:
    """Where the registry is. ``hosts``: ``host:port,…``; ``chroot``: ``/path`` of this cluster;
    ``digest``: ``user:password`` or empty."""

    hosts: str
    chroot: str = DEFAULT_CHROOT
    digest: str = ""


def parse_zookeeper_url(url: str) -> ZookeeperAddress:
    """The address that *url* means.

    Raises:
        InvalidRequest: it is none. The text is not repeated: there may be a password in it.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme != "zookeeper" or parts.query or parts.fragment:
            raise ValueError("not zookeeper://")
        credentials, _, hosts = parts.netloc.rpartition("@")
        user, _, password = credentials.partition(":")
        if bool(user) != bool(password):
            raise ValueError("a user has a password")
        words = [word for word in parts.path.split("/") if word]
        return ZookeeperAddress(
            hosts=",".join(_host(text) for text in hosts.split(",")),
            chroot="/" + "/".join(words) if words else DEFAULT_CHROOT,
            digest=f"{unquote(user)}:{unquote(password)}" if user else "",
        )
    except ValueError as exc:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, wrong="address of ZooKeeper") from exc


def _host(text: str) -> str:
    one = urlsplit(f"//{text}")
    if not one.hostname:
        raise ValueError("no host")
    host = f"[{one.hostname}]" if ":" in one.hostname else one.hostname
    return f"{host}:{_DEFAULT_PORT if one.port is None else one.port}"
