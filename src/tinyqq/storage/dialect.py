"""What one SQL says differently from another, for the stores that are written once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    String,
    Subquery,
    Table,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import sqlite

Row = Mapping[str, object]

_ROWS: Final = "rows_json"
_IDS: Final = "ids_json"
_BINARIES: Final = "binaries"
_BINARY_BYTES: Final = 16


def put(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is taken, overwrite the named columns and leave others."""
    statement = sqlite.insert(table)
    keys = {column.name for column in table.primary_key}
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    conn.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed), rows)


def put_larger(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is taken, keep the larger value of each other column."""
    statement = sqlite.insert(table)
    keys = {column.name for column in table.primary_key}
    merged = {
        name: func.max(table.c[name], statement.excluded[name])
        for name in rows[0]
        if name not in keys
    }
    conn.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=merged), rows)


def put_missing(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; those whose primary key is taken stay as they are."""
    conn.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def given_rows(*names: str, binary: str = "") -> Subquery:
    """Rows handed in with the statement (:func:`rows_argument`), as a table to join with.

    A bound value or two whatever their number: the statement stays the same, is compiled once, and
    no limit on bound values is met.

    Args:
        names: columns of whole numbers.
        binary: a last column, of 16 bytes in every row.
    """
    given = func.json_each(bindparam(_ROWS, type_=String)).table_valued(
        "key", "value", name="given"
    )
    columns: list[ColumnElement[Any]] = [
        func.json_extract(given.c.value, f"$[{place}]").label(name)
        for place, name in enumerate(names)
    ]
    if binary:
        # JSON has no bytes: they come as one string of bytes, of which each row has its part.
        start = given.c.key * _BINARY_BYTES + 1
        part = func.substr(bindparam(_BINARIES, type_=LargeBinary), start, _BINARY_BYTES)
        columns.append(part.label(binary))
    return select(*columns).subquery("given_rows")


def rows_argument(
    rows: Iterable[Sequence[int]], binaries: Iterable[bytes] = ()
) -> dict[str, str | bytes]:
    """The values of :func:`given_rows`, as arguments of ``execute``."""
    numbers = json.dumps([list(row) for row in rows], separators=(",", ":"))
    return {_ROWS: numbers, _BINARIES: b"".join(binaries)}


def given_ids() -> Select[Any]:
    """The same for one column, to be used with ``IN`` (:func:`ids_argument`)."""
    return select(func.json_each(bindparam(_IDS, type_=String)).table_valued("value").c.value)


def ids_argument(ids: Iterable[int]) -> dict[str, str]:
    """The value of :func:`given_ids`, as an argument of ``execute``."""
    return {_IDS: json.dumps(list(ids), separators=(",", ":"))}
