"""Cursors, lists, contacts and groups, as every storage keeps them."""

from __future__ import annotations

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    BOB,
    EVE,
    GROUP,
    GROUP_ID,
    NOW_MS,
    PHONE,
    ZOE,
    account,
    entry,
    in_group,
    put_group,
    put_member,
)

from tinyqq.model.conversation import Effect, PutJoinRequest, PutRelation
from tinyqq.model.friend import Contact
from tinyqq.model.group import GroupInfo, Invitation, JoinPolicy, JoinRequest, Member, Role
from tinyqq.model.ids import ConversationId, GroupId, Seq, UserId, direct_conversation
from tinyqq.model.message import Kind
from tinyqq.ports.storage import ACCOUNT_DEVICE, CursorRow
from tinyqq.storage.open import Storage

ANN_EVE = direct_conversation(ANN, EVE)


@pytest.fixture(autouse=True)
async def people(storage: Storage) -> None:
    everybody = [account(ANN, "Ann"), account(BOB, "Bob"), account(EVE, "Eve", is_bot=True)]
    await storage.accounts.create_accounts(everybody, [])


async def change(storage: Storage, conversation: ConversationId, *effects: Effect) -> None:
    """Write effects with the next entry."""
    head = (await storage.log_writer.load([conversation]))[conversation].head_seq
    notice = entry(head + 1, conversation, ordinal=0, kind=Kind.GROUP_CREATED)
    await storage.log_writer.append([notice], [(conversation, effect) for effect in effects])


async def list_for(storage: Storage, *users: UserId, conversation: ConversationId) -> None:
    """Put a conversation into users' lists."""
    await storage.log_writer.ensure_listed([(user, conversation) for user in users])


# ---- cursors -------------------------------------------------------------------------------------


async def test_cursors_when_merged_then_each_keeps_its_larger_value(storage: Storage) -> None:
    first = CursorRow(ANN, PHONE, ANN_BOB, Seq(5), Seq(3))
    await storage.conversations.merge_cursors([first])
    await storage.conversations.merge_cursors(
        [first._replace(delivered_seq=Seq(4), read_seq=Seq(4))]
    )
    merged = await storage.conversations.read_cursor(ANN, PHONE, ANN_BOB)
    assert merged == first._replace(read_seq=Seq(4))


async def test_cursors_when_many_are_merged_at_once_then_all_are_kept(storage: Storage) -> None:
    rows = [
        CursorRow(ANN, PHONE, ANN_BOB, Seq(1), Seq(1)),
        CursorRow(ANN, ACCOUNT_DEVICE, ANN_BOB, Seq(2), Seq(1)),
        CursorRow(ANN, PHONE, ANN_OWN, Seq(3), Seq(0)),
        CursorRow(ANN, PHONE, ANN_BOB, Seq(0), Seq(9)),
    ]
    await storage.conversations.merge_cursors(rows)
    read = storage.conversations.read_cursor
    assert await read(ANN, PHONE, ANN_BOB) == rows[0]._replace(read_seq=Seq(9))
    assert await read(ANN, ACCOUNT_DEVICE, ANN_BOB) == rows[1]
    assert await read(ANN, PHONE, ANN_OWN) == rows[2]


async def test_cursors_when_never_written_then_none(storage: Storage) -> None:
    await storage.conversations.merge_cursors([])
    assert await storage.conversations.read_cursor(ANN, PHONE, ANN_BOB) is None


# ---- contacts ------------------------------------------------------------------------------------


async def test_contacts_when_of_every_sort_then_all_but_the_indifferent(storage: Storage) -> None:
    friend = PutRelation(ANN, is_friend=True)
    await change(storage, ANN_BOB, friend, PutRelation(BOB, is_friend=True))
    asked = PutRelation(EVE, requested_at_ms=7, note="it's me")
    await change(storage, ANN_EVE, asked)
    await change(storage, direct_conversation(ANN, ZOE), PutRelation(ANN), PutRelation(ZOE))
    for other in (BOB, EVE, ZOE):
        await list_for(storage, ANN, other, conversation=direct_conversation(ANN, other))
    await storage.conversations.set_remark(ANN, ANN_BOB, "Bobby")
    await storage.accounts.update_account(BOB, avatar="ab")
    assert await storage.conversations.list_contacts(ANN) == (
        Contact(BOB, "Bob", "Bobby", is_friend=True, avatar="ab"),
        Contact(EVE, "Eve", request_received_at_ms=7, note="it's me", is_bot=True),
    )


async def test_contacts_when_one_has_asked_then_both_lists_tell_it(storage: Storage) -> None:
    await change(storage, ANN_BOB, PutRelation(ANN, requested_at_ms=7, note="hi"))
    await list_for(storage, ANN, BOB, conversation=ANN_BOB)
    [mine] = await storage.conversations.list_contacts(ANN)
    [theirs] = await storage.conversations.list_contacts(BOB)
    assert (mine.request_sent_at_ms, mine.request_received_at_ms, mine.note) == (7, 0, "hi")
    assert (theirs.request_sent_at_ms, theirs.request_received_at_ms, theirs.note) == (0, 7, "hi")


async def test_contacts_when_blocked_by_the_other_then_not_told(storage: Storage) -> None:
    await change(storage, ANN_BOB, PutRelation(BOB, is_blocked=True))
    await list_for(storage, ANN, BOB, conversation=ANN_BOB)
    assert await storage.conversations.list_contacts(ANN) == ()
    [theirs] = await storage.conversations.list_contacts(BOB)
    assert theirs.is_blocked


async def test_contact_when_one_is_asked_for_then_as_in_the_list(storage: Storage) -> None:
    await change(storage, ANN_BOB, PutRelation(ANN, is_friend=True), PutRelation(BOB))
    await list_for(storage, ANN, BOB, conversation=ANN_BOB)
    [listed] = await storage.conversations.list_contacts(ANN)
    assert await storage.conversations.find_contact(ANN, BOB) == listed
    assert await storage.conversations.find_contact(ANN, EVE) is None
    assert await storage.conversations.find_contact(BOB, ANN) is None


async def test_friend_ids_when_some_are_friends_then_those_ascending(storage: Storage) -> None:
    for other, is_friend in ((EVE, True), (BOB, True), (ZOE, False)):
        conversation = direct_conversation(ANN, other)
        await change(storage, conversation, PutRelation(ANN, is_friend=is_friend))
        await list_for(storage, ANN, other, conversation=conversation)
    assert await storage.conversations.list_friend_ids(ANN) == (BOB, EVE)
    assert await storage.conversations.list_friend_ids(BOB) == ()


async def test_remark_when_the_line_is_not_there_then_no_effect(storage: Storage) -> None:
    await storage.conversations.set_remark(ANN, ANN_BOB, "Bobby")
    await change(storage, ANN_BOB, PutRelation(ANN, is_friend=True))
    await list_for(storage, ANN, conversation=ANN_BOB)
    [contact] = await storage.conversations.list_contacts(ANN)
    assert contact.remark == ""


# ---- groups --------------------------------------------------------------------------------------


@pytest.fixture
async def group(storage: Storage, people: None) -> Storage:
    """Ann's group, in which Bob is an admin and from which Eve has gone."""
    await change(
        storage,
        GROUP,
        put_group(),
        put_member(ANN, role=Role.OWNER),
        put_member(BOB, role=Role.ADMIN),
        put_member(EVE, 1, 1),
    )
    await list_for(storage, ANN, BOB, EVE, conversation=GROUP)
    return storage


def info(role: Role) -> GroupInfo:
    """The group, as somebody of that role sees it."""
    return GroupInfo(
        GROUP_ID,
        "Friends",
        JoinPolicy.OPEN,
        announcement="welcome",
        members=2,
        member_limit=100,
        created_at_ms=NOW_MS,
        owner_id=ANN,
        role=role,
    )


async def test_group_when_seen_by_different_people_then_with_their_own_role(
    group: Storage,
) -> None:
    find = group.conversations.find_group
    assert await find(GROUP_ID, ANN) == info(Role.OWNER)
    assert await find(GROUP_ID, BOB) == info(Role.ADMIN)
    assert await find(GROUP_ID, EVE) == await find(GROUP_ID, ZOE) == info(Role.UNSPECIFIED)


async def test_group_when_there_is_none_then_none(storage: Storage) -> None:
    assert await storage.conversations.find_group(GROUP_ID, ANN) is None


async def test_groups_when_listed_then_only_where_one_is_a_member(group: Storage) -> None:
    assert await group.conversations.list_group_ids(BOB) == (GROUP_ID,)
    assert await group.conversations.list_groups(BOB) == (info(Role.ADMIN),)
    assert await group.conversations.list_group_ids(EVE) == ()
    assert await group.conversations.list_groups(EVE) == ()


async def test_groups_when_several_then_by_number(group: Storage) -> None:
    other = ConversationId(10_005)
    await change(group, other, put_group(), put_member(BOB))
    await list_for(group, BOB, conversation=other)
    assert await group.conversations.list_group_ids(BOB) == (GroupId(10_005), GROUP_ID)
    found = await group.conversations.list_groups(BOB)
    assert [one.group_id for one in found] == [GroupId(10_005), GROUP_ID]


async def test_groups_when_dismissed_then_found_but_no_longer_listed(group: Storage) -> None:
    gone = (put_member(ANN, 1, 2), put_member(BOB, 1, 2))
    await change(group, GROUP, put_group(dismissed_seq=2), *gone)
    assert await group.conversations.list_group_ids(ANN) == ()
    found = await group.conversations.find_group(GROUP_ID, ANN)
    assert found is not None
    assert (found.dismissed, found.members, found.owner_id, found.role) == (True, 0, 0, 0)


async def test_member_ids_when_asked_for_then_with_the_entry_they_include(group: Storage) -> None:
    assert await group.conversations.list_member_ids(GROUP_ID) == ((ANN, BOB), 1)
    joined = entry(2, GROUP, kind=Kind.MEMBER_JOINED)
    await group.log_writer.append([joined, entry(3, GROUP)], in_group(put_member(ZOE, 2)))
    assert await group.conversations.list_member_ids(GROUP_ID) == ((ANN, BOB, ZOE), 2)


async def test_member_ids_when_there_is_no_group_then_empty(storage: Storage) -> None:
    assert await storage.conversations.list_member_ids(GROUP_ID) == ((), 0)


async def test_members_when_paged_then_every_present_one_once(group: Storage) -> None:
    await change(group, GROUP, put_member(ZOE, 2))
    await group.accounts.update_account(ANN, avatar="ab")
    first = await group.conversations.list_members(GROUP_ID, UserId(0), 2)
    assert first.more
    assert first.members[0] == Member(ANN, "Ann", "", Role.OWNER, NOW_MS, "ab")
    second = await group.conversations.list_members(GROUP_ID, first.members[-1].user_id, 2)
    assert ([one.user_id for one in second.members], second.more) == ([ZOE], False)
    assert second.members[0].nickname == ""


async def test_join_requests_when_several_then_the_oldest_first(group: Storage) -> None:
    waiting = (PutJoinRequest(ZOE, 9), PutJoinRequest(EVE, 8, "let me in", ANN))
    await change(group, GROUP, *waiting)
    assert await group.conversations.list_join_requests(GROUP_ID) == (
        JoinRequest(EVE, "Eve", "let me in", 8, ANN),
        JoinRequest(ZOE, "", "", 9),
    )


async def test_invitations_when_listed_then_the_latest_first_and_no_requests(
    storage: Storage,
) -> None:
    first, second, asked = (ConversationId(GROUP + one) for one in range(3))
    for at_ms, key in ((5, first), (7, second)):
        await change(
            storage, key, put_group(), put_member(ANN), PutJoinRequest(EVE, at_ms, "", ANN)
        )
    await change(storage, asked, put_group(), put_member(ANN), PutJoinRequest(EVE, 9))
    for key in (first, second, asked):
        await list_for(storage, EVE, conversation=key)
    found = await storage.conversations.list_invitations(EVE, 9)
    name = put_group().name
    assert found == (
        Invitation(GroupId(second), name, 1, ANN, "Ann", 7),
        Invitation(GroupId(first), name, 1, ANN, "Ann", 5),
    )
    assert await storage.conversations.list_invitations(EVE, 1) == found[:1]
    assert await storage.conversations.list_invitations(ANN, 9) == ()


async def test_groups_when_looked_for_then_by_number_or_name_whoever_asks(
    storage: Storage,
) -> None:
    await change(storage, GROUP, put_group(), put_member(ANN, role=Role.OWNER))
    [found] = await storage.conversations.search_groups("", GroupId(0), 9)
    assert (found.group_id, found.members, found.role) == (GROUP_ID, 1, Role.UNSPECIFIED)
    assert await storage.conversations.search_groups(found.name[1:].upper(), GroupId(0), 9)
    assert await storage.conversations.search_groups(str(GROUP_ID), GroupId(0), 9)
    assert not await storage.conversations.search_groups("nothing", GroupId(0), 9)
    assert not await storage.conversations.search_groups("", GROUP_ID, 9)


async def test_groups_when_looked_for_then_in_any_case_and_without_wildcards(
    storage: Storage,
) -> None:
    await change(storage, GROUP, put_group(name="Überall Привет 50%_/x"))
    for query in ("überall привет", "ÜBERALL ПРИВЕТ", "50%_/", "%", "_"):
        assert await storage.conversations.search_groups(query, GroupId(0), 9), query
    for query in ("50_", "/%", "Ü%П"):
        assert not await storage.conversations.search_groups(query, GroupId(0), 9), query
