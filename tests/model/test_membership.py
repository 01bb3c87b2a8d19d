"""The rules for groups: who may come, stay, go and decide."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from tests.support.groups import (
    ANN,
    BOB,
    EVE,
    GROUP,
    NOW,
    ZOE,
    create,
    group_of,
    put_policy,
    refusal,
    write,
)

from tinyqq.errors import ErrorCode
from tinyqq.model import membership
from tinyqq.model.conversation import STILL_IN, ConversationState, PutJoinRequest, PutMember, Rule
from tinyqq.model.friend import REQUEST_LIFETIME_MS
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.membership import MAX_ADMINS, MAX_WAITING, Settings, membership_delta
from tinyqq.model.message import Kind

LATE = NOW + REQUEST_LIFETIME_MS + 1

join = partial(membership.join, user_id=EVE, note="let me in")
invite = partial(membership.invite, actor_id=BOB, user_id=EVE)
come = partial(membership.answer_invitation, user_id=EVE, accept=True)
stay_away = partial(membership.answer_invitation, user_id=EVE, accept=False)
let_in = partial(membership.answer_request, actor_id=BOB, user_id=EVE, accept=True)
turn_away = partial(membership.answer_request, actor_id=BOB, user_id=EVE, accept=False)
leave = partial(membership.leave, user_id=BOB)
dismiss = partial(membership.dismiss, actor_id=ANN)
promote_bob = partial(membership.set_role, actor_id=ANN, user_id=BOB, role=Role.ADMIN)


def remove(actor_id: UserId, user_id: UserId) -> Rule:
    return partial(membership.remove, actor_id=actor_id, user_id=user_id)


EVERYTHING: list[Rule] = [
    join, invite, come, let_in, leave, dismiss, promote_bob, remove(ANN, BOB),
    partial(membership.transfer, actor_id=ANN, user_id=BOB),
    partial(membership.set_card, user_id=BOB, card="Bobby"),
    partial(membership.update, actor_id=ANN, settings=Settings(name="new")),
]  # fmt: skip


# ---- the group itself ----------------------------------------------------------------------------


def test_create_when_new_then_its_owner_is_the_first_member() -> None:
    plan = write(state := ConversationState(GROUP), create())
    assert (plan.kind, plan.notice.name, plan.lists) == (Kind.GROUP_CREATED, "Friends", (ANN,))
    assert state.members == {ANN: PutMember(ANN, Seq(1), STILL_IN, Role.OWNER, "", NOW)}
    assert state.group is not None
    assert state.group.member_limit == 5


def test_create_when_the_number_is_taken_then_conflict() -> None:
    assert refusal(group_of(ANN), create()).code is ErrorCode.CONFLICT


@pytest.mark.parametrize("rule", EVERYTHING)
def test_rule_when_there_is_no_such_group_then_not_found(rule: Rule) -> None:
    assert refusal(ConversationState(GROUP), rule).code is ErrorCode.GROUP_NOT_FOUND


@pytest.mark.parametrize("rule", EVERYTHING)
def test_rule_when_the_group_is_dismissed_then_conflict(rule: Rule) -> None:
    write(state := group_of(ANN, BOB), dismiss)
    assert refusal(state, rule).code is ErrorCode.GROUP_DISMISSED


def test_dismiss_when_owner_then_everybodys_interval_ends_with_that_entry() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, join)
    plan = write(state, dismiss)
    assert membership_delta(plan.effects, state.head_seq) == ((), (ANN, BOB))
    assert state.group is not None
    assert state.group.dismissed_seq == state.head_seq
    assert not state.members
    assert not state.requests


@pytest.mark.parametrize(
    ("actor", "code"), [(BOB, ErrorCode.NOT_THE_OWNER), (EVE, ErrorCode.NOT_A_MEMBER)]
)
def test_dismiss_when_not_owner_then_refused(actor: UserId, code: ErrorCode) -> None:
    rule = partial(membership.dismiss, actor_id=actor)
    assert refusal(group_of(ANN, BOB), rule).code is code


def test_update_when_some_settings_are_left_out_then_they_stay() -> None:
    state = group_of(ANN, policy=JoinPolicy.OPEN)
    rule = partial(membership.update, actor_id=ANN, settings=Settings(announcement="Hello"))
    notice = write(state, rule).notice
    assert (notice.name, notice.join_policy, notice.announcement) == ("Friends", 1, "Hello")
    write(state, partial(membership.update, actor_id=ANN, settings=Settings(announcement="")))
    assert state.group is not None
    assert state.group.announcement == ""


def test_update_when_plain_member_then_refused() -> None:
    rule = partial(membership.update, actor_id=BOB, settings=Settings(name="mine"))
    assert refusal(group_of(ANN, BOB), rule).code is ErrorCode.NOT_AN_ADMIN


# ---- coming in -----------------------------------------------------------------------------------


def test_join_when_open_then_in_from_that_entry_on() -> None:
    plan = write(state := group_of(ANN, policy=JoinPolicy.OPEN), join)
    assert (plan.kind, plan.notice.user_ids, plan.lists) == (Kind.MEMBER_JOINED, (EVE,), (EVE,))
    assert state.members[EVE].since_seq == state.head_seq
    assert membership_delta(plan.effects, state.head_seq) == ((EVE,), ())


def test_join_when_by_approval_then_waits_and_the_admins_are_named() -> None:
    state = group_of(ANN, BOB, ZOE, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    plan = write(state, join)
    assert (plan.kind, plan.notice.user_ids) == (Kind.JOIN_REQUESTED, (ANN, BOB))
    assert (plan.notice.note, plan.lists) == ("let me in", ())
    assert EVE not in state.members


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (JoinPolicy.INVITATION, ErrorCode.INVITATION_NEEDED),
        (JoinPolicy.CLOSED, ErrorCode.GROUP_CLOSED),
    ],
)
def test_join_when_policy_forbids_then_refused(policy: JoinPolicy, code: ErrorCode) -> None:
    assert refusal(group_of(ANN, policy=policy), join).code is code


@pytest.mark.parametrize("policy", [JoinPolicy.OPEN, JoinPolicy.APPROVAL, JoinPolicy.INVITATION])
@pytest.mark.parametrize("rule", [join, come])
def test_join_when_invited_then_in_under_every_policy(policy: JoinPolicy, rule: Rule) -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.OPEN), invite)
    put_policy(state, policy)
    assert write(state, rule).kind is Kind.MEMBER_JOINED
    assert EVE not in state.requests


@pytest.mark.parametrize("rule", [join, come])
def test_join_when_invited_but_closed_meanwhile_then_refused(rule: Rule) -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.OPEN), invite)
    put_policy(state, JoinPolicy.CLOSED)
    assert refusal(state, rule).code is ErrorCode.GROUP_CLOSED


def test_join_when_the_invitation_has_expired_then_it_does_not_count() -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.INVITATION), invite)
    assert refusal(state, join, LATE).code is ErrorCode.INVITATION_NEEDED
    assert refusal(state, come, LATE).code is ErrorCode.REQUEST_EXPIRED


@pytest.mark.parametrize("rule", [join, invite, let_in, come])
def test_coming_in_when_in_already_then_conflict(rule: Rule) -> None:
    state = group_of(ANN, BOB, EVE, policy=JoinPolicy.OPEN)
    write(state, promote_bob)
    assert refusal(state, rule).code is ErrorCode.ALREADY_A_MEMBER


def test_coming_in_when_the_group_is_full_then_refused() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    write(state, join)
    assert state.group is not None
    state.group = replace(state.group, member_limit=2)
    late_join = partial(membership.join, user_id=ZOE, note="")
    late_invite = partial(membership.invite, actor_id=ANN, user_id=ZOE)
    for rule in (let_in, late_join, late_invite):
        assert refusal(state, rule).code is ErrorCode.GROUP_FULL
    assert write(state, turn_away).kind is Kind.JOIN_DECLINED


def test_join_when_too_many_wait_then_refused_until_some_expire() -> None:
    state = group_of(ANN, policy=JoinPolicy.APPROVAL)
    state.apply(tuple(PutJoinRequest(UserId(20_000 + n), NOW) for n in range(MAX_WAITING)))
    assert refusal(state, join).code is ErrorCode.GROUP_FULL
    write(state, join, LATE)
    assert list(state.requests) == [EVE]


def test_answer_request_when_accepted_then_in_and_nobody_waits() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    write(state, join)
    plan = write(state, let_in)
    assert (plan.kind, plan.notice.user_ids, plan.lists) == (Kind.MEMBER_JOINED, (EVE,), (EVE,))
    assert not state.requests


def test_answer_request_when_declined_then_the_asker_is_named() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    write(state, join)
    plan = write(state, turn_away)
    assert (plan.kind, plan.notice.user_ids) == (Kind.JOIN_DECLINED, (EVE,))
    assert not state.requests


def test_answer_request_when_plain_member_then_refused() -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.APPROVAL), join)
    assert refusal(state, let_in).code is ErrorCode.NOT_AN_ADMIN


@pytest.mark.parametrize("rule", [let_in, turn_away])
def test_answer_request_when_nobody_asked_or_long_ago_then_refused(rule: Rule) -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    assert refusal(state, rule).code is ErrorCode.REQUEST_NOT_FOUND
    write(state, join)
    assert refusal(state, rule, LATE).code is ErrorCode.REQUEST_EXPIRED


def test_answer_request_when_closed_meanwhile_then_refused() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    write(state, join)
    put_policy(state, JoinPolicy.CLOSED)
    assert refusal(state, let_in).code is ErrorCode.GROUP_CLOSED


def test_answer_request_when_invited_then_an_admin_cannot_accept_for_them() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.OPEN)
    write(state, promote_bob)
    write(state, invite)
    assert refusal(state, let_in).code is ErrorCode.REQUEST_NOT_FOUND


def test_answer_invitation_when_declined_then_who_invited_is_named() -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.OPEN), invite)
    plan = write(state, stay_away)
    assert (plan.kind, plan.notice.user_ids) == (Kind.JOIN_DECLINED, (BOB,))
    assert not state.requests


def test_answer_invitation_when_only_asked_then_one_cannot_let_oneself_in() -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.APPROVAL), join)
    assert refusal(state, come).code is ErrorCode.REQUEST_NOT_FOUND


def test_invite_when_allowed_then_the_invited_is_named_and_waits() -> None:
    plan = write(state := group_of(ANN, BOB, policy=JoinPolicy.INVITATION), invite)
    assert (plan.kind, plan.notice.user_ids, plan.lists) == (Kind.MEMBER_INVITED, (EVE,), (EVE,))
    assert state.requests[EVE].invited_by == BOB


def test_invite_when_they_have_asked_then_in_at_once() -> None:
    state = group_of(ANN, BOB, policy=JoinPolicy.APPROVAL)
    write(state, promote_bob)
    write(state, join)
    assert write(state, invite).kind is Kind.MEMBER_JOINED


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (JoinPolicy.APPROVAL, ErrorCode.NOT_AN_ADMIN),
        (JoinPolicy.CLOSED, ErrorCode.GROUP_CLOSED),
    ],
)
def test_invite_when_policy_forbids_then_refused(policy: JoinPolicy, code: ErrorCode) -> None:
    assert refusal(group_of(ANN, BOB, policy=policy), invite).code is code


def test_invite_when_outsider_then_refused() -> None:
    assert refusal(group_of(ANN), invite).code is ErrorCode.NOT_A_MEMBER


# ---- going, ranks, cards -------------------------------------------------------------------------


def test_leave_when_member_then_the_interval_ends_with_that_entry() -> None:
    plan = write(state := group_of(ANN, BOB), leave)
    assert plan.kind is Kind.MEMBER_LEFT
    assert membership_delta(plan.effects, state.head_seq) == ((), (BOB,))
    assert BOB not in state.members


def test_leave_when_back_again_then_a_new_interval_begins() -> None:
    write(state := group_of(ANN, BOB, policy=JoinPolicy.OPEN), leave)
    write(state, partial(membership.join, user_id=BOB, note=""))
    assert state.members[BOB].since_seq == state.head_seq


def test_leave_when_owner_then_must_transfer_first() -> None:
    rule = partial(membership.leave, user_id=ANN)
    assert refusal(group_of(ANN, BOB), rule).code is ErrorCode.OWNER_MUST_TRANSFER


def test_remove_when_outranking_then_gone() -> None:
    plan = write(state := group_of(ANN, BOB), remove(ANN, BOB))
    assert (plan.kind, plan.notice.user_ids) == (Kind.MEMBER_REMOVED, (BOB,))
    assert membership_delta(plan.effects, state.head_seq) == ((), (BOB,))


@pytest.mark.parametrize(
    ("actor", "target", "code"),
    [
        (BOB, ANN, ErrorCode.OUTRANKED),
        (BOB, ZOE, ErrorCode.OUTRANKED),
        (BOB, BOB, ErrorCode.SELF_NOT_ALLOWED),
        (BOB, UserId(10099), ErrorCode.NOT_A_MEMBER),
        (EVE, ANN, ErrorCode.NOT_AN_ADMIN),
    ],
)
def test_remove_when_not_outranking_then_refused(
    actor: UserId, target: UserId, code: ErrorCode
) -> None:
    state = group_of(ANN, BOB, EVE, ZOE)
    for user_id in (BOB, ZOE):
        write(state, partial(promote_bob, user_id=user_id))
    assert refusal(state, remove(actor, target)).code is code


def test_set_role_when_owner_then_changed_and_nobody_joins_or_goes() -> None:
    plan = write(state := group_of(ANN, BOB), promote_bob)
    assert (plan.kind, plan.notice.role) == (Kind.ROLE_CHANGED, Role.ADMIN)
    assert membership_delta(plan.effects, state.head_seq) == ((), ())
    assert state.members[BOB].role is Role.ADMIN


def test_set_role_when_not_owner_then_refused() -> None:
    write(state := group_of(ANN, BOB, EVE), promote_bob)
    rule = partial(membership.set_role, actor_id=BOB, user_id=EVE, role=Role.ADMIN)
    assert refusal(state, rule).code is ErrorCode.NOT_THE_OWNER


def test_set_role_when_there_are_enough_admins_then_refused() -> None:
    state = group_of(ANN, BOB)
    for n in range(MAX_ADMINS):
        admin = replace(state.members[BOB], user_id=UserId(30_000 + n), role=Role.ADMIN)
        state.apply((admin,))
    assert refusal(state, promote_bob).fields["max_admins"] == MAX_ADMINS
    demote = partial(promote_bob, user_id=UserId(30_000), role=Role.MEMBER)
    write(state, demote)
    write(state, promote_bob)


def test_transfer_when_owner_then_the_two_change_places() -> None:
    state = group_of(ANN, BOB)
    plan = write(state, partial(membership.transfer, actor_id=ANN, user_id=BOB))
    assert (plan.kind, plan.notice.user_ids) == (Kind.OWNER_CHANGED, (BOB,))
    assert state.members[ANN].role is Role.ADMIN
    assert state.members[BOB].role is Role.OWNER


@pytest.mark.parametrize(
    ("target", "code"), [(ANN, ErrorCode.SELF_NOT_ALLOWED), (EVE, ErrorCode.NOT_A_MEMBER)]
)
def test_transfer_when_to_nobody_else_then_refused(target: UserId, code: ErrorCode) -> None:
    rule = partial(membership.transfer, actor_id=ANN, user_id=target)
    assert refusal(group_of(ANN), rule).code is code


def test_set_card_when_member_then_the_card_is_the_notices_name() -> None:
    state = group_of(ANN, BOB)
    plan = write(state, partial(membership.set_card, user_id=BOB, card="Bobby"))
    assert (plan.kind, plan.notice.name) == (Kind.CARD_CHANGED, "Bobby")
    assert state.members[BOB].card == "Bobby"


def test_notice_when_read_elsewhere_then_it_names_the_group() -> None:
    notice = write(group_of(ANN, policy=JoinPolicy.OPEN), join).notice
    assert (ConversationId(notice.group_id), notice.name) == (GROUP, "Friends")


def test_dismiss_when_the_operator_does_it_then_nobody_needs_to_own_it() -> None:
    plan = write(state := group_of(ANN, BOB), partial(membership.dismiss, actor_id=None))
    assert plan.kind is Kind.GROUP_DISMISSED
    assert state.members == {}
