"""Appending to the log on MariaDB and MySQL: one round trip per batch, on a connection of its own.

A batch is one INSERT, or, when effects come with it, one text with the whole transaction: a process
that stops in between holds no locks. The outcome is known when the server has answered, with yes or
with a plain no; after anything else the connection is closed and never used again, and the writer
takes a new number, so that the positions of every writer stay dense whatever became of the batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from asyncmy.errors import MySQLError

from tinyqq.model.message import Entry
from tinyqq.ports.storage import AppendFailed
from tinyqq.storage.database import Work
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts, Session, run
from tinyqq.storage.mysql_errors import is_refused, is_shard_away, is_taken, translating
from tinyqq.storage.mysql_statements import insert_entries, literal_statements, one_transaction

_SHARE_OF_PACKET: Final = 2
"""A statement may have half of ``max_allowed_packet``; what a lane sends stays below a quarter, and
the effects of a batch come on top of it."""


class MysqlLog:
    """The one place that writes rows of ``message``. One batch is on its way at a time.

    Args:
        take_writer: takes a new writer's number from the counter; may raise Unavailable.
    """

    def __init__(
        self,
        *,
        connector: MysqlConnector,
        timeouts: MysqlTimeouts,
        take_writer: Callable[[], Awaitable[int]],
    ) -> None:
        self._connector = connector
        self._timeouts = timeouts
        self._take_writer = take_writer
        self._one_at_a_time = asyncio.Lock()
        self._session: Session | None = None
        self._next_pos = 1
        self.writer = 0
        """The number under which rows are written now; 0: none yet, or the last one is done."""
        self.rows = 0
        self.unknown_outcomes = 0

    @property
    def writers(self) -> dict[int, int]:
        """The number under which rows are written now, if there is one, and the position of the
        last row that is known to be written."""
        return {self.writer: self._next_pos - 1} if self.writer else {}

    async def prepare(self) -> int:
        """Connect, and take a number.

        Returns:
            The server's ``max_allowed_packet``.

        Raises:
            Unavailable: no host can be used.
        """
        async with self._one_at_a_time:
            return (await self._ready()).max_packet_bytes

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """Write a batch.

        Raises:
            AppendFailed: see ``ports.storage.LogWriter.append``.
            Unavailable: no host can be used; nothing was sent.
        """
        async with self._one_at_a_time:
            session = await self._ready()
            try:
                text = self._text(entries, work, is_mariadb=session.is_mariadb)
            except Exception as error:  # whatever is wrong with a row, nothing was sent
                raise AppendFailed(outcome_known=True) from error
            if len(text) > session.max_packet_bytes // _SHARE_OF_PACKET:
                raise AppendFailed(outcome_known=True)
            await self._send(session, text, rolls_back=session.is_mariadb or work is None)
            self._next_pos += len(entries)
            self.rows += len(entries)

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._session is not None:
            await self._session.close(self._timeouts.connect_s)
            self._session = None

    async def _ready(self) -> Session:
        """A connection that is as good as anybody knows, and a writer's number."""
        session = self._session
        if session is not None and (
            session.is_broken or session.generation != self._connector.generation
        ):
            session.abort()
            session = self._session = None
        if session is None:
            with translating():
                session = await self._connector.connect("READ COMMITTED", autocommit=True)
            self._session = session
        if not self.writer:
            self.writer, self._next_pos = await self._take_writer(), 1
        return session

    def _text(
        self, entries: Sequence[Entry], work: Work[None] | None, *, is_mariadb: bool
    ) -> bytes:
        insert = insert_entries(entries, writer=self.writer, first_pos=self._next_pos)
        if work is None:
            return insert.encode("ascii")
        statements = [insert, *literal_statements(work)]
        return one_transaction(statements, is_mariadb=is_mariadb).encode("ascii")

    async def _send(self, session: Session, text: bytes, *, rolls_back: bool) -> None:
        is_answered = is_host_well = False
        try:
            async with asyncio.timeout(self._timeouts.append_s):
                await run(session.connection, text)
            is_answered = True
        except (MySQLError, OSError, TimeoutError) as error:
            is_answered = is_refused(error) and rolls_back
            is_host_well = is_shard_away(error)
            raise AppendFailed(
                outcome_known=is_refused(error), key_taken=is_taken(error)
            ) from error
        finally:
            if not is_answered:  # also when the caller has been cancelled
                self._give_up(session)
                if not is_host_well:
                    self._connector.distrust()

    def _give_up(self, session: Session) -> None:
        session.abort()
        self._session = None
        self.writer = 0
        self.unknown_outcomes += 1
