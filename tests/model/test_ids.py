from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyqq.errors import InvalidRequest
from tinyqq.model.ids import (
    FIRST_NUMBER,
    MAX_GROUP_ID,
    MAX_USER_ID,
    ConversationType,
    GroupId,
    OperationId,
    UserId,
    conversation_type,
    derived_operation_id,
    direct_conversation,
    group_conversation,
    own_conversation,
    peer_of,
    users_of,
)

USERS = st.integers(FIRST_NUMBER, MAX_USER_ID).map(UserId)
OPERATION = OperationId(bytes(range(16)))


@given(USERS, USERS)
def test_direct_conversation_when_asked_by_either_then_the_same(one: UserId, other: UserId) -> None:
    conversation = direct_conversation(one, other)
    assert conversation == direct_conversation(other, one)
    assert users_of(conversation) == (min(one, other), max(one, other))
    assert (peer_of(conversation, one), peer_of(conversation, other)) == (other, one)
    assert 0 < conversation < 2**63


@given(USERS)
def test_own_conversation_when_made_then_direct_with_oneself(user: UserId) -> None:
    assert own_conversation(user) == direct_conversation(user, user)
    assert conversation_type(own_conversation(user)) is ConversationType.OWN
    assert peer_of(own_conversation(user), user) == user


@pytest.mark.parametrize("group_id", [FIRST_NUMBER, MAX_GROUP_ID])
def test_conversation_type_when_a_group_number_then_group(group_id: int) -> None:
    assert conversation_type(group_conversation(GroupId(group_id))) is ConversationType.GROUP


@pytest.mark.parametrize(("one", "other"), [(10_000, 10_001), (10_000, MAX_USER_ID)])
def test_conversation_type_when_two_users_then_direct(one: int, other: int) -> None:
    conversation = direct_conversation(UserId(one), UserId(other))
    assert conversation_type(conversation) is ConversationType.DIRECT


@pytest.mark.parametrize(
    "conversation_id",
    [
        0,
        FIRST_NUMBER - 1,
        9_999 << 32 | 10_001,
        10_002 << 32 | 10_001,
        10_001 << 32,
        10_001 << 32 | 2**31,
        2**63,
        2**64 - 1,
        -1,
    ],
)
def test_conversation_type_when_no_conversation_can_be_then_refused(conversation_id: int) -> None:
    with pytest.raises(InvalidRequest, match="BAD_CONVERSATION"):
        conversation_type(conversation_id)


def test_derived_operation_id_when_repeated_then_the_same_sixteen_bytes() -> None:
    derived = derived_operation_id(OPERATION, "welcome")
    assert derived == derived_operation_id(OPERATION, "welcome")
    assert len(derived) == 16


def test_derived_operation_id_when_step_or_operation_differs_then_another() -> None:
    derived = derived_operation_id(OPERATION, "welcome")
    others = {
        derived_operation_id(OPERATION, "list"),
        derived_operation_id(OperationId(bytes(16)), "welcome"),
        OPERATION,
    }
    assert derived not in others
