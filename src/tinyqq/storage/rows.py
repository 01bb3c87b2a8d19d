"""Rows to records: what several stores read alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    func,
    select,
)

from tinyqq.model.conversation import STILL_IN, PutGroup, PutMember
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.message import Entry
from tinyqq.storage.dialect import (
    by_key,
    given_ids,
    given_rows,
    ids_argument,
    is_sharded,
    rows_argument,
)
from tinyqq.storage.schema import account, member, message, user_conversation

ENTRY_COLUMNS: Final = (
    message.c.conversation_id,
    message.c.seq,
    message.c.ordinal,
    message.c.sender_id,
    message.c.client_message_id,
    message.c.sent_at_ms,
    message.c.kind,
    message.c.body,
)

_MAX_DIGITS: Final = 10

OF_USER: Final[BindParameter[int]] = bindparam("of_user_id")
"""The user whom a statement is about."""
GIVEN_IDS: Final = given_ids()
"""Users handed in with a statement: ``….in_(GIVEN_IDS)``."""
_GIVEN: Final = given_rows("conversation_id")

_HEADS_OF: Final = given_rows("id")

_any = message.alias("any_message")
_HEAD_SEQ: Final = (
    select(_any.c.seq)
    .where(_any.c.conversation_id == _HEADS_OF.c.id)
    .order_by(_any.c.seq.desc())
    .limit(1)
    .scalar_subquery()
)
_HEADS: Final = select(message.c.conversation_id, message.c.seq, message.c.ordinal).join_from(
    _HEADS_OF,
    message,
    and_(message.c.conversation_id == _HEADS_OF.c.id, message.c.seq == _HEAD_SEQ),
)
# The same for shards: a maximum is asked of the one shard that has the conversation, and is found
# there in the index; the last row in an order is asked of all shards. Here a maximum would be
# looked for in every row of the conversation.
_HEAD_SEQS: Final = select(
    _HEADS_OF.c.id,
    by_key(
        select(func.max(_any.c.seq)).where(_any.c.conversation_id == _HEADS_OF.c.id), _any
    ).scalar_subquery(),
)
_PLACES: Final = given_rows("conversation_id", "seq")
_AT_PLACES: Final = and_(
    message.c.conversation_id == _PLACES.c.conversation_id, message.c.seq == _PLACES.c.seq
)
_ORDINALS: Final = by_key(
    select(message.c.conversation_id, message.c.seq, message.c.ordinal).join_from(
        _PLACES, message, _AT_PLACES
    ),
    message,
)
_ENTRIES: Final = by_key(select(*ENTRY_COLUMNS).join_from(_PLACES, message, _AT_PLACES), message)
_FACES: Final = select(account.c.user_id, account.c.nickname, account.c.avatar).where(
    account.c.user_id.in_(GIVEN_IDS)
)
_NICKNAMES: Final = select(account.c.user_id, account.c.nickname).where(
    account.c.user_id.in_(GIVEN_IDS)
)


def number_of(query: str) -> int | None:
    """The number that somebody looks for; None: it is none that an account or group can have."""
    if query.isascii() and query.isdigit() and len(query) <= _MAX_DIGITS:
        return int(query)
    return None


def of_given(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """Rows of a table by conversation, of conversations handed in (:func:`given`, each once)."""
    statement = select(*(columns or table.c)).join_from(
        _GIVEN, table, table.c.conversation_id == _GIVEN.c.conversation_id
    )
    return by_key(statement, table)


def own_rows(table: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """What a table by (conversation, user) has about :data:`OF_USER`, in the conversations of that
    user's list."""
    statement = select(*(columns or table.c)).join_from(
        user_conversation,
        table,
        and_(
            table.c.conversation_id == user_conversation.c.conversation_id,
            table.c.user_id == user_conversation.c.user_id,
        ),
    )
    return by_key(statement, table).where(user_conversation.c.user_id == OF_USER)


def given(conversation_ids: Iterable[int]) -> dict[str, str | bytes]:
    """The value of :func:`of_given`, as an argument of ``execute``."""
    return rows_argument((key,) for key in conversation_ids)


def entry_of(row: Sequence[Any]) -> Entry:
    """A row of :data:`ENTRY_COLUMNS`."""
    return Entry._make((*row, Seq(0)))


def member_of(row: Iterable[Any]) -> PutMember:
    """A row of ``member``, whole. Not by the names of its columns: groups have thousands."""
    _, user_id, since_seq, until_seq, role, card, joined_at_ms = row
    return PutMember(user_id, since_seq, until_seq, _ROLES[role], card, joined_at_ms)


_ROLES: Final = {role.value: role for role in Role}


def group_of(row: Row[Any]) -> PutGroup:
    """A row of ``chat_group``."""
    return PutGroup(
        name=row.name,
        join_policy=JoinPolicy(row.join_policy),
        announcement=row.announcement,
        member_limit=row.member_limit,
        created_at_ms=row.created_at_ms,
        dismissed_seq=row.dismissed_seq,
    )


def find_heads(
    conn: Connection, conversation_ids: Iterable[ConversationId]
) -> dict[ConversationId, tuple[Seq, int]]:
    """Last seq and ordinal of each conversation that has entries."""
    wanted = rows_argument((key,) for key in conversation_ids)
    if is_sharded(conn):
        found = conn.execute(_HEAD_SEQS, wanted)
        return {
            key: (seq, ordinal)
            for (key, seq), ordinal in find_ordinals(
                conn, ((key, seq) for key, seq in found if seq is not None)
            ).items()
        }
    rows = conn.execute(_HEADS, wanted)
    return {conversation_id: (seq, ordinal) for conversation_id, seq, ordinal in rows}


def find_ordinals(
    conn: Connection, places: Iterable[tuple[ConversationId, Seq]]
) -> dict[tuple[ConversationId, Seq], int]:
    """Ordinals of those entries that exist."""
    rows = conn.execute(_ORDINALS, rows_argument(places))
    return {(conversation_id, seq): ordinal for conversation_id, seq, ordinal in rows}


def find_entries(conn: Connection, places: Iterable[tuple[ConversationId, Seq]]) -> Iterator[Entry]:
    """Those of these entries that exist."""
    return map(entry_of, conn.execute(_ENTRIES, rows_argument(places)))


def find_nicknames(conn: Connection, user_ids: Iterable[UserId]) -> dict[UserId, str]:
    """Nicknames of those that exist."""
    return dict(conn.execute(_NICKNAMES, ids_argument(user_ids)).all())


def find_faces(conn: Connection, user_ids: Iterable[UserId]) -> dict[UserId, tuple[str, str]]:
    """Nicknames and pictures of those that exist."""
    return {
        user_id: (nickname, avatar)
        for user_id, nickname, avatar in conn.execute(_FACES, ids_argument(user_ids))
    }


IS_PRESENT: Final = member.c.until_seq == STILL_IN
