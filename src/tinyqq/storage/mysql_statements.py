"""The SQL of an append: literal text in which only integers and hexadecimal digits vary.

Nothing is escaped because nothing needs to be, and the text is made at a fraction of what binding
values costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import ClauseElement, Connection, Executable
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.mock import MockConnection

from tinyqq.model.message import Entry
from tinyqq.storage.database import Work

_INSERT: Final = (
    "INSERT INTO message (conversation_id, seq, ordinal, sender_id, client_message_id, sent_at_ms,"
    " kind, body, writer, writer_pos) VALUES "
)
_ROW: Final = "(%d,%d,%d,%d,X'%s',%d,%d,X'%s',%d,%d)"
_DIALECT: Final = mysql.dialect()

_ALL_OR_NOTHING: Final = (
    "BEGIN NOT ATOMIC"
    " DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;"
    " START TRANSACTION; {}; COMMIT; END"
)
_ONE_AFTER_THE_OTHER: Final = "START TRANSACTION; {}; COMMIT"


def insert_entries(entries: Sequence[Entry], *, writer: int, first_pos: int) -> str:
    """One INSERT of many rows, sorted by key: unsorted ones of two writers would deadlock.

    Args:
        writer: the number of who writes.
        first_pos: the position of the first row in all that this writer has written.

    Raises:
        TypeError, ValueError, AttributeError: a value is of the wrong type.
    """
    rows = [
        _ROW % (key, seq, ordinal, sender_id, send_id.hex(), at_ms, kind, body.hex(), writer, pos)
        for pos, (key, seq, ordinal, sender_id, send_id, at_ms, kind, body, _) in enumerate(
            sorted(entries), start=first_pos
        )
    ]
    return _INSERT + ",".join(rows)


def literal_statements(work: Work[None]) -> list[str]:
    """What *work* would execute, as texts without values to bind.

    Args:
        work: only executes statements and never looks at a result.

    Raises:
        TypeError, ValueError: a value cannot be written literally.
    """
    texts: list[str] = []

    def record(statement: Executable, rows: Sequence[dict[str, Any]]) -> None:
        assert isinstance(statement, ClauseElement)
        compiled = statement.compile(dialect=_DIALECT, column_keys=list(rows[0]))
        names = cast("mysql.base.MySQLCompiler", compiled).positiontup or ()
        for row in rows:
            values = compiled.construct_params(row) or {}
            texts.append(str(compiled) % tuple(literal(values[name]) for name in names))

    work(cast("Connection", MockConnection(_DIALECT, record)))
    return texts


def literal(value: object) -> str:
    """A value as SQL; text and bytes in hexadecimal digits.

    Raises:
        TypeError: a value of a type that no column has.
        ValueError: text that is not Unicode.
    """
    match value:
        case None:
            return "NULL"
        case int():
            return str(int(value))
        case str():
            return f"_utf8mb4 X'{value.encode().hex()}'"
        case bytes():
            return f"X'{value.hex()}'"
        case _:
            raise TypeError(f"no literal for {type(value).__name__}")


def one_transaction(statements: Sequence[str], *, is_mariadb: bool) -> str:
    """Several statements to be sent at once, of which all or none take effect.

    MariaDB rolls back by itself when one fails. MySQL stops there and leaves the transaction open:
    the connection has to be closed then.
    """
    frame = _ALL_OR_NOTHING if is_mariadb else _ONE_AFTER_THE_OTHER
    return frame.format("; ".join(statements))
