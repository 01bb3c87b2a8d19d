"""The conversation list: a handful of statements, however long the list is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, bindparam, or_, select

from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    DeviceId,
    Seq,
    UserId,
    conversation_type,
    own_conversation,
    peer_of,
)
from tinyqq.model.message import (
    FIRST_NOTICE_KIND,
    HEADLINES_FOR_ALL,
    HEADLINES_FOR_SENDER,
    Entry,
    is_headline,
)
from tinyqq.model.sync import Known, Overview, Summary
from tinyqq.ports.storage import ACCOUNT_DEVICE
from tinyqq.storage.dialect import given_rows, is_sharded, rows_argument
from tinyqq.storage.rows import (
    ENTRY_COLUMNS,
    entry_of,
    find_entries,
    find_heads,
    find_nicknames,
    find_ordinals,
    given,
    of_given,
)
from tinyqq.storage.schema import chat_group, cursor, member, message, user_conversation

_NOWHERE: Final = (Seq(0), Seq(0))


@dataclass(slots=True)
class _Line:
    """A conversation that will be on the page: what may be seen of it, and from where on."""

    conversation_id: ConversationId
    since_seq: Seq
    until_seq: Seq
    entered_seq: Seq
    """The first seq of the last interval: what came before it is not unread."""
    remark: str


_LISTED: Final = (
    select(user_conversation.c.conversation_id, user_conversation.c.remark)
    .where(
        user_conversation.c.user_id == bindparam("of_user_id"),
        user_conversation.c.conversation_id > bindparam("after_id"),
    )
    .order_by(user_conversation.c.conversation_id)
)
_INTERVALS: Final = (
    of_given(member, member.c.conversation_id, member.c.since_seq, member.c.until_seq)
    .where(member.c.user_id == bindparam("of_user_id"))
    .order_by(member.c.conversation_id, member.c.since_seq)
)
_CURSORS: Final = select(cursor).where(
    cursor.c.user_id == bindparam("of_user_id"),
    cursor.c.device_id.in_((bindparam("of_device_id"), ACCOUNT_DEVICE)),
    cursor.c.conversation_id.between(bindparam("first_id"), bindparam("last_id")),
)
_PAIRS: Final = given_rows("user_id", "conversation_id")
_PEER_CURSORS: Final = select(
    cursor.c.conversation_id, cursor.c.delivered_seq, cursor.c.read_seq
).join_from(
    _PAIRS,
    cursor,
    and_(
        cursor.c.user_id == _PAIRS.c.user_id,
        cursor.c.device_id == ACCOUNT_DEVICE,
        cursor.c.conversation_id == _PAIRS.c.conversation_id,
    ),
)
_GROUP_NAMES: Final = of_given(chat_group, chat_group.c.conversation_id, chat_group.c.name)
_STRETCHES: Final = given_rows("conversation_id", "since_seq", "until_seq")
_earlier = message.alias("earlier")


def _is_headline(rows: FromClause) -> ColumnElement[bool]:
    """:func:`tinyqq.model.message.is_headline` for rows of ``message``."""
    kind = rows.c.kind
    return or_(
        kind.between(1, FIRST_NOTICE_KIND - 1),
        and_(
            rows.c.conversation_id != bindparam("own_id"),
            or_(
                kind.in_(sorted(HEADLINES_FOR_ALL)),
                and_(
                    kind.in_(sorted(HEADLINES_FOR_SENDER)),
                    rows.c.sender_id == bindparam("of_user_id"),
                ),
            ),
        ),
    )


_LAST_SEQ: Final = (
    select(_earlier.c.seq)
    .where(
        _earlier.c.conversation_id == _STRETCHES.c.conversation_id,
        _earlier.c.seq >= _STRETCHES.c.since_seq,
        _earlier.c.seq <= _STRETCHES.c.until_seq,
        _is_headline(_earlier),
    )
    .order_by(_earlier.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST: Final = (
    select(*ENTRY_COLUMNS)
    .where(
        message.c.conversation_id == bindparam("in_conversation"),
        message.c.seq.between(bindparam("since_seq"), bindparam("until_seq")),
        _is_headline(message),
    )
    .order_by(message.c.seq.desc())
    .limit(1)
)
_LAST_ENTRIES: Final = select(*ENTRY_COLUMNS).join_from(
    _STRETCHES,
    message,
    and_(message.c.conversation_id == _STRETCHES.c.conversation_id, message.c.seq == _LAST_SEQ),
)


def read_overview(
    conn: Connection,
    *,
    user_id: UserId,
    device_id: DeviceId,
    known: Sequence[Known],
    with_cursors: bool,
    after_conversation_id: ConversationId,
    limit: int,
) -> Overview:
    """See ``ports.storage.LogReader.read_overview``."""
    lines = list(_lines(conn, user_id, after_conversation_id))
    cursors = _Cursors(conn, user_id, device_id, lines) if with_cursors else None
    known_of = {one.conversation_id: one for one in known}
    own = own_conversation(user_id)
    news = [
        line
        for line in lines
        if line.conversation_id == own
        or _is_news(line, known_of.get(line.conversation_id), cursors)
    ]
    page = news[:limit]
    cursors = cursors or _Cursors(conn, user_id, device_id, page)
    summaries = _summaries(conn, user_id, page, cursors)
    return Overview(conversations=tuple(summaries), more=len(news) > limit)


def _lines(conn: Connection, user_id: UserId, after_id: ConversationId) -> Iterator[_Line]:
    """The user's list after *after_id*, without what the user may see nothing of."""
    listed = conn.execute(_LISTED, {"of_user_id": user_id, "after_id": after_id})
    remarks: dict[ConversationId, str] = dict(listed.all())
    own = own_conversation(user_id)
    if own > after_id:
        remarks.setdefault(own, "")
    heads = find_heads(conn, remarks)
    intervals = _intervals(conn, user_id, _of_type(remarks, ConversationType.GROUP))
    for key in sorted(remarks):
        head_seq, _ = heads.get(key, (Seq(0), 0))
        if conversation_type(key) is not ConversationType.GROUP:
            if head_seq or key == own:
                yield _Line(key, Seq(1), head_seq, Seq(1), remarks[key])
        elif key in intervals:
            first, last = intervals[key][0], intervals[key][-1]
            yield _Line(key, first[0], min(last[1], head_seq), last[0], remarks[key])


def _intervals(
    conn: Connection, user_id: UserId, group_ids: Iterable[ConversationId]
) -> dict[ConversationId, list[tuple[Seq, Seq]]]:
    found: dict[ConversationId, list[tuple[Seq, Seq]]] = {}
    rows = conn.execute(_INTERVALS, {**given(group_ids), "of_user_id": user_id})
    for conversation_id, since_seq, until_seq in rows:
        found.setdefault(conversation_id, []).append((since_seq, until_seq))
    return found


def _is_news(line: _Line, known: Known | None, cursors: _Cursors | None) -> bool:
    """Whether the client has less of a conversation; when cursors are compared, also whether its
    own differ, and whether the other user's are further on."""
    if known is None:
        return line.until_seq > 0
    if line.until_seq > known.seq:
        return True
    if cursors is None:
        return False
    read_seq, delivered_seq, peer_read_seq, peer_delivered_seq = cursors.of(line.conversation_id)
    return (
        read_seq != known.read_seq
        or delivered_seq != known.delivered_seq
        or peer_read_seq > known.peer_read_seq
        or peer_delivered_seq > known.peer_delivered_seq
    )


def _summaries(
    conn: Connection, user_id: UserId, lines: Sequence[_Line], cursors: _Cursors
) -> Iterator[Summary]:
    ids = [line.conversation_id for line in lines]
    unread = _count_unread(conn, lines, cursors)
    last = _last_entries(conn, user_id, lines)
    names = _names(conn, user_id, ids)
    for line in lines:
        key = line.conversation_id
        read_seq, delivered_seq, peer_read_seq, peer_delivered_seq = cursors.of(key)
        yield Summary(
            conversation_id=key,
            head_seq=line.until_seq,
            since_seq=line.since_seq,
            until_seq=line.until_seq,
            unread=unread[key],
            read_seq=read_seq,
            delivered_seq=delivered_seq,
            peer_read_seq=peer_read_seq,
            peer_delivered_seq=peer_delivered_seq,
            last=last.get(key),
            name=names.get(key, ""),
            remark=line.remark,
        )


def _last_entries(
    conn: Connection, user_id: UserId, lines: Sequence[_Line]
) -> dict[ConversationId, Entry]:
    """The last headline of each that has one, of what may be seen since the user came in."""
    viewer = {"of_user_id": user_id, "own_id": own_conversation(user_id)}
    if not is_sharded(conn):
        ends = ((line.conversation_id, line.entered_seq, line.until_seq) for line in lines)
        rows = conn.execute(_LAST_ENTRIES, {**rows_argument(ends), **viewer})
        return {row.conversation_id: entry_of(row) for row in rows}
    # Spider hands a subquery's LIMIT to the shards without the bound on seqs, so a statement for
    # each whose last entry is no headline.
    last: dict[ConversationId, Entry] = {}
    heads = find_entries(conn, ((line.conversation_id, line.until_seq) for line in lines))
    entered = {line.conversation_id: line.entered_seq for line in lines}
    for entry in heads:
        key = entry.conversation_id
        if is_headline(entry, user_id):
            last[key] = entry
        else:
            stretch = {
                "in_conversation": key,
                "since_seq": entered[key],
                "until_seq": entry.seq,
            }
            found = conn.execute(_LAST, {**stretch, **viewer})
            last.update((row.conversation_id, entry_of(row)) for row in found)
    return last


class _Cursors:
    """Cursors of the account, of the device, and of the other user of direct conversations."""

    def __init__(
        self, conn: Connection, user_id: UserId, device_id: DeviceId, lines: Sequence[_Line]
    ) -> None:
        ids = [line.conversation_id for line in lines]
        mine = {
            "of_user_id": user_id,
            "of_device_id": device_id,
            "first_id": ids[0] if ids else 0,
            "last_id": ids[-1] if ids else 0,
        }
        self._account: dict[ConversationId, Seq] = {}
        self._device: dict[ConversationId, Seq] = {}
        for row in conn.execute(_CURSORS, mine):
            if row.device_id == ACCOUNT_DEVICE:
                self._account[row.conversation_id] = row.read_seq
            else:
                self._device[row.conversation_id] = row.delivered_seq
        direct = _of_type(ids, ConversationType.DIRECT)
        pairs = rows_argument((peer_of(key, user_id), key) for key in direct)
        self._peer: dict[ConversationId, tuple[Seq, Seq]] = {
            key: (read_seq, delivered_seq)
            for key, delivered_seq, read_seq in conn.execute(_PEER_CURSORS, pairs)
        }

    def read_seq(self, key: ConversationId) -> Seq:
        """Up to where the account has read."""
        return self._account.get(key, Seq(0))

    def of(self, key: ConversationId) -> tuple[Seq, Seq, Seq, Seq]:
        """What the account has read; what the device has got, a new one starts where the account
        has read; what the other has read and got."""
        read_seq = self.read_seq(key)
        return read_seq, self._device.get(key, read_seq), *self._peer.get(key, _NOWHERE)


def _count_unread(
    conn: Connection, lines: Sequence[_Line], cursors: _Cursors
) -> dict[ConversationId, int]:
    """Countable entries between what was read (or the entrance) and the end, by their ordinals."""
    read = {
        line.conversation_id: Seq(max(cursors.read_seq(line.conversation_id), line.entered_seq - 1))
        for line in lines
    }
    ends = {line.conversation_id: line.until_seq for line in lines}
    ordinals = find_ordinals(conn, [*ends.items(), *read.items()])
    return {
        key: ordinals[key, end] - ordinals.get((key, read[key]), 0) if read[key] < end else 0
        for key, end in ends.items()
    }


def _names(
    conn: Connection, user_id: UserId, ids: Sequence[ConversationId]
) -> dict[ConversationId, str]:
    """Names of groups, nicknames of the other users."""
    groups = conn.execute(_GROUP_NAMES, given(_of_type(ids, ConversationType.GROUP)))
    names: dict[ConversationId, str] = dict(groups.all())
    peers = {key: peer_of(key, user_id) for key in _of_type(ids, ConversationType.DIRECT)}
    nicknames = find_nicknames(conn, peers.values())
    return names | {key: nicknames.get(peer_id, "") for key, peer_id in peers.items()}


def _of_type(ids: Iterable[ConversationId], kind: ConversationType) -> list[ConversationId]:
    return [key for key in ids if conversation_type(key) is kind]
