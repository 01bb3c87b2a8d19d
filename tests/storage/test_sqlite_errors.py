"""Which errors end a process, and what the others become."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, InvalidRequestError, OperationalError

from tinyqq.errors import Conflict, ErrorCode, TinyQQError, Unavailable
from tinyqq.storage.sqlite_errors import driver_error, is_fatal, is_taken, translating


def coded(code: int) -> sqlite3.OperationalError:
    """An error as the driver raises it."""
    error = sqlite3.OperationalError("as the driver says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
    ],
)
def test_error_when_the_file_is_in_doubt_then_fatal(code: int) -> None:
    assert is_fatal(coded(code))


def test_error_when_a_unique_key_was_taken_then_told_from_other_constraints() -> None:
    assert is_taken(coded(sqlite3.SQLITE_CONSTRAINT_UNIQUE))
    assert is_taken(coded(sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY))
    assert not is_taken(coded(sqlite3.SQLITE_CONSTRAINT_NOTNULL))
    assert not is_taken(ValueError())


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_ERROR]
)
def test_error_when_only_the_statement_failed_then_not_fatal(code: int) -> None:
    assert not is_fatal(coded(code))


def test_error_when_it_has_no_code_then_not_fatal() -> None:
    assert not is_fatal(sqlite3.InterfaceError("of the driver itself"))


def test_driver_error_when_wrapped_then_found_inside() -> None:
    inner = coded(sqlite3.SQLITE_BUSY)
    assert driver_error(OperationalError("SELECT", None, inner)) is inner
    assert driver_error(inner) is inner
    assert driver_error(OperationalError("SELECT", None, ValueError())) is None
    assert driver_error(KeyError("ours")) is None


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (sqlite3.IntegrityError("UNIQUE"), Conflict),
        (IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE")), Conflict),
        (coded(sqlite3.SQLITE_BUSY), Unavailable),
        (OperationalError("SELECT", None, coded(sqlite3.SQLITE_BUSY)), Unavailable),
        (InvalidRequestError("of SQLAlchemy itself"), Unavailable),
        (PermissionError(13, "Permission denied"), Unavailable),
    ],
)
def test_translating_when_the_database_fails_then_one_of_ours_with_the_cause(
    error: Exception, known: type[TinyQQError]
) -> None:
    with pytest.raises(known) as caught, translating():
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [KeyError("a bug"), Conflict(ErrorCode.CONFLICT)])
def test_translating_when_it_is_not_the_database_s_then_untouched(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, translating():
        raise error
    assert caught.value is error
