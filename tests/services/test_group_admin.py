"""What an operator does with groups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.lane_fixtures import operation_id
from tests.support.worlds import ANN, BOB, EVE, World, caller, code_of, open_world

from tinyqq.errors import ErrorCode
from tinyqq.model.group import CreateGroup, JoinGroup, JoinPolicy
from tinyqq.model.ids import GroupId, UserId, group_conversation
from tinyqq.model.message import Kind
from tinyqq.services.group_admin import GroupAdmin


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


def admin_of(world: World) -> GroupAdmin:
    return GroupAdmin(lane=world.lane, conversations=world.storage.conversations)


async def create(world: World, name: str) -> GroupId:
    request = CreateGroup(operation_id(), name, JoinPolicy.OPEN)
    return (await world.groups().create_group(caller(ANN), request)).group_id


async def test_find_when_named_or_numbered_then_pages_by_number(world: World) -> None:
    first, second, third = [await create(world, name) for name in ("爬山", "Reading", "100% 读书")]
    admin = admin_of(world)

    async def find(query: str, after: int = 0, limit: int = 9) -> list[int]:
        found = await admin.find_groups(query, GroupId(after), limit)
        return [one.group_id for one in found]

    assert await find("") == [first, second, third]
    assert await find("", limit=2) == [first, second]
    assert await find("", after=first) == [second, third]
    assert await find("爬") == [first]
    assert await find("READ") == [second]
    assert await find("%") == [third]
    assert await find(str(second)) == [second]
    assert await find("9" * 30) == []


async def test_members_when_asked_by_a_stranger_then_told_all_the_same(world: World) -> None:
    group_id = await create(world, "Friends")
    await world.groups().join_group(caller(BOB), JoinGroup(operation_id(), group_id, ""))
    admin = admin_of(world)
    page = await admin.list_members(group_id, UserId(0), 1)
    assert ([one.user_id for one in page.members], page.more) == ([ANN], True)
    page = await admin.list_members(group_id, ANN, 1)
    assert ([one.user_id for one in page.members], page.more) == ([BOB], False)
    missing = admin.list_members(GroupId(99_999), UserId(0), 1)
    assert await code_of(missing) is ErrorCode.GROUP_NOT_FOUND


async def test_dismiss_when_not_a_member_then_the_group_ends_in_their_name(world: World) -> None:
    group_id = await create(world, "Friends")
    admin = admin_of(world)
    number = operation_id()
    await admin.dismiss(group_id, EVE, number)
    last = (await world.entries(ANN, group_conversation(group_id)))[-1]
    assert (last.kind, last.sender_id) == (Kind.GROUP_DISMISSED, EVE)
    await admin.dismiss(group_id, EVE, number)  # the same once more
    again = admin.dismiss(group_id, EVE, operation_id())
    assert await code_of(again) is ErrorCode.GROUP_DISMISSED
    [found] = await admin.find_groups("", GroupId(0), 9)
    assert found.dismissed
