"""The log by writers: what each of them has added since somebody looked last.

The statements are texts in which only whole numbers vary. Every part of them is a stretch of the
index by writer, which holds all that is asked; no aggregates, which an engine that shards the log
would compute over every row.

Where the log is spread over shards each of them is read by itself, and one that is away holds up
nobody else: what lies there is read when it is back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, bindparam, select

from tinyqq.errors import Unavailable
from tinyqq.model.ids import MAX_GROUP_ID, ConversationId, Seq
from tinyqq.model.message import Entry
from tinyqq.ports.storage import Found, LogKey, Tail
from tinyqq.storage.away_shards import AwayShards
from tinyqq.storage.database import Database
from tinyqq.storage.rows import find_entries, given, of_given
from tinyqq.storage.schema import chat_group, message
from tinyqq.storage.shards import PARTITION

_NEXT: Final = "SELECT 0, next_value, 0, 0, 0 FROM counter WHERE name = 'writer'"
_ROWS: Final = "SELECT writer, writer_pos, conversation_id, seq, kind FROM message"
_AFTER: Final = f"({_ROWS}%s WHERE writer = %d AND writer_pos > %d ORDER BY writer_pos LIMIT %d)"
_END: Final = f"({_ROWS} WHERE writer = %d ORDER BY writer_pos DESC LIMIT 1)"
_PATIENCE_S: Final = 2.0
"""How long one shard may take for its part."""
_PATIENCE_AWAY_S: Final = 0.5
"""The same for one that has not answered before."""

T = TypeVar("T")

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
        self._away = AwayShards()
        self._shard_of: dict[int, int] = {}
        """Of the writers that are known to write, each of which keeps to one."""

    async def read_ends(self, writers: Collection[int], newest: int) -> Tail:
        """The last row of each."""
        return await self._database.read(
            partial(_read_ends, writers=writers, newest=newest), about=None
        )

    async def read_keys(self, after: Mapping[int, int], limit: int) -> Tail:
        """Rows after a position of each."""
        if self._database.shards.count == 1:
            parts = [_AFTER % ("", writer, pos, limit) for writer, pos in after.items()]
            return await self._database.read(partial(_read, parts=(_NEXT, *parts)), about=None)
        next_writer, _, _ = await self._database.read(partial(_read, parts=(_NEXT,)))
        self._shard_of = {one: at for one, at in self._shard_of.items() if one in after}
        shards = range(self._database.shards.count)
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(self._read_shard(one, after, limit)) for one in shards]
        keys = tuple(key for task in reading for key in task.result())
        return Tail(next_writer, keys, is_whole=not any(map(self._away.is_away, shards)))

    async def read_from(
        self, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> tuple[LogKey, ...]:
        """Rows of a conversation."""
        wanted = {"in_conversation": conversation_id, "after_seq": after_seq, "at_most": limit}
        return await self._database.read(
            lambda conn: tuple(map(LogKey._make, conn.execute(_FROM, wanted))),
            about=(conversation_id,),
        )

    async def read_entries(self, keys: Sequence[tuple[ConversationId, Seq]]) -> Found:
        """Entries, and where their groups stand."""
        if self._database.shards.count == 1:
            return await self._database.read(partial(_read_entries, keys=keys), about=None)
        by_shard: defaultdict[int, list[tuple[ConversationId, Seq]]] = defaultdict(list)
        for key in keys:
            by_shard[self._database.shards.of(key[0])].append(key)
        entries: list[Entry] = []
        members_seqs: dict[ConversationId, Seq] = {}
        unread: set[tuple[ConversationId, Seq]] = set()
        for shard, its_keys in by_shard.items():
            work = partial(_read_entries, keys=its_keys)
            about = [key for key, _ in its_keys]
            found = await self._ask(shard, self._database.read(work, about=about))
            if found is None:
                unread.update(its_keys)
            else:
                entries += found.entries
                members_seqs.update(found.members_seqs)
        return Found(tuple(sorted(entries)), members_seqs, frozenset(unread))

    # ---- one shard -------------------------------------------------------------------------------

    async def _read_shard(
        self, shard: int, after: Mapping[int, int], limit: int
    ) -> tuple[LogKey, ...]:
        """What lies on one shard; nothing while it is away."""
        if not self._away.may_ask(shard):
            return ()
        on = f" PARTITION ({PARTITION % (shard + 1)})"
        parts = [
            _AFTER % (on, writer, pos, limit)
            for writer, pos in after.items()
            if self._shard_of.get(writer, shard) == shard
        ]
        # Also when nobody writes there that is followed: whether it answers is of interest.
        work = partial(_read, parts=parts or (_AFTER % (on, 0, 0, 0),))
        about = (self._database.shards.any_of(shard),)
        tail = await self._ask(shard, self._database.read(work, about=about))
        keys = () if tail is None else tail.keys
        self._shard_of.update((key.writer, shard) for key in keys)
        return keys

    async def _ask(self, shard: int, question: Awaitable[T]) -> T | None:
        patience_s = _PATIENCE_AWAY_S if self._away.is_away(shard) else _PATIENCE_S
        try:
            async with asyncio.timeout(patience_s):
                answer = await question
        except (Unavailable, TimeoutError) as error:
            self._away.failed(shard, error)
            return None
        self._away.answered(shard)
        return answer


def _read(conn: Connection, *, parts: Iterable[str]) -> Tail:
    rows = conn.exec_driver_sql(" UNION ALL ".join(parts)).all()
    keys = [LogKey._make(row) for row in rows]
    # The one of _NEXT is no row of the log: no writer has this number.
    next_writer = next((key.writer_pos for key in keys if not key.writer), 1)
    return Tail(next_writer, tuple(key for key in keys if key.writer))


def _read_ends(conn: Connection, *, writers: Collection[int], newest: int) -> Tail:
    next_writer = _read(conn, parts=(_NEXT,)).next_writer
    wanted = {*writers, *range(max(next_writer - newest, 1), next_writer)}
    ends = _read(conn, parts=(_NEXT, *(_END % writer for writer in sorted(wanted))))
    # Whoever has come between the two statements is not among the ends.
    return Tail(next_writer, ends.keys)


def _read_entries(conn: Connection, *, keys: Sequence[tuple[ConversationId, Seq]]) -> Found:
    entries = sorted(find_entries(conn, keys))
    groups = {conversation_id for conversation_id, _ in keys if conversation_id <= MAX_GROUP_ID}
    if not groups:
        return Found(tuple(entries), {})
    # After the entries: what stands here may be newer than they, and must not be older.
    rows = conn.execute(_MEMBERS_SEQS, given(groups))
    return Found(tuple(entries), dict(rows.all()))
