"""The rules for relations: who may ask, accept, leave and block whom."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model import friendship
from tinyqq.model.conversation import ConversationState, Plan, PutRelation, Rule
from tinyqq.model.friend import REQUEST_LIFETIME_MS
from tinyqq.model.ids import UserId, direct_conversation
from tinyqq.model.message import Kind

ANN, BOB = UserId(10001), UserId(10002)
NOW = 1_700_000_000_000

ask = partial(friendship.request, asker_id=ANN, note="hi")
ask_back = partial(friendship.request, asker_id=BOB, note="me too")
accept = partial(friendship.accept, user_id=BOB)
decline = partial(friendship.decline, user_id=BOB)
delete = partial(friendship.delete, user_id=ANN)
block = partial(friendship.block, user_id=BOB)
unblock = partial(friendship.unblock, user_id=BOB)
befriend = partial(friendship.befriend, user_id=ANN)


def pair(*, reachable: set[UserId] | None = None) -> ConversationState:
    state = ConversationState(direct_conversation(ANN, BOB))
    state.reachable = {ANN, BOB} if reachable is None else reachable
    return state


def write(state: ConversationState, rule: Rule, now_ms: int = NOW) -> Plan:
    """Write what the rule says, as the lane does."""
    plan = rule(state, now_ms)
    state.apply(plan.effects)
    return plan


def after(*rules: Rule) -> ConversationState:
    state = pair()
    for rule in rules:
        write(state, rule)
    return state


def refusal(state: ConversationState, rule: Rule, now_ms: int = NOW) -> TinyQQError:
    with pytest.raises(TinyQQError) as caught:
        rule(state, now_ms)
    return caught.value


def are_friends(state: ConversationState) -> bool:
    flags = {state.relation(ANN).is_friend, state.relation(BOB).is_friend}
    assert len(flags) == 1
    return flags == {True}


def test_request_when_strangers_then_it_stands_open_and_both_have_the_conversation() -> None:
    plan = write(state := pair(), ask)
    assert plan.kind is Kind.FRIEND_REQUESTED
    assert (plan.notice.user_ids, plan.notice.note) == ((BOB,), "hi")
    assert set(plan.lists) == {ANN, BOB}
    assert state.relation(ANN) == PutRelation(ANN, requested_at_ms=NOW, note="hi")


def test_request_when_the_other_has_asked_then_friends_at_once() -> None:
    plan = write(state := after(ask), ask_back)
    assert plan.kind is Kind.FRIEND_ADDED
    assert are_friends(state)
    assert state.relation(ANN) == PutRelation(ANN, is_friend=True)


def test_request_when_the_others_request_has_expired_then_a_new_one_stands() -> None:
    plan = write(state := after(ask), ask_back, NOW + REQUEST_LIFETIME_MS + 1)
    assert plan.kind is Kind.FRIEND_REQUESTED
    assert not are_friends(state)


def test_request_when_repeated_then_renewed() -> None:
    write(state := after(ask), partial(friendship.request, asker_id=ANN, note="please"), NOW + 5)
    assert state.relation(ANN) == PutRelation(ANN, requested_at_ms=NOW + 5, note="please")


@pytest.mark.parametrize("blocker", [ANN, BOB])
def test_request_when_blocked_either_way_then_refused(blocker: UserId) -> None:
    error = refusal(after(partial(friendship.block, user_id=blocker)), ask)
    assert error.code is ErrorCode.BLOCKED
    assert error.fields["by"] == ("you" if blocker == ANN else "them")


@pytest.mark.parametrize("rule", [ask, ask_back, accept, befriend])
def test_becoming_friends_when_friends_already_then_conflict(rule: Rule) -> None:
    assert refusal(after(befriend), rule).code is ErrorCode.ALREADY_FRIENDS


@pytest.mark.parametrize("rule", [ask, befriend, block, unblock])
def test_rule_when_the_other_does_not_exist_then_not_found(rule: Rule) -> None:
    assert refusal(pair(reachable=set()), rule).code is ErrorCode.USER_NOT_FOUND


def test_accept_when_asked_then_friends() -> None:
    plan = write(state := after(ask), accept)
    assert (plan.kind, plan.notice.user_ids) == (Kind.FRIEND_ADDED, (ANN,))
    assert set(plan.lists) == {ANN, BOB}
    assert are_friends(state)


def test_accept_when_the_asker_has_gone_then_not_found() -> None:
    state = after(ask)
    state.reachable = {BOB}
    assert refusal(state, accept).code is ErrorCode.USER_NOT_FOUND


@pytest.mark.parametrize("rule", [accept, decline])
def test_answer_when_not_asked_then_not_found(rule: Rule) -> None:
    assert refusal(pair(), rule).code is ErrorCode.REQUEST_NOT_FOUND


@pytest.mark.parametrize("rule", [accept, decline])
def test_answer_when_thirty_days_have_passed_then_expired(rule: Rule) -> None:
    state = after(ask)
    rule(state, NOW + REQUEST_LIFETIME_MS)
    error = refusal(state, rule, NOW + REQUEST_LIFETIME_MS + 1)
    assert error.code is ErrorCode.REQUEST_EXPIRED


def test_answer_when_one_asked_oneself_then_not_found() -> None:
    own_answer = partial(friendship.accept, user_id=ANN)
    assert refusal(after(ask), own_answer).code is ErrorCode.REQUEST_NOT_FOUND


def test_decline_when_asked_then_nothing_stands_open() -> None:
    plan = write(state := after(ask), decline)
    assert (plan.kind, plan.notice.user_ids) == (Kind.REQUEST_DECLINED, (ANN,))
    assert state.relation(ANN) == PutRelation(ANN)
    assert not are_friends(state)


def test_delete_when_friends_then_neither_is_one_any_more() -> None:
    plan = write(state := after(befriend), delete)
    assert (plan.kind, plan.notice.user_ids) == (Kind.FRIEND_REMOVED, (BOB,))
    assert not are_friends(state)


def test_delete_when_not_friends_then_refused() -> None:
    assert refusal(after(ask), delete).code is ErrorCode.NOT_FRIENDS


def test_delete_when_blocked_then_the_block_stays() -> None:
    write(state := after(befriend, block), delete)
    assert state.relation(BOB).is_blocked


def test_block_when_requests_are_open_then_they_end_and_only_the_blocker_lists_it() -> None:
    plan = write(state := after(ask), block)
    assert plan.kind is Kind.BLOCKED
    assert plan.lists == (BOB,)
    assert state.relation(ANN) == PutRelation(ANN)
    assert state.relation(BOB) == PutRelation(BOB, is_blocked=True)


def test_block_when_friends_then_still_friends() -> None:
    assert are_friends(after(befriend, block))


def test_unblock_when_blocked_then_requests_pass_again() -> None:
    state = after(block, unblock)
    assert write(state, ask).kind is Kind.FRIEND_REQUESTED


def test_unblock_when_the_other_has_gone_then_still_possible() -> None:
    state = after(block)
    state.reachable = {BOB}
    assert write(state, unblock).kind is Kind.UNBLOCKED


_RULES: list[Callable[..., Plan]] = [
    friendship.accept, friendship.decline, friendship.delete, friendship.block,
    friendship.unblock, friendship.befriend, partial(friendship.request, note=""),
]  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(_RULES), st.sampled_from([ANN, BOB])), max_size=15))
def test_rules_when_in_any_order_then_friendship_is_mutual_and_ends_requests(
    steps: list[tuple[Callable[..., Plan], UserId]],
) -> None:
    state = pair()
    for rule, actor in steps:
        who = {"asker_id": actor} if isinstance(rule, partial) else {"user_id": actor}
        try:
            plan = write(state, partial(rule, **who))
        except TinyQQError:
            continue
        assert len(plan.notice.user_ids) == 1
        if are_friends(state):
            assert not any(row.requested_at_ms for row in state.relations.values())
