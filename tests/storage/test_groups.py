"""Groups are read by their keys, several at once."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from tests.support.logs import (
    ANN,
    BOB,
    EVE,
    GROUP,
    GROUP_ID,
    account,
    in_group,
    put_group,
    put_member,
)
from tests.support.statements import recorded, table_scans
from tests.support.storage_rows import put_on_list, store_accounts

from tinyqq.model.conversation import PutJoinRequest
from tinyqq.model.group import JoinRequest, Role
from tinyqq.model.ids import ConversationId, GroupId, UserId
from tinyqq.storage.effects import write_effects
from tinyqq.storage.groups import (
    find_groups,
    list_group_ids,
    list_invitations,
    list_join_requests,
    list_member_ids,
    list_members,
)


@pytest.mark.parametrize("number", [1, 200])
def test_groups_when_there_are_many_then_two_statements_by_their_keys(
    conn: Connection, number: int
) -> None:
    ids = [GroupId(20_000 + one) for one in range(number)]
    rows = (put_group(), put_member(ANN, role=Role.OWNER), put_member(BOB))
    write_effects(conn, [], [(ConversationId(key), row) for key in ids for row in rows])
    with recorded(conn) as statements:
        found = find_groups(conn, ids[::-1], BOB)
    assert [(one.group_id, one.members, one.owner_id, one.role) for one in found] == [
        (key, 2, ANN, Role.MEMBER) for key in ids
    ]
    assert len(statements) == 2
    assert table_scans(conn, statements) == []


def test_groups_when_listed_for_a_user_then_by_the_key(conn: Connection) -> None:
    write_effects(conn, [], in_group(put_group(), put_member(ANN)))
    put_on_list(conn, ANN, GROUP)
    with recorded(conn) as statements:
        assert list_group_ids(conn, ANN) == (GROUP_ID,)
    assert table_scans(conn, statements) == []


def test_members_when_listed_then_by_the_key(conn: Connection) -> None:
    write_effects(conn, [], in_group(put_group(), put_member(ANN), put_member(BOB, 1, 2)))
    store_accounts(conn, account(ANN, "Ann"))
    with recorded(conn) as statements:
        assert list_member_ids(conn, GROUP_ID) == ((ANN,), 0)
        page = list_members(conn, GROUP_ID, UserId(0), 5)
    assert [(one.user_id, one.nickname) for one in page.members] == [(ANN, "Ann")]
    assert table_scans(conn, statements) == []


def test_requests_when_listed_then_by_the_key(conn: Connection) -> None:
    write_effects(conn, [], in_group(PutJoinRequest(EVE, 5, "please")))
    with recorded(conn) as statements:
        assert list_join_requests(conn, GROUP_ID) == (JoinRequest(EVE, "", "please", 5),)
    assert table_scans(conn, statements) == []


def test_invitations_when_listed_then_by_the_key(conn: Connection) -> None:
    write_effects(conn, [], in_group(put_group(), PutJoinRequest(EVE, 5, "", ANN)))
    put_on_list(conn, EVE, GROUP)
    with recorded(conn) as statements:
        assert [one.group_id for one in list_invitations(conn, EVE, 9)] == [GROUP_ID]
    assert table_scans(conn, statements) == []
