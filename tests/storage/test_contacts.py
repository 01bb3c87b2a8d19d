"""Contacts cost the same number of statements for one and for hundreds."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from tests.support.logs import ANN, ANN_BOB, BOB, GROUP, account
from tests.support.statements import recorded, table_scans
from tests.support.storage_rows import put_on_list, store_accounts

from tinyqq.model.conversation import PutRelation
from tinyqq.model.friend import Contact
from tinyqq.model.ids import UserId, direct_conversation
from tinyqq.storage.contacts import find_contact, list_contacts, list_friend_ids
from tinyqq.storage.effects import write_effects


def befriend(conn: Connection, *others: UserId) -> None:
    """Ann's friends, all with accounts."""
    for other in others:
        key = direct_conversation(ANN, other)
        store_accounts(conn, account(other))
        put_on_list(conn, ANN, key)
        write_effects(conn, [], [(key, PutRelation(ANN, is_friend=True))])


@pytest.mark.parametrize("number", [1, 200])
def test_contacts_when_there_are_many_then_two_statements_by_their_keys(
    conn: Connection, number: int
) -> None:
    befriend(conn, *(UserId(20_000 + one) for one in range(number)))
    with recorded(conn) as statements:
        contacts = list_contacts(conn, ANN)
    assert [one.user_id for one in contacts] == list(range(20_000, 20_000 + number))
    assert len(statements) == 2
    assert table_scans(conn, statements) == []


def test_contact_when_there_are_many_then_that_one_by_its_keys(conn: Connection) -> None:
    befriend(conn, BOB, *(UserId(20_000 + one) for one in range(20)))
    with recorded(conn) as statements:
        assert find_contact(conn, ANN, BOB) == Contact(BOB, f"user {BOB}", is_friend=True)
    assert len(statements) == 2
    assert table_scans(conn, statements) == []
    assert find_contact(conn, ANN, UserId(30_000)) is None


def test_contacts_when_the_list_holds_a_group_then_it_is_no_contact(conn: Connection) -> None:
    befriend(conn, BOB)
    put_on_list(conn, ANN, GROUP)
    assert list_contacts(conn, ANN) == (Contact(BOB, f"user {BOB}", is_friend=True),)


def test_friend_ids_when_asked_for_then_one_statement_by_the_key(conn: Connection) -> None:
    befriend(conn, BOB)
    write_effects(conn, [], [(ANN_BOB, PutRelation(BOB, is_friend=False))])
    with recorded(conn) as statements:
        assert list_friend_ids(conn, ANN) == (BOB,)
    assert len(statements) == 1
    assert table_scans(conn, statements) == []
