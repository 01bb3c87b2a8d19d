"""The text of an append."""

from __future__ import annotations

import re
from functools import partial

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    EVE,
    GROUP,
    NOW_MS,
    entry,
    in_group,
    put_group,
    put_member,
)

from tinyqq.model.conversation import DropJoinRequest, EraseEntry
from tinyqq.model.group import Role
from tinyqq.model.ids import OperationId, Seq
from tinyqq.model.message import Kind
from tinyqq.storage.effects import write_effects
from tinyqq.storage.mysql_statements import (
    insert_entries,
    literal,
    literal_statements,
    one_transaction,
)

SEND_ID = OperationId(bytes(range(16)))


def test_insert_when_made_then_rows_by_key_with_writer_and_position() -> None:
    entries = [entry(2, operation_id=SEND_ID, body=b"'\\"), entry(1, operation_id=SEND_ID)]
    text = insert_entries(entries, writer=7, first_pos=5)
    values = text.partition(" VALUES ")[2]
    send_id = SEND_ID.hex()
    assert values == (
        f"({ANN_BOB},1,1,{ANN},X'{send_id}',{NOW_MS + 1},1,X'68656c6c6f',7,5),"
        f"({ANN_BOB},2,2,{ANN},X'{send_id}',{NOW_MS + 2},1,X'275c',7,6)"
    )


def test_insert_when_made_then_never_over_a_row_that_is_there() -> None:
    text = insert_entries([entry(1), entry(1, ANN_OWN)], writer=1, first_pos=1)
    assert text.startswith("INSERT INTO message (")
    assert not re.search("IGNORE|REPLACE|DUPLICATE", text, re.IGNORECASE)


@pytest.mark.parametrize("broken", [{"body": None}, {"seq": "1"}, {"sender_id": object()}])
def test_insert_when_a_value_is_of_a_wrong_type_then_no_text(broken: dict[str, object]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        insert_entries([entry(1)._replace(**broken)], writer=1, first_pos=1)  # type: ignore[arg-type]  # broken on purpose


def test_effects_when_written_literally_then_one_statement_each_in_order() -> None:
    effects = in_group(
        put_group(name="o'r"), put_member(ANN, role=Role.OWNER), DropJoinRequest(EVE),
        EraseEntry(Seq(3)),
    )  # fmt: skip
    created = [entry(9, GROUP, kind=Kind.GROUP_CREATED)]
    texts = literal_statements(partial(write_effects, entries=created, effects=effects))
    assert [text.split()[0] for text in texts] == ["INSERT", "INSERT", "DELETE", "UPDATE", "UPDATE"]
    assert "_utf8mb4 X'6f2772'" in texts[0]
    assert "o'r" not in "".join(texts)
    assert texts[2].endswith(f"conversation_id = {GROUP} AND join_request.user_id = {EVE}")
    assert "SET members_seq=9" in texts[4]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "1"),
        (Role.OWNER, str(int(Role.OWNER))),
        (-(2**70), str(-(2**70))),
        ("", "_utf8mb4 X''"),
        ("é'\\%", "_utf8mb4 X'c3a9275c25'"),
        (b"\0'", "X'0027'"),
    ],
)
def test_literal_when_of_a_type_of_a_column_then_integers_and_hex(value: object, text: str) -> None:
    assert literal(value) == text


@pytest.mark.parametrize("value", [1.5, object(), "\ud800"])
def test_literal_when_of_another_type_then_an_error(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        literal(value)


def test_transaction_when_on_mariadb_then_it_rolls_back_by_itself() -> None:
    text = one_transaction(["A", "B"], is_mariadb=True)
    assert text.startswith("BEGIN NOT ATOMIC")
    assert "ROLLBACK; RESIGNAL; END; START TRANSACTION; A; B; COMMIT; END" in text


def test_transaction_when_on_mysql_then_the_statements_alone() -> None:
    assert one_transaction(["A", "B"], is_mariadb=False) == "START TRANSACTION; A; B; COMMIT"
