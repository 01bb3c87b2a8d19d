"""Connections to MariaDB and MySQL: which host, how long to wait, and how a session is set up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Any, Final, Literal

import asyncmy
from asyncmy.connection import Connection
from asyncmy.constants.CLIENT import FOUND_ROWS
from asyncmy.errors import MySQLError

from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_errors import CannotConnect, is_unknown_variable

logger = logging.getLogger(__name__)

Isolation = Literal["READ COMMITTED", "REPEATABLE READ"]

_SESSION: Final = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " innodb_lock_wait_timeout = 2, lock_wait_timeout = 5"
)
_WHERE_KNOWN: Final = (
    # MariaDB: a process that hangs between two statements keeps its locks no longer than this.
    "SET SESSION idle_write_transaction_timeout = 2",
    # Galera: a read on this node sees what was acknowledged on another.
    "SET SESSION wsrep_sync_wait = 1",
    # Spider: what is looked up by many keys is asked of a shard at once, and only of the shards
    # where they lie; connections to shards are kept; a batch is one statement for a shard too; and
    # one that is away is noticed before our own patience ends.
    "SET SESSION optimizer_switch = 'mrr=on,mrr_sort_keys=on,join_cache_bka=on',"
    " join_cache_level = 8, spider_bka_mode = 1, spider_conn_recycle_mode = 2,"
    " spider_bulk_size = 16777216, spider_connect_timeout = 1, spider_connect_retry_count = 0,"
    " spider_net_read_timeout = 4, spider_net_write_timeout = 4",
)
# Also fails on a Galera node outside the primary component.
_PROBE: Final = "SELECT @@global.read_only, @@max_allowed_packet"


@dataclass(frozen=True, slots=True)
class MysqlTimeouts:
    """How long an answer is waited for.

    ``connect_s``: for a connection, until the next host is tried; the only host of an address is
    given ``call_s``, for giving up on it helps nobody.
    ``call_s`` and ``append_s`` are longer than a small Galera cluster needs to get over the death
    of a node; ``append_s`` is shorter than a lane keeps trying.
    """

    connect_s: float = 1.0
    call_s: float = 5.0
    append_s: float = 6.0


@dataclass(frozen=True, slots=True)
class Session:
    """A connection that is set up. ``generation``: of the connector when it was made."""

    connection: Connection
    transport: asyncio.Transport
    generation: int
    max_packet_bytes: int
    is_mariadb: bool

    @property
    def is_broken(self) -> bool:
        """Whether the other end has gone, as far as this one has been told."""
        return self.transport.is_closing()

    def abort(self) -> None:
        """Close at once: nothing that is still on its way matters."""
        self.connection.close()
        self.transport.abort()

    async def close(self, timeout_s: float) -> None:
        """Say goodbye, and close."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.connection.ensure_closed()
        except (TimeoutError, OSError, MySQLError):
            self.abort()


class MysqlConnector:
    """Connects to one host of a list: to the one that answered last, else to the next that does.

    All connections of a process go to one host at a time. After a sign that it may have failed
    (:meth:`distrust`) connections made before are of an old generation: whoever holds one replaces
    it before its next use.
    """

    def __init__(self, *, address: MysqlAddress, timeouts: MysqlTimeouts) -> None:
        self._address = address
        self._timeouts = timeouts
        self._place = 0
        self._host = ""
        """That was connected to last; empty: none answers, or none was asked yet."""
        self.generation = 0
        self.connects = 0

    def distrust(self) -> None:
        """The host may have failed: every connection has to be made anew."""
        self.generation += 1

    async def connect(self, isolation: Isolation, *, autocommit: bool) -> Session:
        """A new connection to the first host, from the present one on, that can be written to.

        Raises:
            CannotConnect: there is none.
        """
        hosts = self._address.hosts
        problems: list[str] = []
        problem: Exception | None = None
        for step in range(len(hosts)):
            place = (self._place + step) % len(hosts)
            generation = self.generation
            try:
                async with asyncio.timeout(self._patience_s()):
                    session = await self._connect(hosts[place], isolation, autocommit, generation)
            except (MySQLError, OSError, CannotConnect) as error:
                problem = error
                problems.append(f"{shown(hosts[place])}: {str(error) or 'no answer in time'}")
                continue
            if place != self._place:
                self._place = place
                self.distrust()
            self.connects += 1
            self._tell(shown(hosts[place]))
            return session
        reason = "; ".join(problems)
        if self._host:
            self._host = ""
            logger.warning("storage.away", extra={"reason": reason})
        raise CannotConnect(reason) from problem

    def _patience_s(self) -> float:
        timeouts = self._timeouts
        return timeouts.connect_s if len(self._address.hosts) > 1 else timeouts.call_s

    def _tell(self, host: str) -> None:
        """Log which host is used, once."""
        if host != self._host:
            self._host = host
            logger.info("storage.connected", extra={"host": host})

    async def _connect(
        self, host: tuple[str, int], isolation: Isolation, autocommit: bool, generation: int
    ) -> Session:
        address = self._address
        connection = await asyncmy.connect(
            host=host[0], port=host[1], user=address.user, password=address.password,
            database=address.database, charset="utf8mb4", autocommit=autocommit,
            client_flag=FOUND_ROWS, connect_timeout=self._patience_s(),
        )  # fmt: skip
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(connection.close)
            await _set_up(connection, isolation)
            [(is_read_only, max_packet_bytes)] = await fetch(connection, _PROBE)
            if is_read_only:
                raise CannotConnect("the host is read only")
            stack.pop_all()
        return Session(
            connection=connection,
            transport=connection._transport,  # type: ignore[attr-defined]  # the stubs leave it out
            generation=generation,
            max_packet_bytes=max_packet_bytes,
            is_mariadb="MariaDB" in connection.get_server_info(),
        )


def shown(host: tuple[str, int]) -> str:
    """For people."""
    return f"{host[0]}:{host[1]}"


async def fetch(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    """The rows of a statement without values."""
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
        return await cursor.fetchall()


async def run(connection: Connection, text: str | bytes) -> None:
    """Run one statement, or several in one text, whose rows nobody wants."""
    async with connection.cursor() as cursor:
        await cursor.execute(text)
        while await cursor.nextset():
            pass


async def _set_up(connection: Connection, isolation: Isolation) -> None:
    await run(connection, f"SET SESSION TRANSACTION ISOLATION LEVEL {isolation}")
    await run(connection, _SESSION)
    for statement in _WHERE_KNOWN:
        try:
            await run(connection, statement)
        except MySQLError as error:
            if not is_unknown_variable(error):
                raise
