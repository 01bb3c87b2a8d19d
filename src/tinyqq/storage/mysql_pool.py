"""Connections for one kind of work, and a bound on how many wait for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.storage.mysql_connector import Isolation, MysqlConnector
from tinyqq.storage.mysql_engine import dispose, pooled_engine

_MAX_WAITING: Final = 1_000
_RETRY_AFTER_S: Final = 1.0


class MysqlPool:
    """See the module's docstring.

    Args:
        size: so many connections at most.
        is_sharded: its work reads what lies on shards; see ``dialect.is_sharded``.
    """

    def __init__(
        self,
        connector: MysqlConnector,
        isolation: Isolation,
        *,
        size: int,
        is_sharded: bool = False,
    ) -> None:
        self.engine = pooled_engine(connector, isolation, pool_size=size, is_sharded=is_sharded)
        self.is_sharded = is_sharded
        self.waiting = 0
        self.refused = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place among those who wait.

        Raises:
            Unavailable: BUSY, there is none.
        """
        if self.waiting >= _MAX_WAITING:
            self.refused += 1
            raise Unavailable(ErrorCode.BUSY, retry_after_s=_RETRY_AFTER_S)
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def close(self, timeout_s: float) -> None:
        """Close every connection, politely if that is quick."""
        await dispose(self.engine, timeout_s)
