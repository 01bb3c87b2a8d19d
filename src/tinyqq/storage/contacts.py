"""A user's contacts: what both feel about each other, and who they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from tinyqq.model.conversation import PutRelation
from tinyqq.model.friend import Contact
from tinyqq.model.ids import MAX_GROUP_ID, ConversationId, UserId, direct_conversation, peer_of
from tinyqq.storage.dialect import by_key, ids_argument
from tinyqq.storage.rows import GIVEN_IDS, OF_USER, own_rows
from tinyqq.storage.schema import account, relation, user_conversation

_RELATIONS: Final = by_key(
    select(relation, user_conversation.c.remark).join_from(
        user_conversation,
        relation,
        relation.c.conversation_id == user_conversation.c.conversation_id,
    ),
    relation,
).where(
    user_conversation.c.user_id == OF_USER,
    user_conversation.c.conversation_id > MAX_GROUP_ID,
)
_RELATIONS_IN: Final = _RELATIONS.where(
    user_conversation.c.conversation_id == bindparam("in_conversation")
)
_FRIENDS: Final = own_rows(relation, relation.c.conversation_id).where(
    user_conversation.c.conversation_id > MAX_GROUP_ID, relation.c.is_friend
)
_PEOPLE: Final = select(
    account.c.user_id,
    account.c.nickname,
    account.c.avatar,
    account.c.is_bot,
    account.c.last_seen_at_ms,
).where(account.c.user_id.in_(GIVEN_IDS))


def list_friend_ids(conn: Connection, user_id: UserId) -> tuple[UserId, ...]:
    """Friends' numbers, ascending."""
    conversations = conn.scalars(_FRIENDS, {"of_user_id": user_id})
    return tuple(sorted(peer_of(ConversationId(number), user_id) for number in conversations))


def list_contacts(conn: Connection, user_id: UserId) -> tuple[Contact, ...]:
    """Friends, open requests both ways, blocked users; by number."""
    return _contacts_of(conn, user_id, conn.execute(_RELATIONS, {"of_user_id": user_id}))


def find_contact(conn: Connection, user_id: UserId, peer_id: UserId) -> Contact | None:
    """One of the same; None: they have nothing to do with each other."""
    conversation_id = direct_conversation(user_id, peer_id)
    chosen = {"of_user_id": user_id, "in_conversation": conversation_id}
    found = _contacts_of(conn, user_id, conn.execute(_RELATIONS_IN, chosen))
    return found[0] if found else None


def _contacts_of(
    conn: Connection, user_id: UserId, relations: Iterable[Row[Any]]
) -> tuple[Contact, ...]:
    mine: dict[UserId, PutRelation] = {}
    theirs: dict[UserId, PutRelation] = {}
    remarks: dict[UserId, str] = {}
    for row in relations:
        peer_id = peer_of(row.conversation_id, user_id)
        remarks[peer_id] = row.remark
        (mine if row.user_id == user_id else theirs)[peer_id] = PutRelation(
            user_id=row.user_id,
            is_friend=row.is_friend,
            is_blocked=row.is_blocked,
            requested_at_ms=row.requested_at_ms,
            note=row.note,
        )
    found: list[Contact] = []
    for person in conn.execute(_PEOPLE, ids_argument(sorted(remarks))):
        peer_id = person.user_id
        my = mine.get(peer_id) or PutRelation(user_id)
        their = theirs.get(peer_id) or PutRelation(peer_id)
        if my.is_friend or my.is_blocked or my.requested_at_ms or their.requested_at_ms:
            found.append(
                Contact(
                    user_id=peer_id,
                    nickname=person.nickname,
                    remark=remarks[peer_id],
                    is_friend=my.is_friend,
                    is_blocked=my.is_blocked,
                    request_received_at_ms=their.requested_at_ms,
                    request_sent_at_ms=my.requested_at_ms,
                    note=their.note if their.requested_at_ms else my.note,
                    is_bot=person.is_bot,
                    avatar=person.avatar,
                    last_seen_at_ms=person.last_seen_at_ms,
                )
            )
    return tuple(sorted(found, key=lambda contact: contact.user_id))
