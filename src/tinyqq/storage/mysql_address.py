"""Addresses of MariaDB and MySQL: ``mysql+asyncmy://user:password@host1:3306,host2/database``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from tinyqq.errors import ErrorCode, InvalidRequest

SCHEME: Final = "mysql+asyncmy"
_PORT: Final = 3306


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """Where a database is, and who asks. ``hosts``: tried in their order, one at a time in use."""

    hosts: tuple[tuple[str, int], ...]
    user: str
    password: str = field(repr=False)
    database: str

    @classmethod
    def from_url(cls, url: str) -> Self:
        """Read a URL; in user and password ``@ : /`` are written as ``%40 %3A %2F``.

        Raises:
            InvalidRequest: it is no such URL. The error does not show the password.
        """
        parsed = urlsplit(url)
        who, _, where = parsed.netloc.rpartition("@")
        user, _, password = who.partition(":")
        database = unquote(parsed.path.removeprefix("/"))
        try:
            hosts = tuple(_host_and_port(item) for item in where.split(","))
        except ValueError as error:
            raise _refused() from error
        if parsed.scheme != SCHEME or not user or not database or parsed.query or parsed.fragment:
            raise _refused()
        return cls(hosts, unquote(user), unquote(password), database)


def _host_and_port(item: str) -> tuple[str, int]:
    host, colon, port = item.rpartition(":")
    if not colon or item.endswith("]"):
        host, port = item, str(_PORT)
    host = host.removeprefix("[").removesuffix("]")
    if not host:
        raise ValueError("a host is missing")
    return host, int(port)


def _refused() -> InvalidRequest:
    return InvalidRequest(
        ErrorCode.INVALID_REQUEST, reason=f"expected {SCHEME}://user:password@host1,host2/database"
    )
