"""Group states, made and moved on by the rules as the lane would."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from tinyqq.errors import TinyQQError
from tinyqq.model import membership
from tinyqq.model.conversation import STILL_IN, ConversationState, Plan, PutMember, Rule
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import ConversationId, Seq, UserId

ANN, BOB, EVE, ZOE = (UserId(10001 + number) for number in range(4))
GROUP = ConversationId(20_001)
NOW = 1_700_000_000_000


def create(
    policy: JoinPolicy = JoinPolicy.OPEN, *, owner_id: UserId = ANN, member_limit: int = 5
) -> Rule:
    """Somebody, else Ann, makes the group."""
    return partial(
        membership.create,
        owner_id=owner_id,
        name="Friends",
        join_policy=policy,
        member_limit=member_limit,
    )


def write(state: ConversationState, rule: Rule, now_ms: int = NOW) -> Plan:
    """Write what the rule says."""
    plan = rule(state, now_ms)
    state.apply(plan.effects)
    state.head_seq = Seq(state.head_seq + 1)
    return plan


def group_of(
    owner_id: UserId, *member_ids: UserId, policy: JoinPolicy = JoinPolicy.OPEN
) -> ConversationState:
    """A group of these, seven entries old."""
    state = ConversationState(GROUP)
    write(state, create(policy, owner_id=owner_id))
    state.head_seq = Seq(7)
    for user_id in member_ids:
        state.apply((PutMember(user_id, Seq(2), STILL_IN, Role.MEMBER, "", NOW),))
    return state


def put_policy(state: ConversationState, policy: JoinPolicy) -> None:
    """Change the policy, whoever may."""
    assert state.group is not None
    state.group = replace(state.group, join_policy=policy)


def refusal(state: ConversationState, rule: Rule, now_ms: int = NOW) -> TinyQQError:
    """The error that the rule raises."""
    with pytest.raises(TinyQQError) as caught:
        rule(state, now_ms)
    return caught.value
