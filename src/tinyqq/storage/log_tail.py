"""The log by writers: what each of them has added since somebody looked last.

The statements are texts in which only whole numbers vary. Every part of them is a stretch of the
index by writer, which holds all that is asked; no aggregates, which an engine that shards the log
would compute over every row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection, bindparam, select

from tinyqq.model.ids import MAX_GROUP_ID, ConversationId, Seq
from tinyqq.model.message import Entry
from tinyqq.ports.storage import LogKey, Tail
from tinyqq.storage.database import Database
from tinyqq.storage.rows import find_entries, given, of_given
from tinyqq.storage.schema import chat_group, message

_NEXT: Final = "SELECT 0, next_value, 0, 0, 0 FROM counter WHERE name = 'writer'"
_ROWS: Final = "SELECT writer, writer_pos, conversation_id, seq, kind FROM message WHERE writer = "
_AFTER: Final = f"({_ROWS}%d AND writer_pos > %d ORDER BY writer_pos LIMIT %d)"
_END: Final = f"({_ROWS}%d ORDER BY writer_pos DESC LIMIT 1)"

_FROM: Final = (
    select(
        message.c.writer,
        message.c.writer_pos,
        message.c.conversation_id,
        message.c.seq,
        message.c.kind,
    )
    .where(message.c.conversation_id == bindparam("in_conversation"))
    .where(message.c.seq > bindparam("after_seq"))
    .order_by(message.c.seq)
    .limit(bindparam("at_most"))
)
_MEMBERS_SEQS: Final = of_given(chat_group, chat_group.c.conversation_id, chat_group.c.members_seq)


class SqlLogTail:
    """Implements ``ports.storage.LogTail``, on databases that have the index by writer."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def read_ends(self, writers: Collection[int], newest: int) -> Tail:
        """The last row of each."""
        return await self._database.read(
            partial(_read_ends, writers=writers, newest=newest), about=None
        )

    async def read_keys(self, after: Mapping[int, int], limit: int) -> Tail:
        """Rows after a position of each."""
        parts = [_AFTER % (writer, pos, limit) for writer, pos in after.items()]
        return await self._database.read(partial(_read, parts=parts), about=None)

    async def read_from(
        self, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> tuple[LogKey, ...]:
        """Rows of a conversation."""
        wanted = {"in_conversation": conversation_id, "after_seq": after_seq, "at_most": limit}
        return await self._database.read(
            lambda conn: tuple(map(LogKey._make, conn.execute(_FROM, wanted))),
            about=(conversation_id,),
        )

    async def read_entries(
        self, keys: Sequence[tuple[ConversationId, Seq]]
    ) -> tuple[tuple[Entry, ...], Mapping[ConversationId, Seq]]:
        """Entries, and where their groups stand."""
        return await self._database.read(
            partial(_read_entries, keys=keys), about=[key for key, _ in keys]
        )


def _read(conn: Connection, *, parts: Iterable[str]) -> Tail:
    rows = conn.exec_driver_sql(" UNION ALL ".join((_NEXT, *parts))).all()
    keys = [LogKey._make(row) for row in rows]
    # The one that is no row of the log: it comes from the counter, and no writer has this number.
    next_writer = next((key.writer_pos for key in keys if not key.writer), 1)
    return Tail(next_writer, tuple(key for key in keys if key.writer))


def _read_ends(conn: Connection, *, writers: Collection[int], newest: int) -> Tail:
    next_writer = _read(conn, parts=()).next_writer
    wanted = {*writers, *range(max(next_writer - newest, 1), next_writer)}
    ends = _read(conn, parts=[_END % writer for writer in sorted(wanted)])
    # Whoever has come between the two statements is not among the ends.
    return Tail(next_writer, ends.keys)


def _read_entries(
    conn: Connection, *, keys: Sequence[tuple[ConversationId, Seq]]
) -> tuple[tuple[Entry, ...], Mapping[ConversationId, Seq]]:
    entries = sorted(find_entries(conn, keys))
    groups = {conversation_id for conversation_id, _ in keys if conversation_id <= MAX_GROUP_ID}
    if not groups:
        return tuple(entries), {}
    # After the entries: what stands here may be newer than they, and must not be older.
    rows = conn.execute(_MEMBERS_SEQS, given(groups))
    return tuple(entries), dict(rows.all())
