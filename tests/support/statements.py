"""Which statements a piece of work sends, and how SQLite runs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event


@dataclass
class Statements:
    """What was sent, with its parameters."""

    sent: list[tuple[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sent)


@contextmanager
def recorded(conn: Connection) -> Iterator[Statements]:
    """Write down what is sent over *conn* inside the block."""
    statements = Statements()

    def note(_conn: Connection, _cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        statements.sent.append((sql, parameters))

    event.listen(conn, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(conn, "before_cursor_execute", note)


def table_scans(conn: Connection, statements: Statements) -> list[str]:
    """The steps in which a table is read from end to end (values handed in are no table)."""
    return [
        step
        for sql, parameters in statements.sent
        for *_, step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
        if step.startswith("SCAN") and "VIRTUAL TABLE" not in step
    ]
