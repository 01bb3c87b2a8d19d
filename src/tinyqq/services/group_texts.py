"""What can be checked of a request to the group role without looking at the group."""

from __future__ import annotations

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound
from tinyqq.model.account import check_line
from tinyqq.model.group import MAX_ANNOUNCEMENT_CHARS, MAX_GROUP_NAME_CHARS, JoinPolicy
from tinyqq.model.ids import (
    FIRST_NUMBER,
    MAX_GROUP_ID,
    ConversationId,
    GroupId,
    group_conversation,
)


def check_group_id(group_id: GroupId) -> ConversationId:
    """The group's conversation.

    Raises:
        NotFound: GROUP_NOT_FOUND when no group can have this number. (Larger numbers are
            conversations of people.)
    """
    if not FIRST_NUMBER <= group_id <= MAX_GROUP_ID:
        raise NotFound(ErrorCode.GROUP_NOT_FOUND, group_id=group_id)
    return group_conversation(group_id)


def check_name(name: str) -> str:
    """A group's name, without surrounding blanks; raises InvalidRequest."""
    return check_line(name, MAX_GROUP_NAME_CHARS, ErrorCode.INVALID_REQUEST)


def check_short(text: str, max_chars: int) -> str:
    """A note or card, one line or nothing; raises InvalidRequest."""
    return check_line(text, max_chars, ErrorCode.INVALID_REQUEST, may_be_empty=True)


def check_announcement(text: str) -> str:
    """An announcement, any number of lines; raises InvalidRequest."""
    if len(text) > MAX_ANNOUNCEMENT_CHARS:
        raise InvalidRequest(
            ErrorCode.TEXT_TOO_LONG, chars=len(text), max_chars=MAX_ANNOUNCEMENT_CHARS
        )
    return "\n".join(
        check_short(line.replace("\t", " "), MAX_ANNOUNCEMENT_CHARS)
        for line in text.strip().splitlines()
    )


def check_policy(join_policy: JoinPolicy) -> JoinPolicy:
    """A policy that says something; raises InvalidRequest."""
    if join_policy == JoinPolicy.UNSPECIFIED:
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="join_policy", value=0)
    return join_policy
