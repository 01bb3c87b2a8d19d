"""Role group: creating in steps, who is told, who may be invited, who may look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.lane_fixtures import operation_id
from tests.support.worlds import ANN, BOB, EVE, ZOE, World, caller, code_of, open_world

from tinyqq.errors import ErrorCode
from tinyqq.model.friend import REQUEST_LIFETIME_MS, SetBlocked
from tinyqq.model.group import (
    MAX_INVITES_AT_ONCE,
    AnswerJoin,
    CreateGroup,
    DismissGroup,
    GetGroup,
    GroupInfo,
    InviteMember,
    JoinGroup,
    JoinPolicy,
    LeaveGroup,
    ListGroups,
    ListInvitations,
    ListJoinRequests,
    ListMembers,
    RemoveMember,
    Role,
    SetCard,
    SetRole,
    TransferGroup,
    UpdateGroup,
)
from tinyqq.model.ids import GroupId, UserId, group_conversation, own_conversation
from tinyqq.model.message import Kind, Notice
from tinyqq.services.groups import GroupService


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@dataclass
class Groups:
    """The role, and its calls in short."""

    role: GroupService

    async def create(
        self, *invite: UserId, policy: JoinPolicy = JoinPolicy.OPEN, name: str = "Friends"
    ) -> GroupId:
        request = CreateGroup(operation_id(), name, policy, invite)
        return (await self.role.create_group(caller(ANN), request)).group_id

    async def join(self, group_id: GroupId, user_id: UserId, note: str = "") -> bool:
        request = JoinGroup(operation_id(), group_id, note)
        return (await self.role.join_group(caller(user_id), request)).joined

    async def answer(
        self, group_id: GroupId, actor: UserId, user_id: UserId, *, accept: bool = True
    ) -> None:
        request = AnswerJoin(operation_id(), group_id, user_id, accept)
        await self.role.answer_join(caller(actor), request)

    async def invite(self, group_id: GroupId, actor: UserId, user_id: UserId) -> None:
        request = InviteMember(operation_id(), group_id, user_id)
        await self.role.invite_member(caller(actor), request)

    async def promote(self, group_id: GroupId, user_id: UserId, role: Role = Role.ADMIN) -> None:
        await self.role.set_role(caller(ANN), SetRole(operation_id(), group_id, user_id, role))

    async def look(self, group_id: GroupId, viewer: UserId = ANN) -> GroupInfo:
        return await self.role.get_group(caller(viewer), GetGroup(group_id))

    async def members(self, group_id: GroupId) -> list[UserId]:
        page = await self.role.list_members(caller(ANN), ListMembers(group_id))
        return [member.user_id for member in page.members]


@pytest.fixture
def groups(world: World) -> Groups:
    return Groups(world.groups())


# ---- making one ----------------------------------------------------------------------------------


async def test_create_group_when_made_then_the_owner_is_in_and_own_devices_learn(
    world: World, groups: Groups
) -> None:
    group_id = await groups.create(name=" Friends ")
    info = await groups.look(group_id)
    assert (info.name, info.owner_id, info.members, info.role) == ("Friends", ANN, 1, Role.OWNER)
    [(kind, _, notice)] = await world.told(ANN)
    assert (kind, notice.group_id) == (Kind.GROUP_CREATED, group_id)


async def test_create_group_when_repeated_then_the_same_group(world: World, groups: Groups) -> None:
    request = CreateGroup(operation_id(), "one")
    first = await groups.role.create_group(caller(ANN), request)
    assert await groups.role.create_group(caller(ANN), request) == first
    assert len((await groups.role.list_groups(caller(ANN), ListGroups())).groups) == 1


async def test_create_group_when_an_earlier_try_only_took_the_number_then_it_is_used(
    world: World, groups: Groups
) -> None:
    request = CreateGroup(operation_id(), "late", JoinPolicy.CLOSED)
    notice = Notice(group_id=GroupId(12_345), name="early", join_policy=JoinPolicy.OPEN)
    await world.note(ANN, request.operation_id, Kind.GROUP_CREATED, notice)
    made = await groups.role.create_group(caller(ANN), request)
    info = await groups.look(made.group_id)
    assert (info.group_id, info.name, info.join_policy) == (12_345, "early", JoinPolicy.OPEN)


async def test_create_group_when_the_id_belongs_to_something_else_then_refused(
    world: World, groups: Groups
) -> None:
    request = CreateGroup(operation_id(), "one")
    await world.note(ANN, request.operation_id, Kind.FRIEND_ADDED, Notice())
    refused = groups.role.create_group(caller(ANN), request)
    assert await code_of(refused) is ErrorCode.OPERATION_REUSED


async def test_create_group_when_inviting_then_friends_are_invited_and_others_left_out(
    world: World, groups: Groups
) -> None:
    await world.befriend(ANN, BOB)
    group_id = await groups.create(BOB, EVE, ANN, UserId(10_999))
    assert (Kind.MEMBER_INVITED, ANN) in [told[:2] for told in await world.told(BOB)]
    assert await world.told_kinds(EVE) == []
    found = await groups.role.list_join_requests(caller(ANN), ListJoinRequests(group_id))
    assert [(row.user_id, row.invited_by) for row in found.requests] == [(BOB, ANN)]


@pytest.mark.parametrize(
    "request_",
    [
        CreateGroup(operation_id(), "  "),
        CreateGroup(operation_id(), "a\nb"),
        CreateGroup(operation_id(), "x", JoinPolicy.UNSPECIFIED),
        CreateGroup(operation_id(), "x", invite=(BOB,) * (MAX_INVITES_AT_ONCE + 1)),
    ],
)
async def test_create_group_when_the_request_is_wrong_then_refused(
    groups: Groups, request_: CreateGroup
) -> None:
    refused = groups.role.create_group(caller(ANN), request_)
    assert await code_of(refused) is ErrorCode.INVALID_REQUEST


async def test_group_when_a_user_is_in_too_many_then_refused(world: World) -> None:
    groups = Groups(world.groups(max_groups=1))
    group_id = await groups.create()
    assert await code_of(groups.create()) is ErrorCode.TOO_MANY_GROUPS
    assert await groups.join(group_id, BOB)


# ---- coming in -----------------------------------------------------------------------------------


async def test_join_group_when_open_then_in_and_own_devices_learn(
    world: World, groups: Groups
) -> None:
    group_id = await groups.create()
    assert await groups.join(group_id, BOB)
    assert await groups.members(group_id) == [ANN, BOB]
    assert await world.told_kinds(BOB) == [Kind.MEMBER_JOINED]


async def test_join_group_when_repeated_after_leaving_then_the_first_outcome(
    groups: Groups,
) -> None:
    group_id = await groups.create()
    request = JoinGroup(operation_id(), group_id)
    await groups.role.join_group(caller(BOB), request)
    await groups.role.leave_group(caller(BOB), LeaveGroup(operation_id(), group_id))
    assert (await groups.role.join_group(caller(BOB), request)).joined
    assert await groups.members(group_id) == [ANN]


async def test_join_group_when_by_approval_then_every_admin_is_told(
    world: World, groups: Groups
) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    await groups.join(group_id, ZOE)
    await groups.promote(group_id, BOB)
    update = UpdateGroup(operation_id(), group_id, join_policy=JoinPolicy.APPROVAL)
    await groups.role.update_group(caller(BOB), update)
    assert not await groups.join(group_id, EVE, "me?")
    for admin in (ANN, BOB):
        kind, sender_id, notice = (await world.told(admin))[-1]
        assert (kind, sender_id, notice.note) == (Kind.JOIN_REQUESTED, EVE, "me?")
        assert (notice.group_id, notice.name) == (group_id, "Friends")
    assert await world.told_kinds(ZOE) == [Kind.MEMBER_JOINED]


@pytest.mark.parametrize(
    ("accept", "kind"), [(True, Kind.MEMBER_JOINED), (False, Kind.JOIN_DECLINED)]
)
async def test_answer_join_when_an_admin_answers_then_the_asker_is_told(
    world: World, groups: Groups, accept: bool, kind: Kind
) -> None:
    group_id = await groups.create(policy=JoinPolicy.APPROVAL)
    await groups.join(group_id, BOB)
    await groups.answer(group_id, ANN, BOB, accept=accept)
    assert await world.told_kinds(BOB) == [kind]
    assert await groups.members(group_id) == ([ANN, BOB] if accept else [ANN])


async def test_answer_join_when_the_asker_has_gone_then_not_found(
    world: World, groups: Groups
) -> None:
    group_id = await groups.create(policy=JoinPolicy.APPROVAL)
    await groups.join(group_id, BOB)
    await world.storage.accounts.update_account(BOB, deleted_at_ms=1)
    assert await code_of(groups.answer(group_id, ANN, BOB)) is ErrorCode.USER_NOT_FOUND
    await groups.answer(group_id, ANN, BOB, accept=False)


async def test_answer_join_when_the_invited_declines_then_who_invited_is_told(
    world: World, groups: Groups
) -> None:
    await world.befriend(ANN, BOB)
    group_id = await groups.create(BOB)
    await groups.answer(group_id, BOB, BOB, accept=False)
    kind, sender_id, notice = (await world.told(ANN))[-1]
    assert (kind, sender_id, notice.group_id) == (Kind.JOIN_DECLINED, BOB, group_id)


async def test_answer_join_when_the_invited_declines_then_their_other_devices_learn_of_it(
    world: World, groups: Groups
) -> None:
    await world.befriend(ANN, BOB)
    group_id = await groups.create(BOB)
    await groups.answer(group_id, BOB, BOB, accept=False)
    kind, sender_id, notice = (await world.told(BOB))[-1]
    assert (kind, sender_id, notice.group_id) == (Kind.JOIN_DECLINED, BOB, group_id)


async def test_answer_join_when_the_invited_accepts_then_in(world: World, groups: Groups) -> None:
    await world.befriend(ANN, BOB)
    group_id = await groups.create(BOB, policy=JoinPolicy.INVITATION)
    await groups.answer(group_id, BOB, BOB)
    assert await groups.members(group_id) == [ANN, BOB]


async def test_invite_member_when_a_stranger_then_only_if_open_to_strangers(
    world: World, groups: Groups
) -> None:
    group_id = await groups.create()
    assert await code_of(groups.invite(group_id, ANN, BOB)) is ErrorCode.NOT_FRIENDS
    await world.storage.accounts.update_account(BOB, allow_strangers=True)
    await groups.invite(group_id, ANN, BOB)
    assert await world.told_kinds(BOB) == [Kind.MEMBER_INVITED]


async def test_invite_member_when_blocked_then_refused(world: World, groups: Groups) -> None:
    await world.befriend(ANN, BOB)
    await world.friends().set_blocked(caller(BOB), SetBlocked(operation_id(), ANN, True))
    group_id = await groups.create()
    assert await code_of(groups.invite(group_id, ANN, BOB)) is ErrorCode.BLOCKED


@pytest.mark.parametrize(
    ("user_id", "code"),
    [(ANN, ErrorCode.SELF_NOT_ALLOWED), (UserId(10_999), ErrorCode.USER_NOT_FOUND)],
)
async def test_invite_member_when_nobody_to_invite_then_refused(
    groups: Groups, user_id: UserId, code: ErrorCode
) -> None:
    group_id = await groups.create()
    assert await code_of(groups.invite(group_id, ANN, user_id)) is code


async def test_invite_member_when_repeated_after_the_friendship_then_the_first_outcome(
    world: World, groups: Groups
) -> None:
    await world.storage.accounts.update_account(BOB, allow_strangers=True)
    group_id = await groups.create()
    request = InviteMember(operation_id(), group_id, BOB)
    await groups.role.invite_member(caller(ANN), request)
    await world.storage.accounts.update_account(BOB, allow_strangers=False)
    await groups.role.invite_member(caller(ANN), request)
    assert await world.told_kinds(BOB) == [Kind.MEMBER_INVITED]


async def test_group_when_the_number_is_of_a_conversation_of_people_then_not_found(
    groups: Groups,
) -> None:
    for number in (0, 9_999, own_conversation(ANN)):
        assert await code_of(groups.join(GroupId(number), ANN)) is ErrorCode.GROUP_NOT_FOUND
        assert await code_of(groups.look(GroupId(number))) is ErrorCode.GROUP_NOT_FOUND


async def test_group_when_no_such_number_then_not_found(groups: Groups) -> None:
    assert await code_of(groups.join(GroupId(77_777), ANN)) is ErrorCode.GROUP_NOT_FOUND
    assert await code_of(groups.look(GroupId(77_777))) is ErrorCode.GROUP_NOT_FOUND


# ---- going and deciding --------------------------------------------------------------------------


async def test_remove_member_when_removed_then_told_and_out(world: World, groups: Groups) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    await groups.role.remove_member(caller(ANN), RemoveMember(operation_id(), group_id, BOB))
    assert await world.told_kinds(BOB) == [Kind.MEMBER_JOINED, Kind.MEMBER_REMOVED]
    assert await groups.members(group_id) == [ANN]
    seen = await world.entries(BOB, group_conversation(group_id))
    assert [entry.kind for entry in seen] == [Kind.MEMBER_JOINED, Kind.MEMBER_REMOVED]


async def test_set_role_when_changed_then_told(world: World, groups: Groups) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    await groups.promote(group_id, BOB)
    kind, _, notice = (await world.told(BOB))[-1]
    assert (kind, notice.role) == (Kind.ROLE_CHANGED, Role.ADMIN)
    assert (await groups.look(group_id, BOB)).role is Role.ADMIN


@pytest.mark.parametrize("role", [Role.OWNER, Role.UNSPECIFIED])
async def test_set_role_when_it_is_no_role_to_give_then_refused(groups: Groups, role: Role) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    assert await code_of(groups.promote(group_id, BOB, role)) is ErrorCode.INVALID_REQUEST


async def test_transfer_group_when_handed_over_then_the_old_owner_may_leave(
    groups: Groups,
) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    leave = LeaveGroup(operation_id(), group_id)
    refused = groups.role.leave_group(caller(ANN), leave)
    assert await code_of(refused) is ErrorCode.OWNER_MUST_TRANSFER
    await groups.role.transfer_group(caller(ANN), TransferGroup(operation_id(), group_id, BOB))
    await groups.role.leave_group(caller(ANN), leave)
    assert (await groups.look(group_id)).owner_id == BOB


async def test_dismiss_group_when_dismissed_then_nobody_lists_it(groups: Groups) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    await groups.role.dismiss_group(caller(ANN), DismissGroup(operation_id(), group_id))
    assert (await groups.role.list_groups(caller(BOB), ListGroups())).groups == ()
    assert (await groups.look(group_id)).dismissed
    assert await code_of(groups.join(group_id, EVE)) is ErrorCode.GROUP_DISMISSED


async def test_update_group_when_changed_then_outsiders_do_not_see_the_announcement(
    groups: Groups,
) -> None:
    group_id = await groups.create()
    update = UpdateGroup(operation_id(), group_id, name="New", announcement=" one\ntwo ")
    await groups.role.update_group(caller(ANN), update)
    info = await groups.look(group_id)
    assert (info.name, info.announcement, info.join_policy) == ("New", "one\ntwo", JoinPolicy.OPEN)
    assert (await groups.look(group_id, EVE)).announcement == ""


async def test_set_card_when_set_then_members_see_it(groups: Groups) -> None:
    group_id = await groups.create()
    await groups.role.set_card(caller(ANN), SetCard(operation_id(), group_id, "Boss"))
    page = await groups.role.list_members(caller(ANN), ListMembers(group_id))
    assert [member.card for member in page.members] == ["Boss"]


# ---- looking -------------------------------------------------------------------------------------


async def test_list_members_when_paged_then_in_order(groups: Groups) -> None:
    group_id = await groups.create()
    for user_id in (ZOE, BOB):
        await groups.join(group_id, user_id)
    page = await groups.role.list_members(caller(BOB), ListMembers(group_id, ANN, 1))
    assert ([member.user_id for member in page.members], page.more) == ([BOB], True)


@pytest.mark.parametrize("limit", [0, 501])
async def test_list_members_when_the_page_is_no_page_then_refused(
    groups: Groups, limit: int
) -> None:
    group_id = await groups.create()
    refused = groups.role.list_members(caller(ANN), ListMembers(group_id, limit=limit))
    assert await code_of(refused) is ErrorCode.PAGE_TOO_LARGE


async def test_list_when_without_the_right_then_refused(groups: Groups) -> None:
    group_id = await groups.create()
    await groups.join(group_id, BOB)
    members = groups.role.list_members(caller(EVE), ListMembers(group_id))
    assert await code_of(members) is ErrorCode.NOT_A_MEMBER
    waiting = groups.role.list_join_requests(caller(BOB), ListJoinRequests(group_id))
    assert await code_of(waiting) is ErrorCode.NOT_AN_ADMIN


async def test_list_join_requests_when_expired_then_left_out(world: World, groups: Groups) -> None:
    group_id = await groups.create(policy=JoinPolicy.APPROVAL)
    await groups.join(group_id, BOB)
    world.clock.advance(REQUEST_LIFETIME_MS / 1000)
    await groups.join(group_id, EVE)
    world.clock.advance(1)
    found = await groups.role.list_join_requests(caller(ANN), ListJoinRequests(group_id))
    assert [row.user_id for row in found.requests] == [EVE]


async def test_list_invitations_when_one_is_answered_or_expires_then_it_is_gone(
    world: World, groups: Groups
) -> None:
    async def listed() -> list[tuple[GroupId, int, UserId]]:
        found = await groups.role.list_invitations(caller(BOB), ListInvitations())
        return [(one.group_id, one.members, one.invited_by) for one in found.invitations]

    await world.befriend(ANN, BOB)
    old = await groups.create(BOB)
    world.clock.advance(REQUEST_LIFETIME_MS / 1000 - 1)
    declined, accepted, asked = [await groups.create(BOB) for _ in range(3)]
    assert sorted(await listed()) == sorted(
        (one, 1, ANN) for one in (old, declined, accepted, asked)
    )
    await groups.answer(declined, BOB, BOB, accept=False)
    await groups.answer(accepted, BOB, BOB)
    world.clock.advance(2)
    assert await listed() == [(asked, 1, ANN)]


async def test_list_invitations_when_one_has_only_asked_to_come_in_then_nothing(
    groups: Groups,
) -> None:
    await groups.join(await groups.create(policy=JoinPolicy.APPROVAL), BOB)
    found = await groups.role.list_invitations(caller(BOB), ListInvitations())
    assert found.invitations == ()
