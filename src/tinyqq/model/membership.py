"""Who may come, stay, go and decide in a group: the rules for membership.

Pure: each function reads the state of a group's conversation and answers with the plan of its next
entry, or raises. A notice names in ``user_ids`` whoever must also learn of it in their own
conversation: who came, went or changed role, who was invited, asked or declined; for JOIN_REQUESTED
the admins who may answer. ``group_id`` and ``name`` make the same notice readable there.

Every rule but :func:`create` raises NotFound GROUP_NOT_FOUND and Conflict GROUP_DISMISSED.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tinyqq.errors import Conflict, ErrorCode, Forbidden
from tinyqq.model.conversation import (
    STILL_IN,
    ConversationState,
    DropJoinRequest,
    Effect,
    Plan,
    PutGroup,
    PutJoinRequest,
    PutMember,
)
from tinyqq.model.friendship import is_expired
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.group_checks import (
    check_not_closed,
    check_outside,
    check_room,
    find_open_request,
    get_admin,
    get_group,
    get_member,
    get_open_request,
    get_other,
    get_owner,
)
from tinyqq.model.ids import GroupId, Seq, UserId
from tinyqq.model.message import Kind, Notice

MAX_ADMINS: Final = 50
"""Admins of one group beside the owner: each of them is told of every join request."""
MAX_WAITING: Final = 1_000
"""Open join requests and invitations of one group."""


def membership_delta(
    effects: Iterable[Effect], seq: Seq
) -> tuple[tuple[UserId, ...], tuple[UserId, ...]]:
    """Users whom entry *seq* made members by these effects, and users whom it took out."""
    rows = [effect for effect in effects if isinstance(effect, PutMember)]
    joined = tuple(row.user_id for row in rows if row.since_seq == seq)
    gone = tuple(row.user_id for row in rows if row.until_seq == seq)
    return joined, gone


# ---- the group itself ----------------------------------------------------------------------------


def create(
    state: ConversationState,
    now_ms: int,
    *,
    owner_id: UserId,
    name: str,
    join_policy: JoinPolicy,
    member_limit: int,
) -> Plan:
    """Make the group, with its owner as the first member: GROUP_CREATED.

    Raises:
        Conflict: CONFLICT when the number is taken.
    """
    if state.group is not None:
        raise Conflict(ErrorCode.CONFLICT, group_id=state.conversation_id)
    group = PutGroup(
        name=name,
        join_policy=join_policy,
        announcement="",
        member_limit=member_limit,
        created_at_ms=now_ms,
    )
    owner = replace(_new_member(state, now_ms, owner_id), role=Role.OWNER)
    return Plan(
        Kind.GROUP_CREATED, _settings_notice(state, group), (group, owner), lists=(owner_id,)
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """What an admin may change of a group; ``None`` leaves a setting as it is."""

    name: str | None = None
    join_policy: JoinPolicy | None = None
    announcement: str | None = None


def update(state: ConversationState, now_ms: int, *, actor_id: UserId, settings: Settings) -> Plan:
    """Change the group's settings: GROUP_CHANGED, whose notice tells all of them as they are now.

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_AN_ADMIN.
    """
    group = get_group(state)
    get_admin(state, actor_id)
    changed = replace(
        group,
        name=group.name if settings.name is None else settings.name,
        join_policy=settings.join_policy or group.join_policy,
        announcement=(
            group.announcement if settings.announcement is None else settings.announcement
        ),
    )
    return Plan(Kind.GROUP_CHANGED, _settings_notice(state, changed), (changed,))


def dismiss(state: ConversationState, now_ms: int, *, actor_id: UserId | None) -> Plan:
    """End the group: GROUP_DISMISSED is the last entry that its members see.

    Args:
        actor_id: None: the operator, who need not be in it.

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_THE_OWNER.
    """
    group = get_group(state)
    if actor_id is not None:
        get_owner(state, actor_id)
    seq = _next_seq(state)
    effects: tuple[Effect, ...] = (
        replace(group, dismissed_seq=seq),
        *(replace(member, until_seq=seq) for member in state.members.values()),
        *(DropJoinRequest(user_id) for user_id in state.requests),
    )
    return Plan(Kind.GROUP_DISMISSED, _notice(state), effects)


# ---- coming in -----------------------------------------------------------------------------------


def join(state: ConversationState, now_ms: int, *, user_id: UserId, note: str) -> Plan:
    """Come in (MEMBER_JOINED), or ask to (JOIN_REQUESTED).

    Who was invited comes in under every policy but CLOSED.

    Raises:
        Conflict: ALREADY_A_MEMBER, GROUP_FULL (also: too many wait already).
        Forbidden: GROUP_CLOSED, INVITATION_NEEDED.
    """
    group = get_group(state)
    check_outside(state, user_id)
    check_not_closed(state)
    invited = find_open_request(state, user_id, now_ms, is_invitation=True) is not None
    if invited or group.join_policy == JoinPolicy.OPEN:
        return _joined(state, now_ms, user_id)
    if group.join_policy == JoinPolicy.INVITATION:
        raise Forbidden(ErrorCode.INVITATION_NEEDED, group_id=state.conversation_id)
    waiting = PutJoinRequest(user_id, now_ms, note)
    admins = (row.user_id for row in state.members.values() if row.role >= Role.ADMIN)
    return Plan(
        Kind.JOIN_REQUESTED,
        _notice(state, *sorted(admins), note=note),
        _wait_at_door(state, now_ms, waiting),
    )


def answer_request(
    state: ConversationState, now_ms: int, *, actor_id: UserId, user_id: UserId, accept: bool
) -> Plan:
    """An admin lets somebody in who asked (MEMBER_JOINED), or does not (JOIN_DECLINED).

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_AN_ADMIN, GROUP_CLOSED.
        NotFound: REQUEST_NOT_FOUND.
        Conflict: ALREADY_A_MEMBER, REQUEST_EXPIRED, GROUP_FULL.
    """
    get_group(state)
    get_admin(state, actor_id)
    check_outside(state, user_id)
    get_open_request(state, user_id, now_ms, is_invitation=False)
    if accept:
        check_not_closed(state)
        return _joined(state, now_ms, user_id)
    return Plan(Kind.JOIN_DECLINED, _notice(state, user_id), (DropJoinRequest(user_id),))


def answer_invitation(
    state: ConversationState, now_ms: int, *, user_id: UserId, accept: bool
) -> Plan:
    """Who was invited comes in (MEMBER_JOINED), or does not (JOIN_DECLINED, naming who invited).

    Raises:
        Forbidden: GROUP_CLOSED.
        NotFound: REQUEST_NOT_FOUND.
        Conflict: ALREADY_A_MEMBER, REQUEST_EXPIRED, GROUP_FULL.
    """
    get_group(state)
    check_outside(state, user_id)
    invitation = get_open_request(state, user_id, now_ms, is_invitation=True)
    if accept:
        check_not_closed(state)
        return _joined(state, now_ms, user_id)
    return Plan(
        Kind.JOIN_DECLINED, _notice(state, invitation.invited_by), (DropJoinRequest(user_id),)
    )


def invite(state: ConversationState, now_ms: int, *, actor_id: UserId, user_id: UserId) -> Plan:
    """Invite somebody: MEMBER_INVITED, or MEMBER_JOINED for whom has asked to come in already.

    Raises:
        Forbidden: NOT_A_MEMBER, NOT_AN_ADMIN (policy APPROVAL), GROUP_CLOSED.
        Conflict: ALREADY_A_MEMBER, GROUP_FULL (also: too many wait already).
    """
    group = get_group(state)
    get_member(state, actor_id)
    check_not_closed(state)
    if group.join_policy == JoinPolicy.APPROVAL:
        get_admin(state, actor_id)
    check_outside(state, user_id)
    if find_open_request(state, user_id, now_ms, is_invitation=False) is not None:
        return _joined(state, now_ms, user_id)
    waiting = PutJoinRequest(user_id, now_ms, invited_by=actor_id)
    effects = _wait_at_door(state, now_ms, waiting)
    # Listed, for open invitations are found by the lines of the user's list.
    return Plan(Kind.MEMBER_INVITED, _notice(state, user_id), effects, lists=(user_id,))


# ---- going ---------------------------------------------------------------------------------------


def leave(state: ConversationState, now_ms: int, *, user_id: UserId) -> Plan:
    """Leave: MEMBER_LEFT is the last entry that this user sees.

    Raises:
        Forbidden: NOT_A_MEMBER.
        Conflict: OWNER_MUST_TRANSFER.
    """
    get_group(state)
    member = get_member(state, user_id)
    if member.role == Role.OWNER:
        raise Conflict(ErrorCode.OWNER_MUST_TRANSFER, group_id=state.conversation_id)
    return Plan(Kind.MEMBER_LEFT, _notice(state, user_id), (_gone(state, member),))


def remove(state: ConversationState, now_ms: int, *, actor_id: UserId, user_id: UserId) -> Plan:
    """Take somebody of lower rank out: MEMBER_REMOVED.

    Raises:
        Forbidden: NOT_A_MEMBER (``user_id`` says who), NOT_AN_ADMIN, OUTRANKED.
        Conflict: SELF_NOT_ALLOWED.
    """
    get_group(state)
    actor = get_admin(state, actor_id)
    member = get_other(state, actor_id, user_id)
    if member.role >= actor.role:
        raise Forbidden(ErrorCode.OUTRANKED, user_id=user_id)
    return Plan(Kind.MEMBER_REMOVED, _notice(state, user_id), (_gone(state, member),))


# ---- ranks and cards -----------------------------------------------------------------------------


def set_role(
    state: ConversationState, now_ms: int, *, actor_id: UserId, user_id: UserId, role: Role
) -> Plan:
    """The owner makes somebody an admin or a plain member: ROLE_CHANGED.

    Args:
        role: ADMIN or MEMBER.

    Raises:
        Forbidden: NOT_A_MEMBER (``user_id`` says who), NOT_THE_OWNER.
        Conflict: SELF_NOT_ALLOWED, CONFLICT (MAX_ADMINS reached).
    """
    assert role in (Role.MEMBER, Role.ADMIN)
    get_group(state)
    get_owner(state, actor_id)
    member = get_other(state, actor_id, user_id)
    if role > member.role:
        admins = sum(row.role == Role.ADMIN for row in state.members.values())
        if admins >= MAX_ADMINS:
            raise Conflict(ErrorCode.CONFLICT, max_admins=MAX_ADMINS)
    return Plan(
        Kind.ROLE_CHANGED, _notice(state, user_id, role=role), (replace(member, role=role),)
    )


def transfer(state: ConversationState, now_ms: int, *, actor_id: UserId, user_id: UserId) -> Plan:
    """The owner hands the group over and becomes an admin: OWNER_CHANGED.

    Raises:
        Forbidden: NOT_A_MEMBER (``user_id`` says who), NOT_THE_OWNER.
        Conflict: SELF_NOT_ALLOWED.
    """
    get_group(state)
    owner = get_owner(state, actor_id)
    member = get_other(state, actor_id, user_id)
    return Plan(
        Kind.OWNER_CHANGED,
        _notice(state, user_id, role=Role.OWNER),
        (replace(owner, role=Role.ADMIN), replace(member, role=Role.OWNER)),
    )


def set_card(state: ConversationState, now_ms: int, *, user_id: UserId, card: str) -> Plan:
    """Change the name under which the group sees a member: CARD_CHANGED, ``name`` is the card.

    Raises:
        Forbidden: NOT_A_MEMBER.
    """
    get_group(state)
    member = get_member(state, user_id)
    notice = Notice(group_id=GroupId(state.conversation_id), name=card)
    return Plan(Kind.CARD_CHANGED, notice, (replace(member, card=card),))


# ---- what the rules have in common ---------------------------------------------------------------


def _wait_at_door(
    state: ConversationState, now_ms: int, waiting: PutJoinRequest
) -> tuple[Effect, ...]:
    """The new row, and an end to those that have expired, so that a group's rows stay bounded."""
    check_room(state)
    rest = [row for row in state.requests.values() if row.user_id != waiting.user_id]
    expired = [row for row in rest if is_expired(row.requested_at_ms, now_ms)]
    if len(rest) - len(expired) >= MAX_WAITING:
        raise Conflict(
            ErrorCode.GROUP_FULL, group_id=state.conversation_id, max_waiting=MAX_WAITING
        )  # fmt: skip
    return (*(DropJoinRequest(row.user_id) for row in expired), waiting)


def _joined(state: ConversationState, now_ms: int, user_id: UserId) -> Plan:
    check_room(state)
    effects: tuple[Effect, ...] = (_new_member(state, now_ms, user_id),)
    if user_id in state.requests:
        effects += (DropJoinRequest(user_id),)
    return Plan(Kind.MEMBER_JOINED, _notice(state, user_id), effects, lists=(user_id,))


def _new_member(state: ConversationState, now_ms: int, user_id: UserId) -> PutMember:
    return PutMember(
        user_id,
        since_seq=_next_seq(state),
        until_seq=STILL_IN,
        role=Role.MEMBER,
        card="",
        joined_at_ms=now_ms,
    )


def _gone(state: ConversationState, member: PutMember) -> PutMember:
    return replace(member, until_seq=_next_seq(state))


def _next_seq(state: ConversationState) -> Seq:
    return Seq(state.head_seq + 1)


def _notice(state: ConversationState, *user_ids: UserId, note: str = "", role: int = 0) -> Notice:
    return Notice(
        user_ids=user_ids,
        group_id=GroupId(state.conversation_id),
        name=get_group(state).name,
        note=note,
        role=role,
    )


def _settings_notice(state: ConversationState, group: PutGroup) -> Notice:
    return Notice(
        group_id=GroupId(state.conversation_id),
        name=group.name,
        join_policy=group.join_policy,
        announcement=group.announcement,
    )
