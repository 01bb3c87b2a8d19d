"""Who may speak where, and who may recall what."""

from __future__ import annotations

import pytest
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, EVE, GROUP, befriend, make_group

from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model.conversation import (
    STILL_IN,
    ConversationState,
    EraseEntry,
    PutMember,
    PutRelation,
)
from tinyqq.model.group import Role
from tinyqq.model.ids import OperationId, Seq, UserId, own_conversation
from tinyqq.model.message import MAX_RECALL_AGE_MS, Entry, Kind
from tinyqq.model.speaking import check_may_speak, plan_recall


def between() -> ConversationState:
    return ConversationState(ANN_BOB, reachable={ANN, BOB})


def friends() -> ConversationState:
    state = between()
    befriend(state, ANN, BOB)
    return state


def group() -> ConversationState:
    state = ConversationState(GROUP)
    make_group(state, ANN, BOB)
    return state


def assert_refused(code: ErrorCode, state: ConversationState, sender: UserId = ANN) -> None:
    with pytest.raises(TinyQQError) as caught:
        check_may_speak(state, sender, mentions_all=True)
    assert caught.value.code is code


def test_speak_between_friends_then_allowed() -> None:
    check_may_speak(friends(), ANN, mentions_all=False)
    check_may_speak(friends(), BOB, mentions_all=True)


def test_speak_to_oneself_then_allowed() -> None:
    check_may_speak(ConversationState(own_conversation(ANN)), ANN, mentions_all=False)


def test_speak_in_somebody_elses_conversation_then_forbidden() -> None:
    assert_refused(ErrorCode.FORBIDDEN, friends(), EVE)
    assert_refused(ErrorCode.FORBIDDEN, ConversationState(own_conversation(ANN)), BOB)


def test_speak_to_stranger_then_only_if_open() -> None:
    state = between()
    assert_refused(ErrorCode.NOT_FRIENDS, state)
    state.open_to_strangers = {BOB}
    check_may_speak(state, ANN, mentions_all=False)


def test_speak_to_nobody_then_not_found() -> None:
    assert_refused(ErrorCode.USER_NOT_FOUND, ConversationState(ANN_BOB))


@pytest.mark.parametrize("blocker", [ANN, BOB])
def test_speak_when_either_blocks_then_refused(blocker: UserId) -> None:
    state = friends()
    state.apply((PutRelation(blocker, is_friend=True, is_blocked=True),))
    assert_refused(ErrorCode.BLOCKED, state)


def test_speak_in_group_then_members_only() -> None:
    check_may_speak(group(), BOB, mentions_all=False)
    assert_refused(ErrorCode.NOT_A_MEMBER, group(), EVE)
    assert_refused(ErrorCode.GROUP_NOT_FOUND, ConversationState(GROUP))


def test_mention_all_then_by_right_only() -> None:
    check_may_speak(group(), ANN, mentions_all=True)
    assert_refused(ErrorCode.MENTION_ALL_DENIED, group(), BOB)


def test_speak_in_dismissed_group_then_refused() -> None:
    state = group()
    assert state.group is not None
    state.group = type(state.group)("G", state.group.join_policy, "", 5000, 1, Seq(9))
    assert_refused(ErrorCode.GROUP_DISMISSED, state)


def message(sender: UserId, kind: Kind = Kind.TEXT) -> Entry:
    return Entry(ANN_BOB, Seq(3), 3, sender, OperationId(b"i" * 16), 1000, kind, b"")


def recall_code(
    state: ConversationState, actor: UserId, target: Entry, age_ms: int = 0
) -> ErrorCode | None:
    try:
        plan = plan_recall(state, actor, target, 1000 + age_ms)
    except TinyQQError as error:
        return error.code
    assert plan.effects == (EraseEntry(Seq(3)),)
    assert plan.notice.target_seq == 3
    return None


def test_recall_own_message_then_within_two_minutes() -> None:
    assert recall_code(friends(), ANN, message(ANN), MAX_RECALL_AGE_MS) is None
    late = recall_code(friends(), ANN, message(ANN), MAX_RECALL_AGE_MS + 1)
    assert late is ErrorCode.RECALL_TOO_LATE


def test_recall_somebody_elses_message_then_refused() -> None:
    assert recall_code(friends(), ANN, message(BOB)) is ErrorCode.NOT_YOUR_MESSAGE
    assert recall_code(group(), BOB, message(ANN)) is ErrorCode.NOT_YOUR_MESSAGE


def test_recall_by_admin_then_any_time() -> None:
    assert recall_code(group(), ANN, message(BOB), 10**9) is None
    assert recall_code(group(), ANN, message(EVE), 10**9) is None  # has left


def test_recall_by_admin_of_the_owners_message_then_refused() -> None:
    state = group()
    state.apply((PutMember(BOB, Seq(1), STILL_IN, Role.ADMIN, "", 1),))
    assert recall_code(state, BOB, message(ANN)) is ErrorCode.NOT_YOUR_MESSAGE


def test_recall_own_note_then_any_time() -> None:
    state = ConversationState(own_conversation(ANN))
    assert recall_code(state, ANN, message(ANN), 10**9) is None


def test_recall_notice_or_twice_then_not_found() -> None:
    for kind in (Kind.RECALLED, Kind.FRIEND_ADDED):
        assert recall_code(friends(), ANN, message(ANN, kind)) is ErrorCode.MESSAGE_NOT_FOUND


def test_recall_by_outsider_then_refused() -> None:
    assert recall_code(group(), EVE, message(ANN)) is ErrorCode.NOT_A_MEMBER
    assert recall_code(friends(), EVE, message(ANN)) is ErrorCode.FORBIDDEN
