"""What one SQL says differently from another, for the stores that are written once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Select,
    Subquery,
    Table,
    TextClause,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

Row = Mapping[str, object]
Merge = Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[Any]]

SHARDED: Final = "is_sharded"
"""The execution option that tells :func:`is_sharded`."""
_ROWS: Final = "rows_json"
_IDS: Final = "ids_json"
_BINARIES: Final = "binaries"
_BINARY_BYTES: Final = 16


# ---- writing rows that may be there --------------------------------------------------------------


def put(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is taken, overwrite the named columns and leave others."""
    _upsert(conn, table, rows, lambda old, new: new)


def put_larger(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; where the primary key is taken, keep the larger value of each other column."""
    larger = func.greatest if _is_mysql(conn) else func.max
    _upsert(conn, table, rows, lambda old, new: larger(old, new))


def put_missing(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; those whose primary key is taken stay as they are."""
    if _is_mysql(conn):
        # Not IGNORE, which would also let truncated values pass.
        key = next(iter(table.primary_key))
        conn.execute(mysql.insert(table).on_duplicate_key_update({key.name: key}), rows)
    else:
        conn.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)


def _upsert(conn: Connection, table: Table, rows: Sequence[Row], merge: Merge) -> None:
    keys = {one.name for one in table.primary_key}
    names = [name for name in rows[0] if name not in keys]
    if _is_mysql(conn):
        theirs = mysql.insert(table)
        merged = {name: merge(table.c[name], theirs.inserted[name]) for name in names}
        conn.execute(theirs.on_duplicate_key_update(merged), rows)
    else:
        ours = sqlite.insert(table)
        merged = {name: merge(table.c[name], ours.excluded[name]) for name in names}
        conn.execute(ours.on_conflict_do_update(index_elements=list(keys), set_=merged), rows)


def _is_mysql(conn: Connection) -> bool:
    return conn.dialect.name == "mysql"


def is_sharded(conn: Connection) -> bool:
    """Whether tables by conversation lie on other servers, to which every part of a statement
    that cannot be handed over as a whole is a round trip."""
    return bool(conn.get_execution_options().get(SHARDED))


def by_key(statement: Select[Any], *tables: FromClause, key: str = "PRIMARY") -> Select[Any]:
    """The statement, with its tables joined in their order and rows of these looked up by a key.

    Where they lie on other servers the optimizer knows little of how many rows there are, and
    rather fetches a whole table that it takes for small.
    """
    for table in tables:
        statement = statement.with_hint(table, f"FORCE INDEX ({key})", "mysql")
    return statement.prefix_with("STRAIGHT_JOIN", dialect="mysql")


# ---- values handed in as a table -----------------------------------------------------------------


class _ByDialect(TextClause):
    """A text for SQLite that goes with another for MySQL; both bind the same values."""

    inherit_cache = True

    def __init__(self, sqlite_text: str, mysql_text: str) -> None:
        super().__init__(sqlite_text)
        self.in_mysql: Final = text(mysql_text)


@compiles(_ByDialect, "mysql")
def _say_in_mysql(element: _ByDialect, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.in_mysql, **kw)


def given_rows(*names: str, binary: str = "") -> Subquery:
    """Rows handed in with the statement (:func:`rows_argument`), as a table to join with.

    A bound value or two whatever their number: the statement stays the same, is compiled once, and
    no limit on bound values is met.

    Args:
        names: columns of whole numbers.
        binary: a last column, of 16 bytes in every row.
    """
    columns = [column(name, BigInteger) for name in names]
    extracted = [f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(names)]
    paths = [f"{name} BIGINT PATH '$[{place}]'" for place, name in enumerate(names)]
    taken = [*names]
    if binary:
        # JSON has no bytes: they come as one string of bytes, of which each row has its part.
        columns.append(column(binary, LargeBinary))  # type: ignore[arg-type]  # of another type
        part = f"substr(:{_BINARIES}, {{}} * {_BINARY_BYTES} + 1, {_BINARY_BYTES}) AS {binary}"
        extracted.append(part.format("key"))
        paths.append("place FOR ORDINALITY")
        taken.append(part.format("(place - 1)"))
    statement = _ByDialect(
        f"SELECT {', '.join(extracted)} FROM json_each(:{_ROWS})",
        f"SELECT {', '.join(taken)} FROM"
        f" JSON_TABLE(:{_ROWS}, '$[*]' COLUMNS ({', '.join(paths)})) AS given",
    )
    return statement.columns(*columns).subquery("given_rows")


def rows_argument(
    rows: Iterable[Sequence[int]], binaries: Iterable[bytes] = ()
) -> dict[str, str | bytes]:
    """The values of :func:`given_rows`, as arguments of ``execute``."""
    numbers = json.dumps([list(row) for row in rows], separators=(",", ":"))
    return {_ROWS: numbers, _BINARIES: b"".join(binaries)}


def given_ids() -> Select[Any]:
    """The same for one column, to be used with ``IN`` (:func:`ids_argument`)."""
    statement = _ByDialect(
        f"SELECT value AS id FROM json_each(:{_IDS})",
        f"SELECT id FROM JSON_TABLE(:{_IDS}, '$[*]' COLUMNS (id BIGINT PATH '$')) AS given",
    )
    return select(statement.columns(column("id", BigInteger)).subquery("given_ids").c.id)


def ids_argument(ids: Iterable[int]) -> dict[str, str]:
    """The value of :func:`given_ids`, as an argument of ``execute``."""
    return {_IDS: json.dumps(list(ids), separators=(",", ":"))}
