"""The lane's side of the log: heads and grants in, entries and effects out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from sqlalchemy import Connection, and_, bindparam, select

from tinyqq.model.conversation import (
    ConversationState,
    Effect,
    PutJoinRequest,
    PutRelation,
)
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    Seq,
    UserId,
    conversation_type,
    users_of,
)
from tinyqq.model.message import Entry
from tinyqq.ports.storage import Added, SendKey
from tinyqq.storage.database import Database
from tinyqq.storage.dialect import by_key, given_rows, ids_argument, put_missing, rows_argument
from tinyqq.storage.effects import write_effects
from tinyqq.storage.rows import (
    ENTRY_COLUMNS,
    GIVEN_IDS,
    IS_PRESENT,
    entry_of,
    find_heads,
    given,
    group_of,
    member_of,
    of_given,
)
from tinyqq.storage.schema import (
    account,
    chat_group,
    join_request,
    member,
    message,
    relation,
    user_conversation,
)

States = Mapping[ConversationId, ConversationState]

_LISTED_PAIRS: Final = given_rows("user_id", "conversation_id")
_LISTED: Final = select(user_conversation.c.user_id, user_conversation.c.conversation_id).join_from(
    _LISTED_PAIRS,
    user_conversation,
    and_(
        user_conversation.c.user_id == _LISTED_PAIRS.c.user_id,
        user_conversation.c.conversation_id == _LISTED_PAIRS.c.conversation_id,
    ),
)
_RELATIONS: Final = of_given(relation)
_ACCOUNTS: Final = (
    select(account.c.user_id, account.c.allow_strangers)
    .where(account.c.user_id.in_(GIVEN_IDS))
    .where(~account.c.is_disabled, account.c.deleted_at_ms == 0)
)
_GROUPS: Final = of_given(chat_group)
_MEMBERS: Final = of_given(member).where(IS_PRESENT)
_REQUESTS: Final = of_given(join_request)
_AFTER: Final = (
    select(message.c.conversation_id, message.c.seq, message.c.kind)
    .where(message.c.conversation_id == bindparam("in_conversation"))
    .where(message.c.seq > bindparam("after_seq"))
    .order_by(message.c.seq)
    .limit(bindparam("at_most"))
)
_KEYS: Final = given_rows("conversation_id", "sender_id", binary="client_message_id")
_SENT: Final = by_key(
    select(*ENTRY_COLUMNS).join_from(
        _KEYS,
        message,
        and_(
            message.c.conversation_id == _KEYS.c.conversation_id,
            message.c.sender_id == _KEYS.c.sender_id,
            message.c.client_message_id == _KEYS.c.client_message_id,
        ),
    ),
    message,
    key="uq_message_send",
)


class SqlLogWriter:
    """Implements ``ports.storage.LogWriter``."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def load(
        self, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationState]:
        """Heads and grants, fresh from the database."""
        return await self._database.read(
            lambda conn: load_states(conn, conversation_ids), about=conversation_ids
        )

    async def read_after(
        self, heads: Mapping[ConversationId, Seq], limit: int
    ) -> tuple[Added, ...]:
        """What comes after these heads."""
        return await self._database.read(
            partial(_read_after, heads=heads, limit=limit), about=heads
        )

    async def find_sent(self, keys: Sequence[SendKey]) -> dict[SendKey, Entry]:
        """Which of these are already in the log."""
        return await self._database.read(
            lambda conn: find_sent(conn, keys), about=(key.conversation_id for key in keys)
        )

    async def ensure_listed(self, rows: Sequence[tuple[UserId, ConversationId]]) -> None:
        """Put conversations into users' lists."""
        if not rows:
            return
        lines = [
            {"user_id": user_id, "conversation_id": conversation_id, "remark": ""}
            for user_id, conversation_id in sorted(rows)
        ]
        await self._database.write(lambda conn: put_missing(conn, user_conversation, lines))

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        """Write entries and effects in one transaction."""
        work = partial(write_effects, entries=entries, effects=effects) if effects else None
        await self._database.append(entries, work)


def load_states(
    conn: Connection, conversation_ids: Sequence[ConversationId]
) -> dict[ConversationId, ConversationState]:
    """States of conversations, as far as the database knows them."""
    states = {key: ConversationState(key) for key in conversation_ids}
    for key, (seq, ordinal) in find_heads(conn, states).items():
        states[key].head_seq, states[key].head_ordinal = seq, ordinal
    for kind, load in _LOADERS:
        chosen = {key: state for key, state in states.items() if conversation_type(key) is kind}
        if chosen:
            load(conn, chosen)
    return states


def _read_after(
    conn: Connection, *, heads: Mapping[ConversationId, Seq], limit: int
) -> tuple[Added, ...]:
    moved = list(heads)
    if len(heads) > 1:  # of a whole batch mostly one or two
        found = find_heads(conn, heads)
        moved = [key for key, seq in heads.items() if key in found and found[key][0] > seq]
    return tuple(
        Added._make(row)
        for key in moved
        for row in conn.execute(
            _AFTER, {"in_conversation": key, "after_seq": heads[key], "at_most": limit}
        )
    )


def find_sent(conn: Connection, keys: Sequence[SendKey]) -> dict[SendKey, Entry]:
    """Entries by what makes a send the same send."""
    chosen = rows_argument(
        [(key.conversation_id, key.sender_id) for key in keys],
        [key.client_message_id for key in keys],
    )
    entries = [entry_of(row) for row in conn.execute(_SENT, chosen)]
    return {
        SendKey(entry.conversation_id, entry.sender_id, entry.client_message_id): entry
        for entry in entries
    }


def _load_direct(conn: Connection, states: States) -> None:
    pairs = [(user_id, key) for key in states for user_id in users_of(key)]
    for user_id, key in conn.execute(_LISTED, rows_argument(pairs)):
        states[key].listed.add(user_id)
    for row in conn.execute(_RELATIONS, given(states)):
        states[row.conversation_id].relations[row.user_id] = PutRelation(
            user_id=row.user_id,
            is_friend=row.is_friend,
            is_blocked=row.is_blocked,
            requested_at_ms=row.requested_at_ms,
            note=row.note,
        )
    users = conn.execute(_ACCOUNTS, ids_argument({user_id for user_id, _ in pairs}))
    reachable = dict(users.all())
    for user_id, key in pairs:
        if user_id in reachable:
            states[key].reachable.add(user_id)
            if reachable[user_id]:
                states[key].open_to_strangers.add(user_id)


def _load_groups(conn: Connection, states: States) -> None:
    groups = given(states)
    for row in conn.execute(_GROUPS, groups):
        states[row.conversation_id].group = group_of(row)
        states[row.conversation_id].members_seq = row.members_seq
    for row in conn.execute(_MEMBERS, groups):
        one = member_of(row)
        states[row[0]].members[one.user_id] = one
    for row in conn.execute(_REQUESTS, groups):
        states[row.conversation_id].requests[row.user_id] = PutJoinRequest(
            user_id=row.user_id,
            requested_at_ms=row.requested_at_ms,
            note=row.note,
            invited_by=row.invited_by,
        )


_LOADERS: Final[tuple[tuple[ConversationType, Callable[[Connection, States], None]], ...]] = (
    (ConversationType.DIRECT, _load_direct),
    (ConversationType.GROUP, _load_groups),
)
