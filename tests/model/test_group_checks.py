"""Who is what in a group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.groups import ANN, BOB, EVE, GROUP, NOW, group_of, put_policy

from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model import group_checks as checks
from tinyqq.model.conversation import ConversationState, PutJoinRequest
from tinyqq.model.friend import REQUEST_LIFETIME_MS
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import Seq

LATE = NOW + REQUEST_LIFETIME_MS + 1
ASKED, INVITED = PutJoinRequest(EVE, NOW, "hi"), PutJoinRequest(EVE, NOW, invited_by=BOB)


def waiting(request: PutJoinRequest) -> ConversationState:
    state = group_of(ANN, BOB)
    state.requests[EVE] = request
    return state


def code_of(check: Callable[[], object]) -> ErrorCode:
    with pytest.raises(TinyQQError) as caught:
        check()
    return caught.value.code


def test_group_when_it_is_not_there_or_dismissed_then_refused() -> None:
    state = group_of(ANN)
    assert checks.get_group(state) is state.group
    assert code_of(lambda: checks.get_group(ConversationState(GROUP))) is ErrorCode.GROUP_NOT_FOUND
    assert state.group is not None
    state.group = replace(state.group, dismissed_seq=Seq(2))
    assert code_of(lambda: checks.get_group(state)) is ErrorCode.GROUP_DISMISSED


def test_rank_when_too_low_then_refused() -> None:
    state = group_of(ANN, BOB)
    assert checks.get_owner(state, ANN) is checks.get_admin(state, ANN) is state.members[ANN]
    assert checks.get_member(state, BOB) is checks.get_other(state, ANN, BOB)
    assert code_of(lambda: checks.get_admin(state, BOB)) is ErrorCode.NOT_AN_ADMIN
    assert code_of(lambda: checks.get_owner(state, BOB)) is ErrorCode.NOT_THE_OWNER
    assert code_of(lambda: checks.get_member(state, EVE)) is ErrorCode.NOT_A_MEMBER
    assert code_of(lambda: checks.get_other(state, BOB, BOB)) is ErrorCode.SELF_NOT_ALLOWED


def test_outsider_when_the_group_takes_them_then_no_objection() -> None:
    state = group_of(ANN)
    checks.check_outside(state, EVE)
    checks.check_not_closed(state)
    checks.check_room(state)


def test_outsider_when_the_group_does_not_take_them_then_why() -> None:
    state = group_of(ANN)
    assert state.group is not None
    assert code_of(lambda: checks.check_outside(state, ANN)) is ErrorCode.ALREADY_A_MEMBER
    put_policy(state, JoinPolicy.CLOSED)
    assert code_of(lambda: checks.check_not_closed(state)) is ErrorCode.GROUP_CLOSED
    state.group = replace(state.group, member_limit=1)
    assert code_of(lambda: checks.check_room(state)) is ErrorCode.GROUP_FULL


@pytest.mark.parametrize(("request_", "is_invitation"), [(ASKED, False), (INVITED, True)])
def test_request_when_open_then_found_as_what_it_is(
    request_: PutJoinRequest, is_invitation: bool
) -> None:
    state = waiting(request_)
    assert checks.find_open_request(state, EVE, NOW, is_invitation=is_invitation) is request_
    assert checks.get_open_request(state, EVE, NOW, is_invitation=is_invitation) is request_
    assert checks.find_open_request(state, EVE, NOW, is_invitation=not is_invitation) is None
    assert (
        code_of(lambda: checks.get_open_request(state, EVE, NOW, is_invitation=not is_invitation))
        is ErrorCode.REQUEST_NOT_FOUND
    )


def test_request_when_expired_then_not_found_and_told_so() -> None:
    state = waiting(ASKED)
    assert checks.find_open_request(state, EVE, LATE, is_invitation=False) is None
    assert (
        code_of(lambda: checks.get_open_request(state, EVE, LATE, is_invitation=False))
        is ErrorCode.REQUEST_EXPIRED
    )
