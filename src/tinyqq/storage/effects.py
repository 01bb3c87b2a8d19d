"""Writing the changes that come with entries: members, relations, groups, requests, erasures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Final

from sqlalchemy import BindParameter, Connection, Delete, Table, Update, bindparam, delete, update

from tinyqq.model.conversation import (
    DropJoinRequest,
    Effect,
    EraseEntry,
    PutGroup,
    PutJoinRequest,
    PutMember,
    PutRelation,
)
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import MEMBERSHIP_KINDS, Entry, Kind
from tinyqq.storage.dialect import put
from tinyqq.storage.schema import chat_group, join_request, member, message, relation

_TABLES: Final[dict[type[Effect], Table]] = {
    PutMember: member,
    PutRelation: relation,
    PutGroup: chat_group,
    PutJoinRequest: join_request,
}

# SQLAlchemy keeps the names of columns for the values to set, hence the prefix.
_IN_CONVERSATION: Final[BindParameter[int]] = bindparam("in_conversation")
_OF_USER: Final[BindParameter[int]] = bindparam("of_user_id")
_OF_SEQ: Final[BindParameter[int]] = bindparam("of_seq")

_CHANGES: Final[dict[type[Effect], Delete | Update]] = {
    DropJoinRequest: delete(join_request).where(
        join_request.c.conversation_id == _IN_CONVERSATION, join_request.c.user_id == _OF_USER
    ),
    EraseEntry: update(message)
    .where(message.c.conversation_id == _IN_CONVERSATION, message.c.seq == _OF_SEQ)
    .values(kind=int(Kind.RECALLED), body=b""),
}
_MOVE_MEMBERS_SEQ: Final = (
    update(chat_group)
    .where(chat_group.c.conversation_id == _IN_CONVERSATION)
    .values(members_seq=_OF_SEQ)
)


def write_effects(
    conn: Connection,
    entries: Sequence[Entry],
    effects: Sequence[tuple[ConversationId, Effect]],
) -> None:
    """Write *effects* in their order, and note the last membership entry of each group."""
    for kind, run in groupby(effects, key=lambda pair: type(pair[1])):
        _write_alike(conn, kind, list(run))
    members_seqs = {
        entry.conversation_id: entry.seq for entry in entries if entry.kind in MEMBERSHIP_KINDS
    }
    if members_seqs:
        conn.execute(
            _MOVE_MEMBERS_SEQ,
            [{"in_conversation": group, "of_seq": seq} for group, seq in members_seqs.items()],
        )


def _write_alike(
    conn: Connection, kind: type[Effect], effects: Sequence[tuple[ConversationId, Effect]]
) -> None:
    """Effects of one kind that follow one another: one statement for all of them."""
    if kind in _TABLES:
        put(
            conn,
            _TABLES[kind],
            [{"conversation_id": place, **asdict(effect)} for place, effect in effects],
        )
    else:
        rows = [
            {
                "in_conversation": place,
                **{f"of_{name}": fact for name, fact in asdict(effect).items()},
            }
            for place, effect in effects
        ]
        conn.execute(_CHANGES[kind], rows)
