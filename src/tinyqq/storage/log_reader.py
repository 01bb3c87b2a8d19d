"""Reading the log for people: pages forward and backward within what they may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from tinyqq.model.ids import ConversationId, DeviceId, Seq, UserId
from tinyqq.model.message import Entry, is_countable
from tinyqq.model.sync import MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Known, Overview
from tinyqq.model.visibility import visible_entries
from tinyqq.ports.storage import PageRows, SendKey
from tinyqq.storage.database import Database
from tinyqq.storage.log_writer import find_sent
from tinyqq.storage.overview import read_overview
from tinyqq.storage.rows import ENTRY_COLUMNS, entry_of, find_heads
from tinyqq.storage.schema import message
from tinyqq.storage.windows import Windows, find_windows

_ENTRY_OVERHEAD_BYTES: Final = 64
"""What an entry weighs on the wire beside its body."""
_MAX_HISTORY_ROWS: Final = 2 * MAX_PAGE_ENTRIES
_STEP: Final = 128
"""Rows fetched at once."""

_STRETCH: Final = (
    select(*ENTRY_COLUMNS)
    .where(
        message.c.conversation_id == bindparam("in_conversation"),
        message.c.seq.between(bindparam("since_seq"), bindparam("until_seq")),
    )
    .limit(_STEP)
)
_FORWARD: Final = _STRETCH.order_by(message.c.seq)
_BACKWARD: Final = _STRETCH.order_by(message.c.seq.desc())


class SqlLogReader:
    """Implements ``ports.storage.LogReader``."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def read_page(
        self, viewer_id: UserId, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> PageRows:
        """Rows after *after_seq*; ``more``: the windows hold further rows."""
        return await self._database.read(
            lambda conn: read_page(conn, viewer_id, conversation_id, after_seq, limit),
            about=(conversation_id,),
        )

    async def read_history(
        self, viewer_id: UserId, conversation_id: ConversationId, before_seq: Seq, limit: int
    ) -> PageRows:
        """Rows before *before_seq*; ends early, like a page, rather than exceed its bounds."""
        return await self._database.read(
            lambda conn: read_history(conn, viewer_id, conversation_id, before_seq, limit),
            about=(conversation_id,),
        )

    async def read_overview(
        self,
        user_id: UserId,
        device_id: DeviceId,
        *,
        known: Sequence[Known],
        with_cursors: bool,
        after_conversation_id: ConversationId,
        limit: int,
    ) -> Overview:
        """The conversation list by conversation id."""
        return await self._database.read(
            partial(
                read_overview,
                user_id=user_id,
                device_id=device_id,
                known=known,
                with_cursors=with_cursors,
                after_conversation_id=after_conversation_id,
                limit=limit,
            ),
            about=None,
        )

    async def read_heads(
        self, conversation_ids: Sequence[ConversationId]
    ) -> Mapping[ConversationId, Seq]:
        """The last seq of each that has entries."""
        heads = await self._database.read(
            lambda conn: find_heads(conn, conversation_ids), about=conversation_ids
        )
        return {key: seq for key, (seq, _) in heads.items()}

    async def find_entry(self, conversation_id: ConversationId, seq: Seq) -> Entry | None:
        """One entry, whoever asks."""
        return await self._database.read(
            lambda conn: next(_rows(conn, _FORWARD, conversation_id, ((seq, seq),)), None),
            about=(conversation_id,),
        )

    async def find_operation(self, key: SendKey) -> Entry | None:
        """The entry of an operation."""
        return await self._database.read(
            lambda conn: find_sent(conn, (key,)).get(key), about=(key.conversation_id,)
        )

    async def find_visible(self, viewer_id: UserId, key: SendKey) -> Entry | None:
        """The entry of an operation, for who may see it."""
        return await self._database.read(
            lambda conn: find_visible(conn, viewer_id, key), about=(key.conversation_id,)
        )


def read_page(
    conn: Connection,
    viewer_id: UserId,
    conversation_id: ConversationId,
    after_seq: Seq,
    limit: int,
) -> PageRows:
    """See ``ports.storage.LogReader.read_page``."""
    head_seq, windows = _head_and_windows(conn, viewer_id, conversation_id)
    entries: list[Entry] = []
    room_bytes = MAX_PAGE_BYTES
    for entry in _rows(conn, _FORWARD, conversation_id, _after(windows, after_seq)):
        room_bytes -= len(entry.body) + _ENTRY_OVERHEAD_BYTES
        if entries and (room_bytes < 0 or len(entries) == limit):
            return PageRows(tuple(entries), head_seq, windows, more=True)
        entries.append(entry)
    return PageRows(tuple(entries), head_seq, windows)


def read_history(
    conn: Connection,
    viewer_id: UserId,
    conversation_id: ConversationId,
    before_seq: Seq,
    limit: int,
) -> PageRows:
    """See ``ports.storage.LogReader.read_history``."""
    head_seq, windows = _head_and_windows(conn, viewer_id, conversation_id)
    older = _before(windows, before_seq) if before_seq else windows
    entries: list[Entry] = []
    countable = 0
    room_bytes = MAX_PAGE_BYTES
    for entry in _rows(conn, _BACKWARD, conversation_id, reversed(older)):
        if not visible_entries((entry,), windows, viewer_id):
            continue
        counts = is_countable(entry.kind)
        if countable == limit and not counts:
            continue  # a notice before the oldest message: looking for a still older message
        room_bytes -= len(entry.body) + _ENTRY_OVERHEAD_BYTES
        if entries and (countable == limit or room_bytes < 0 or len(entries) == _MAX_HISTORY_ROWS):
            return PageRows(tuple(reversed(entries)), head_seq, windows, more=True)
        entries.append(entry)
        countable += counts
    return PageRows(tuple(reversed(entries)), head_seq, windows)


def find_visible(conn: Connection, viewer_id: UserId, key: SendKey) -> Entry | None:
    """See ``ports.storage.LogReader.find_visible``."""
    entry = find_sent(conn, (key,)).get(key)
    if entry is None:
        return None
    windows = find_windows(conn, viewer_id, key.conversation_id, entry.seq)
    return next(iter(visible_entries((entry,), windows, viewer_id)), None)


def _head_and_windows(
    conn: Connection, viewer_id: UserId, conversation_id: ConversationId
) -> tuple[Seq, Windows]:
    head_seq, _ = find_heads(conn, (conversation_id,)).get(conversation_id, (Seq(0), 0))
    return head_seq, find_windows(conn, viewer_id, conversation_id, head_seq)


def _after(windows: Windows, seq: Seq) -> Windows:
    return tuple((max(since, Seq(seq + 1)), until) for since, until in windows if until > seq)


def _before(windows: Windows, seq: Seq) -> Windows:
    return tuple((since, min(until, Seq(seq - 1))) for since, until in windows if since < seq)


def _rows(
    conn: Connection,
    statement: Select[Any],
    conversation_id: ConversationId,
    windows: Iterable[tuple[Seq, Seq]],
) -> Iterator[Entry]:
    """Rows of the windows, fetched a step at a time as they are asked for."""
    for since_seq, until_seq in windows:
        while since_seq <= until_seq:
            wanted = {
                "in_conversation": conversation_id,
                "since_seq": since_seq,
                "until_seq": until_seq,
            }
            rows = conn.execute(statement, wanted).all()
            for row in rows:
                yield entry_of(row)
            if len(rows) < _STEP:
                break
            if statement is _FORWARD:
                since_seq = Seq(rows[-1].seq + 1)
            else:
                until_seq = Seq(rows[-1].seq - 1)
