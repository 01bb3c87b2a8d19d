"""Entries and accounts for tests of the storage, as short as they can be said."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final

from tinyqq.model.account import Account
from tinyqq.model.conversation import STILL_IN, Effect, PutGroup, PutMember
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import (
    ConversationId,
    DeviceId,
    GroupId,
    OperationId,
    Seq,
    UserId,
    direct_conversation,
    group_conversation,
    own_conversation,
)
from tinyqq.model.message import Entry, Kind, is_countable

ANN, BOB, EVE, ZOE = (UserId(10_001 + number) for number in range(4))
ANN_BOB: Final = direct_conversation(ANN, BOB)
ANN_OWN: Final = own_conversation(ANN)
GROUP_ID: Final = GroupId(20_001)
GROUP: Final = group_conversation(GROUP_ID)
PHONE, LAPTOP = DeviceId(b"p" * 16), DeviceId(b"l" * 16)
NOW_MS: Final = 1_700_000_000_000

_numbers = count(1)


def new_operation_id() -> OperationId:
    """One that no other test has."""
    return OperationId(next(_numbers).to_bytes(16, "big"))


def entry(
    seq: int,
    conversation_id: ConversationId = ANN_BOB,
    *,
    ordinal: int | None = None,
    sender_id: UserId = ANN,
    kind: int = Kind.TEXT,
    body: bytes = b"hello",
    operation_id: OperationId | None = None,
) -> Entry:
    """An entry; by default every one before it was a message."""
    return Entry(
        conversation_id,
        Seq(seq),
        seq if ordinal is None else ordinal,
        sender_id,
        operation_id or new_operation_id(),
        NOW_MS + seq,
        kind,
        body,
    )


def log_of(
    kinds: Sequence[int], conversation_id: ConversationId = ANN_BOB, *, sender_id: UserId = ANN
) -> list[Entry]:
    """A whole log, from its kinds; ordinals count the messages."""
    entries: list[Entry] = []
    ordinal = 0
    for seq, kind in enumerate(kinds, start=1):
        ordinal += is_countable(kind)
        entries.append(entry(seq, conversation_id, ordinal=ordinal, sender_id=sender_id, kind=kind))
    return entries


def messages(number: int, conversation_id: ConversationId = ANN_BOB) -> list[Entry]:
    """A log of so many messages."""
    return log_of([Kind.TEXT] * number, conversation_id)


def put_group(*, name: str = "Friends", dismissed_seq: int = 0) -> PutGroup:
    """A group row."""
    return PutGroup(name, JoinPolicy.OPEN, "welcome", 100, NOW_MS, Seq(dismissed_seq))


def put_member(
    user_id: UserId, since: int = 1, until: int = STILL_IN, *, role: Role = Role.MEMBER
) -> PutMember:
    """A member row."""
    return PutMember(user_id, Seq(since), Seq(until), role, "", NOW_MS)


def in_group(*effects: Effect) -> list[tuple[ConversationId, Effect]]:
    """Effects in the group."""
    return [(GROUP, effect) for effect in effects]


def account(user_id: UserId, nickname: str = "", **fields: bool | int) -> Account:
    """An account."""
    return Account(user_id, nickname or f"user {user_id}", "hash", **fields)  # type: ignore[arg-type]  # names of bool and int fields only
