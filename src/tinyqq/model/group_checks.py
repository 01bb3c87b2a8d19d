"""Who is what in a group: the questions that the rules for membership ask of its state. Pure."""

from __future__ import annotations

from tinyqq.errors import Conflict, ErrorCode, Forbidden, NotFound
from tinyqq.model.conversation import ConversationState, PutGroup, PutJoinRequest, PutMember
from tinyqq.model.friendship import is_expired
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import UserId


def get_group(state: ConversationState) -> PutGroup:
    """The group, if it is there and not dismissed.

    Raises:
        NotFound: GROUP_NOT_FOUND.
        Conflict: GROUP_DISMISSED.
    """
    if state.group is None:
        raise NotFound(ErrorCode.GROUP_NOT_FOUND, group_id=state.conversation_id)
    if state.group.dismissed_seq:
        raise Conflict(ErrorCode.GROUP_DISMISSED, group_id=state.conversation_id)
    return state.group


def get_member(state: ConversationState, user_id: UserId) -> PutMember:
    """A present member.

    Raises:
        Forbidden: NOT_A_MEMBER; ``user_id`` says who.
    """
    member = state.members.get(user_id)
    if member is None:
        raise Forbidden(
            ErrorCode.NOT_A_MEMBER, group_id=state.conversation_id, user_id=user_id
        )  # fmt: skip
    return member


def get_admin(state: ConversationState, user_id: UserId) -> PutMember:
    """A present member who is an admin or the owner.

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_AN_ADMIN.
    """
    member = get_member(state, user_id)
    if member.role < Role.ADMIN:
        raise Forbidden(ErrorCode.NOT_AN_ADMIN, group_id=state.conversation_id)
    return member


def get_owner(state: ConversationState, user_id: UserId) -> PutMember:
    """The owner, if this is who it is.

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_THE_OWNER.
    """
    member = get_member(state, user_id)
    if member.role != Role.OWNER:
        raise Forbidden(ErrorCode.NOT_THE_OWNER, group_id=state.conversation_id)
    return member


def get_other(state: ConversationState, actor_id: UserId, user_id: UserId) -> PutMember:
    """A present member who is somebody else than the actor.

    Raises:
        Conflict: SELF_NOT_ALLOWED.
        Forbidden: NOT_A_MEMBER; ``user_id`` says who.
    """
    if actor_id == user_id:
        raise Conflict(ErrorCode.SELF_NOT_ALLOWED, user_id=user_id)
    return get_member(state, user_id)


def check_outside(state: ConversationState, user_id: UserId) -> None:
    """Refuse who is a member already.

    Raises:
        Conflict: ALREADY_A_MEMBER.
    """
    if user_id in state.members:
        raise Conflict(
            ErrorCode.ALREADY_A_MEMBER, group_id=state.conversation_id, user_id=user_id
        )  # fmt: skip


def check_not_closed(state: ConversationState) -> None:
    """Refuse everybody while the group takes nobody.

    Raises:
        Forbidden: GROUP_CLOSED.
    """
    if get_group(state).join_policy == JoinPolicy.CLOSED:
        raise Forbidden(ErrorCode.GROUP_CLOSED, group_id=state.conversation_id)


def check_room(state: ConversationState) -> None:
    """Refuse everybody while the group is full.

    Raises:
        Conflict: GROUP_FULL.
    """
    limit = get_group(state).member_limit
    if len(state.members) >= limit:
        raise Conflict(
            ErrorCode.GROUP_FULL, group_id=state.conversation_id, member_limit=limit
        )  # fmt: skip


def find_open_request(
    state: ConversationState, user_id: UserId, now_ms: int, *, is_invitation: bool
) -> PutJoinRequest | None:
    """What a user asked, or was invited to, and nobody has answered; None: there is none, or it has
    expired."""
    row = state.requests.get(user_id)
    if row is None or bool(row.invited_by) != is_invitation:
        return None
    return None if is_expired(row.requested_at_ms, now_ms) else row


def get_open_request(
    state: ConversationState, user_id: UserId, now_ms: int, *, is_invitation: bool
) -> PutJoinRequest:
    """What :func:`find_open_request` finds.

    Raises:
        NotFound: REQUEST_NOT_FOUND.
        Conflict: REQUEST_EXPIRED.
    """
    row = state.requests.get(user_id)
    if row is None or bool(row.invited_by) != is_invitation:
        raise NotFound(ErrorCode.REQUEST_NOT_FOUND, user_id=user_id)
    if is_expired(row.requested_at_ms, now_ms):
        raise Conflict(ErrorCode.REQUEST_EXPIRED, user_id=user_id)
    return row
