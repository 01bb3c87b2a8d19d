from __future__ import annotations

import pytest

from tinyqq.model.conversation import (
    STILL_IN,
    ConversationState,
    DropJoinRequest,
    EraseEntry,
    PutGroup,
    PutJoinRequest,
    PutMember,
    PutRelation,
)
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId

ANN, BOB = UserId(10_001), UserId(10_002)


@pytest.fixture
def state() -> ConversationState:
    return ConversationState(ConversationId(10_000))


def member(user_id: UserId, until_seq: Seq = STILL_IN, role: Role = Role.MEMBER) -> PutMember:
    return PutMember(user_id, Seq(1), until_seq, role, card="", joined_at_ms=0)


def test_apply_when_a_member_comes_then_present(state: ConversationState) -> None:
    state.apply((member(ANN),))
    assert state.members == {ANN: member(ANN)}


def test_apply_when_a_member_goes_then_no_longer_present(state: ConversationState) -> None:
    state.apply((member(ANN), member(ANN, until_seq=Seq(5)), member(BOB, until_seq=Seq(5))))
    assert state.members == {}


def test_apply_when_a_row_comes_again_then_the_last_one_counts(state: ConversationState) -> None:
    state.apply((member(ANN), member(ANN, role=Role.ADMIN)))
    assert state.members[ANN].role is Role.ADMIN


def test_apply_when_a_relation_changes_then_replaced(state: ConversationState) -> None:
    state.apply((PutRelation(ANN, is_friend=True), PutRelation(ANN, is_blocked=True)))
    assert state.relation(ANN) == PutRelation(ANN, is_blocked=True)


def test_relation_when_nothing_is_on_record_then_blank(state: ConversationState) -> None:
    assert state.relation(BOB) == PutRelation(BOB)
    assert state.relations == {}


def test_apply_when_the_group_changes_then_replaced(state: ConversationState) -> None:
    group = PutGroup("G", JoinPolicy.OPEN, "", member_limit=10, created_at_ms=0)
    state.apply((group,))
    assert state.group is group


def test_apply_when_requests_come_and_go_then_the_open_ones_stay(state: ConversationState) -> None:
    state.apply((PutJoinRequest(ANN, 1), PutJoinRequest(BOB, 2), DropJoinRequest(ANN)))
    assert list(state.requests) == [BOB]


def test_apply_when_nothing_is_there_to_drop_then_nothing_happens(state: ConversationState) -> None:
    state.apply((DropJoinRequest(ANN), EraseEntry(Seq(3))))
    assert state == ConversationState(ConversationId(10_000))


def test_weight_when_members_and_requests_then_a_row_each(state: ConversationState) -> None:
    state.apply((member(ANN), PutJoinRequest(BOB, 1)))
    assert state.weight == 3
