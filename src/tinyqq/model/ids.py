"""Identifiers, and the derivation of conversation ids.

A conversation id is 64 bits, derived and never looked up:

===============  ==========================  ==========================
conversation     id                          ranges
===============  ==========================  ==========================
group            its group number            10000 ≤ number < 2³²
two users        ``lo << 32 | hi``           user numbers 10000 … 2³¹-1
one's own        ``id << 32 | id``           notes to self and notices
===============  ==========================  ==========================
"""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Final, NewType

from tinyqq.errors import ErrorCode, InvalidRequest

UserId = NewType("UserId", int)
GroupId = NewType("GroupId", int)
ConversationId = NewType("ConversationId", int)
Seq = NewType("Seq", int)
DeviceId = NewType("DeviceId", bytes)
"""16 random bytes that a client makes once and keeps."""
OperationId = NewType("OperationId", bytes)
"""16 bytes, chosen by whoever asks for a change; repeats of one request carry the same. A sent
message's operation id is its ``client_message_id``."""
SessionId = NewType("SessionId", int)
UnitId = NewType("UnitId", str)

FIRST_NUMBER: Final = 10_000
MAX_USER_ID: Final = 2**31 - 1
MAX_GROUP_ID: Final = 2**32 - 1
HELPER_ID: Final = UserId(FIRST_NUMBER)
"""The built-in helper account, 小Q."""
OPERATION_ID_BYTES: Final = 16


class ConversationType(Enum):
    """What kind of conversation an id stands for."""

    GROUP = "group"
    DIRECT = "direct"
    OWN = "own"


def own_conversation(user_id: UserId) -> ConversationId:
    """The conversation of a user with oneself."""
    return ConversationId(user_id << 32 | user_id)


def direct_conversation(one: UserId, other: UserId) -> ConversationId:
    """The conversation of two users, the same whoever asks; one's own when both are the same."""
    lo, hi = (one, other) if one <= other else (other, one)
    return ConversationId(lo << 32 | hi)


def group_conversation(group_id: GroupId) -> ConversationId:
    """A group's conversation: its number."""
    return ConversationId(group_id)


def conversation_type(conversation_id: int) -> ConversationType:
    """What an id stands for.

    Raises:
        InvalidRequest: BAD_CONVERSATION when no conversation can have this id.
    """
    lo, hi = conversation_id >> 32, conversation_id & 0xFFFFFFFF
    if lo == 0 and hi >= FIRST_NUMBER:
        return ConversationType.GROUP
    if FIRST_NUMBER <= lo <= hi <= MAX_USER_ID:
        return ConversationType.OWN if lo == hi else ConversationType.DIRECT
    raise InvalidRequest(ErrorCode.BAD_CONVERSATION, conversation_id=conversation_id)


def users_of(conversation_id: ConversationId) -> tuple[UserId, UserId]:
    """Both users of a direct conversation, lower number first; the same one twice of an own one."""
    return UserId(conversation_id >> 32), UserId(conversation_id & 0xFFFFFFFF)


def peer_of(conversation_id: ConversationId, user_id: UserId) -> UserId:
    """The other user of a direct conversation; oneself in one's own."""
    return UserId((conversation_id >> 32) + (conversation_id & 0xFFFFFFFF) - user_id)


def derived_operation_id(operation_id: OperationId, step: str) -> OperationId:
    """The id of a later step of an operation: the same for every repeat, different for every
    step."""
    digest = hashlib.blake2b(operation_id, digest_size=OPERATION_ID_BYTES, key=step.encode())
    return OperationId(digest.digest())
