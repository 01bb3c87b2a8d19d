"""The schema says what the ports assume."""

from __future__ import annotations

import pytest
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from tinyqq.model.message import Entry
from tinyqq.storage.schema import message, metadata


def test_message_when_compared_with_entries_then_its_columns_come_in_their_order() -> None:
    stored = [name for name in Entry._fields if name != "through_seq"]
    assert [column.name for column in message.columns][: len(stored)] == stored


def test_message_when_made_then_its_keys_are_the_fence_and_the_operation() -> None:
    assert [column.name for column in message.primary_key] == ["conversation_id", "seq"]
    [unique] = [one for one in message.constraints if one.name == "uq_message_send"]
    assert [column.name for column in unique.columns] == [  # type: ignore[attr-defined]  # a UniqueConstraint has them
        "conversation_id",
        "sender_id",
        "client_message_id",
    ]


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_table_when_made_then_no_foreign_and_no_generated_keys(table: object) -> None:
    statement = str(CreateTable(table).compile(dialect=mysql.dialect()))  # type: ignore[arg-type]  # tables only
    assert "FOREIGN" not in statement
    assert "AUTO_INCREMENT" not in statement


def test_operation_ids_when_on_mysql_then_sixteen_bytes() -> None:
    statement = str(CreateTable(message).compile(dialect=mysql.dialect()))
    assert "client_message_id BINARY(16) NOT NULL" in statement
