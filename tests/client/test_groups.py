"""What a client asks about groups."""

from __future__ import annotations

from tests.support.asking import Asked
from tests.support.entries import ANN, BOB

from tinyqq.client.groups import Groups
from tinyqq.model.group import (
    AnswerJoin,
    CreateGroup,
    DismissGroup,
    GroupCreated,
    GroupInfo,
    GroupList,
    Invitation,
    InvitationList,
    InviteMember,
    JoinGroup,
    JoinOutcome,
    JoinPolicy,
    JoinRequest,
    JoinRequestList,
    LeaveGroup,
    ListMembers,
    Member,
    MemberList,
    RemoveMember,
    Role,
    SetCard,
    SetRole,
    TransferGroup,
    UpdateGroup,
)
from tinyqq.model.ids import GroupId, UserId

G = GroupId(20_001)
INFO = GroupInfo(G, "小组", JoinPolicy.OPEN)


async def test_groups_when_asked_to_change_then_the_requests_say_so() -> None:
    asked = Asked()
    groups = Groups(asked)
    await groups.update(G, name="new")
    await groups.transfer(G, BOB)
    await groups.dismiss(G)
    await groups.leave(G)
    await groups.invite(G, BOB)
    await groups.answer(G, BOB, accept=True)
    await groups.remove(G, BOB)
    await groups.set_role(G, BOB, Role.ADMIN)
    await groups.set_card(G, "card")
    assert asked.facts == [
        (UpdateGroup, G, "new", None, None),
        (TransferGroup, G, BOB),
        (DismissGroup, G),
        (LeaveGroup, G),
        (InviteMember, G, BOB),
        (AnswerJoin, G, BOB, True),
        (RemoveMember, G, BOB),
        (SetRole, G, BOB, Role.ADMIN),
        (SetCard, G, "card"),
    ]
    assert len({one.operation_id for one in asked.records}) == len(asked.records)


async def test_create_when_done_then_its_number() -> None:
    asked = Asked(GroupCreated(G))
    assert await Groups(asked).create("小组", join_policy=JoinPolicy.OPEN, invite=[ANN, BOB]) == G
    assert asked.facts == [(CreateGroup, "小组", JoinPolicy.OPEN, (ANN, BOB))]


async def test_join_when_an_admin_must_say_yes_then_false() -> None:
    asked = Asked(JoinOutcome(joined=False))
    assert not await Groups(asked).join(G, "please")
    assert asked.facts == [(JoinGroup, G, "please")]


async def test_list_and_get_when_asked_then_the_groups() -> None:
    groups = Groups(Asked(GroupList((INFO,)), INFO))
    assert await groups.list() == (INFO,)
    assert await groups.get(G) == INFO


async def test_requests_when_asked_then_who_waits() -> None:
    waiting = JoinRequest(BOB, "Bob", "please", 7)
    assert await Groups(Asked(JoinRequestList((waiting,)))).requests(G) == (waiting,)


async def test_invitations_when_asked_then_what_is_open() -> None:
    invitation = Invitation(G, "小组", 3, BOB, "Bob", 7)
    assert await Groups(Asked(InvitationList((invitation,)))).invitations() == (invitation,)


async def test_members_when_several_pages_then_all() -> None:
    ann, bob = (Member(one, "x", "", Role.MEMBER, 0) for one in (ANN, BOB))
    asked = Asked(MemberList((ann,), more=True), MemberList((bob,), more=False))
    assert await Groups(asked).members(G) == (ann, bob)
    assert asked.facts == [(ListMembers, G, UserId(0), 200), (ListMembers, G, ANN, 200)]
