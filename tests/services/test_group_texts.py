"""What can be checked of a request to the group role without looking at the group."""

from __future__ import annotations

import pytest

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound
from tinyqq.model.group import MAX_ANNOUNCEMENT_CHARS, MAX_GROUP_NAME_CHARS, JoinPolicy
from tinyqq.model.ids import MAX_GROUP_ID, GroupId
from tinyqq.services.group_texts import (
    check_announcement,
    check_group_id,
    check_name,
    check_policy,
    check_short,
)


@pytest.mark.parametrize("number", [10_000, MAX_GROUP_ID])
def test_check_group_id_when_in_range_then_the_conversation(number: int) -> None:
    assert check_group_id(GroupId(number)) == number


@pytest.mark.parametrize("number", [-1, 0, 9_999, MAX_GROUP_ID + 1])
def test_check_group_id_when_out_of_range_then_not_found(number: int) -> None:
    with pytest.raises(NotFound):
        check_group_id(GroupId(number))


def test_check_name_when_it_has_blanks_around_then_they_go() -> None:
    assert check_name(" 朋友们 ") == "朋友们"


@pytest.mark.parametrize("name", ["", "  ", "a\tb", "x" * (MAX_GROUP_NAME_CHARS + 1)])
def test_check_name_when_no_name_then_refused(name: str) -> None:
    with pytest.raises(InvalidRequest):
        check_name(name)


def test_check_short_when_empty_then_allowed() -> None:
    assert check_short("", 5) == ""


def test_check_announcement_when_of_lines_then_they_stay() -> None:
    assert check_announcement("\n one\r\n\n\ttwo \n") == "one\n\ntwo"


def test_check_announcement_when_too_long_then_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_announcement("x" * (MAX_ANNOUNCEMENT_CHARS + 1))
    assert caught.value.code is ErrorCode.TEXT_TOO_LONG


def test_check_announcement_when_it_turns_the_writing_round_then_refused() -> None:
    with pytest.raises(InvalidRequest):
        check_announcement("fine\n\u202eelif")


def test_check_policy_when_unspecified_then_refused() -> None:
    with pytest.raises(InvalidRequest):
        check_policy(JoinPolicy.UNSPECIFIED)
    assert check_policy(JoinPolicy.OPEN) is JoinPolicy.OPEN
