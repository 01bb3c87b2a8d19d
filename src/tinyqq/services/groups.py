"""Role ``group``: groups, who is in them, and what each member may do.

The rules are in ``model/membership.py``; the group's conversation is where they are applied. Whom a
notice names is told in their own conversation too.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, Forbidden, InvalidRequest, NotFound
from tinyqq.model import group, membership
from tinyqq.model.account import Caller
from tinyqq.model.conversation import Plan, Rule
from tinyqq.model.friend import MAX_NOTE_CHARS
from tinyqq.model.friendship import is_expired
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import (
    GroupId,
    OperationId,
    UserId,
    derived_operation_id,
    own_conversation,
)
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.ports.storage import AccountStore, ConversationStore, LogReader, SendKey
from tinyqq.services.group_texts import (
    check_announcement,
    check_group_id,
    check_name,
    check_policy,
    check_short,
)
from tinyqq.services.lanes import AnyLane
from tinyqq.services.steps import Step, refuse, take, tell
from tinyqq.wire.content import decode_notice

MAX_GROUPS: Final = 2_000
MAX_MEMBERS_PAGE: Final = 500


class _ChangeRequest(Protocol):
    """What every request to change a group says."""

    @property
    def operation_id(self) -> OperationId: ...

    @property
    def group_id(self) -> GroupId: ...


class GroupService:
    """Implements :class:`tinyqq.ports.services.GroupApi`.

    Args:
        member_limit: how many members a new group may have.
        max_groups: how many groups one user may be in; counted before the change, so two changes
            at once may exceed it.
    """

    def __init__(
        self,
        *,
        lane: AnyLane,
        accounts: AccountStore,
        conversations: ConversationStore,
        log_reader: LogReader,
        clock: Clock,
        member_limit: int,
        max_groups: int = MAX_GROUPS,
    ) -> None:
        self._lane = lane
        self._accounts = accounts
        self._conversations = conversations
        self._log_reader = log_reader
        self._clock = clock
        self._member_limit = member_limit
        self._max_groups = max_groups

    # ---- making one ------------------------------------------------------------------------------

    async def create_group(self, caller: Caller, request: group.CreateGroup) -> group.GroupCreated:
        """See the port.

        An entry in the caller's own conversation fixes the number first; a repeat reads it there.
        Who cannot be invited (not a friend) is left out.
        """
        name, join_policy = check_name(request.name), check_policy(request.join_policy)
        if len(request.invite) > group.MAX_INVITES_AT_ONCE:
            raise InvalidRequest(
                ErrorCode.INVALID_REQUEST, field="invite", max_count=group.MAX_INVITES_AT_ONCE
            )
        settled = await self._settle_number(caller.user_id, request.operation_id, name, join_policy)
        rule = partial(
            membership.create,
            owner_id=caller.user_id,
            name=settled.name,
            join_policy=JoinPolicy(settled.join_policy),
            member_limit=self._member_limit,
        )
        step = Step(check_group_id(settled.group_id), caller.user_id, request.operation_id, rule)
        await take(self._lane, step, (Kind.GROUP_CREATED,))
        await self._invite_friends(caller, request, settled.group_id)
        return group.GroupCreated(settled.group_id)

    async def _settle_number(
        self, owner_id: UserId, operation_id: OperationId, name: str, join_policy: JoinPolicy
    ) -> Notice:
        own = own_conversation(owner_id)
        entry = await self._log_reader.find_operation(SendKey(own, owner_id, operation_id))
        if entry is None:
            await self._check_groups_left(owner_id)
            group_id = GroupId(await self._accounts.take_numbers("group", 1))
            notice = Notice(group_id=group_id, name=name, join_policy=join_policy)
            plan = Plan(Kind.GROUP_CREATED, notice)
            step = Step(own, owner_id, operation_id, lambda *_: plan)
            entry = await take(self._lane, step, (Kind.GROUP_CREATED,))
        elif entry.kind != Kind.GROUP_CREATED:
            raise InvalidRequest(ErrorCode.OPERATION_REUSED)
        return decode_notice(entry.body)

    async def _invite_friends(
        self, caller: Caller, request: group.CreateGroup, group_id: GroupId
    ) -> None:
        for user_id in sorted(frozenset(request.invite)):
            operation_id = derived_operation_id(request.operation_id, f"invite-{user_id}")
            try:
                await self.invite_member(
                    caller, group.InviteMember(operation_id, group_id, user_id)
                )
            except (Conflict, Forbidden, NotFound):
                # The group stands; whoever cannot be invited is not a reason to undo it.
                continue

    # ---- coming in -------------------------------------------------------------------------------

    async def join_group(self, caller: Caller, request: group.JoinGroup) -> group.JoinOutcome:
        """See the port; rules: ``membership.join``."""
        note = check_short(request.note, MAX_NOTE_CHARS)
        rule = await _unless_refused(
            self._check_groups_left(caller.user_id),
            partial(membership.join, user_id=caller.user_id, note=note),
        )
        entry = await self._change(caller, request, rule, Kind.MEMBER_JOINED, Kind.JOIN_REQUESTED)
        return group.JoinOutcome(joined=entry.kind == Kind.MEMBER_JOINED)

    async def answer_join(self, caller: Caller, request: group.AnswerJoin) -> None:
        """See the port; rules: ``membership.answer_request``, ``membership.answer_invitation``."""
        rule: Rule
        is_invitation = request.user_id == caller.user_id
        if is_invitation:
            rule = partial(
                membership.answer_invitation, user_id=caller.user_id, accept=request.accept
            )
        else:
            rule = partial(
                membership.answer_request,
                actor_id=caller.user_id,
                user_id=request.user_id,
                accept=request.accept,
            )
        if request.accept:
            rule = await _unless_refused(self._check_may_come(request.user_id), rule)
        kind = Kind.MEMBER_JOINED if request.accept else Kind.JOIN_DECLINED
        entry = await self._change(caller, request, rule, kind)
        if is_invitation and not request.accept:
            # The notice names who invited; the caller's other devices show the invitation too.
            await tell(self._lane, entry, (caller.user_id,))

    async def invite_member(self, caller: Caller, request: group.InviteMember) -> None:
        """See the port; rules: ``membership.invite``.

        Only who would take a message from the caller: a friend, or somebody open to strangers, who
        does not block the caller.
        """
        rule = await _unless_refused(
            self._check_invitable(caller.user_id, request.user_id),
            partial(membership.invite, actor_id=caller.user_id, user_id=request.user_id),
        )
        await self._change(caller, request, rule, Kind.MEMBER_INVITED, Kind.MEMBER_JOINED)

    # ---- going -----------------------------------------------------------------------------------

    async def leave_group(self, caller: Caller, request: group.LeaveGroup) -> None:
        """See the port; rules: ``membership.leave``."""
        rule = partial(membership.leave, user_id=caller.user_id)
        await self._change(caller, request, rule, Kind.MEMBER_LEFT)

    async def remove_member(self, caller: Caller, request: group.RemoveMember) -> None:
        """See the port; rules: ``membership.remove``."""
        rule = partial(membership.remove, actor_id=caller.user_id, user_id=request.user_id)
        await self._change(caller, request, rule, Kind.MEMBER_REMOVED)

    # ---- deciding --------------------------------------------------------------------------------

    async def set_role(self, caller: Caller, request: group.SetRole) -> None:
        """See the port; rules: ``membership.set_role``."""
        if request.role not in (Role.MEMBER, Role.ADMIN):
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="role", value=request.role)
        rule = partial(
            membership.set_role,
            actor_id=caller.user_id,
            user_id=request.user_id,
            role=request.role,
        )
        await self._change(caller, request, rule, Kind.ROLE_CHANGED)

    async def transfer_group(self, caller: Caller, request: group.TransferGroup) -> None:
        """See the port; rules: ``membership.transfer``."""
        rule = partial(membership.transfer, actor_id=caller.user_id, user_id=request.user_id)
        await self._change(caller, request, rule, Kind.OWNER_CHANGED)

    async def dismiss_group(self, caller: Caller, request: group.DismissGroup) -> None:
        """See the port; rules: ``membership.dismiss``."""
        rule = partial(membership.dismiss, actor_id=caller.user_id)
        await self._change(caller, request, rule, Kind.GROUP_DISMISSED)

    async def update_group(self, caller: Caller, request: group.UpdateGroup) -> None:
        """See the port; rules: ``membership.update``."""
        settings = membership.Settings(
            name=None if request.name is None else check_name(request.name),
            join_policy=None if request.join_policy is None else check_policy(request.join_policy),
            announcement=(
                None if request.announcement is None else check_announcement(request.announcement)
            ),
        )
        rule = partial(membership.update, actor_id=caller.user_id, settings=settings)
        await self._change(caller, request, rule, Kind.GROUP_CHANGED)

    async def set_card(self, caller: Caller, request: group.SetCard) -> None:
        """See the port; rules: ``membership.set_card``."""
        card = check_short(request.card, group.MAX_CARD_CHARS)
        rule = partial(membership.set_card, user_id=caller.user_id, card=card)
        await self._change(caller, request, rule, Kind.CARD_CHANGED)

    # ---- looking ---------------------------------------------------------------------------------

    async def get_group(self, caller: Caller, request: group.GetGroup) -> group.GroupInfo:
        """See the port. The announcement is for members."""
        info = await self._get_info(caller, request.group_id)
        return info if info.role != Role.UNSPECIFIED else replace(info, announcement="")

    async def list_groups(self, caller: Caller, request: group.ListGroups) -> group.GroupList:
        """See the port."""
        return group.GroupList(await self._conversations.list_groups(caller.user_id))

    async def list_members(self, caller: Caller, request: group.ListMembers) -> group.MemberList:
        """See the port."""
        if not 0 < request.limit <= MAX_MEMBERS_PAGE:
            raise InvalidRequest(ErrorCode.PAGE_TOO_LARGE, max_count=MAX_MEMBERS_PAGE)
        await self._get_info(caller, request.group_id, at_least=Role.MEMBER)
        return await self._conversations.list_members(
            request.group_id, request.after_user_id, request.limit
        )

    async def list_join_requests(
        self, caller: Caller, request: group.ListJoinRequests
    ) -> group.JoinRequestList:
        """See the port."""
        await self._get_info(caller, request.group_id, at_least=Role.ADMIN)
        now_ms = self._clock.now_ms()
        rows = await self._conversations.list_join_requests(request.group_id)
        return group.JoinRequestList(
            tuple(row for row in rows if not is_expired(row.requested_at_ms, now_ms))
        )

    async def list_invitations(
        self, caller: Caller, request: group.ListInvitations
    ) -> group.InvitationList:
        """See the port."""
        now_ms = self._clock.now_ms()
        rows = await self._conversations.list_invitations(caller.user_id, group.MAX_INVITATIONS)
        return group.InvitationList(
            tuple(row for row in rows if not is_expired(row.invited_at_ms, now_ms))
        )

    async def _get_info(
        self, caller: Caller, group_id: GroupId, *, at_least: Role = Role.UNSPECIFIED
    ) -> group.GroupInfo:
        check_group_id(group_id)
        info = await self._conversations.find_group(group_id, caller.user_id)
        if info is None:
            raise NotFound(ErrorCode.GROUP_NOT_FOUND, group_id=group_id)
        if info.role < at_least:
            is_member = info.role != Role.UNSPECIFIED
            code = ErrorCode.NOT_AN_ADMIN if is_member else ErrorCode.NOT_A_MEMBER
            raise Forbidden(code, group_id=group_id)
        return info

    # ---- what changes have in common -------------------------------------------------------------

    async def _change(
        self, caller: Caller, request: _ChangeRequest, rule: Rule, *kinds: Kind
    ) -> Entry:
        conversation_id = check_group_id(request.group_id)
        step = Step(conversation_id, caller.user_id, request.operation_id, rule)
        entry = await take(self._lane, step, kinds)
        await tell(self._lane, entry, decode_notice(entry.body).user_ids)
        return entry

    async def _check_groups_left(self, user_id: UserId) -> None:
        if len(await self._conversations.list_group_ids(user_id)) >= self._max_groups:
            raise Conflict(ErrorCode.TOO_MANY_GROUPS, max_groups=self._max_groups)

    async def _check_may_come(self, user_id: UserId) -> None:
        account = await self._accounts.find_account(user_id)
        if account is None or not account.is_usable:
            raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=user_id)
        await self._check_groups_left(user_id)

    async def _check_invitable(self, inviter_id: UserId, user_id: UserId) -> None:
        if inviter_id == user_id:
            raise Conflict(ErrorCode.SELF_NOT_ALLOWED, user_id=user_id)
        account = await self._accounts.find_account(user_id)
        if account is None or not account.is_usable:
            raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=user_id)
        contact = await self._conversations.find_contact(user_id, inviter_id)
        if contact is not None and contact.is_blocked:
            raise Forbidden(ErrorCode.BLOCKED, user_id=user_id, by="them")
        is_friend = contact is not None and contact.is_friend
        if not is_friend and not account.allow_strangers:
            raise Forbidden(ErrorCode.NOT_FRIENDS, user_id=user_id)


async def _unless_refused(check: Awaitable[None], rule: Rule) -> Rule:
    """The rule, or one that refuses with what the check found; see :func:`refuse`."""
    try:
        await check
    except (Conflict, Forbidden, NotFound) as error:
        return refuse(error)
    return rule
