"""What an error of SQLite means for the process: refused, try again, or the end."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tinyqq.errors import Conflict, ErrorCode, Unavailable

_RETRY_AFTER_S: Final = 1.0
_TAKEN: Final = (sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE)
_FATAL: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
    }
)


def driver_error(error: Exception) -> sqlite3.Error | None:
    """The driver's own error, also out of SQLAlchemy's wrapping; ``None`` for any other error."""
    if isinstance(error, DBAPIError):
        return error.orig if isinstance(error.orig, sqlite3.Error) else None
    return error if isinstance(error, sqlite3.Error) else None


def is_fatal(error: sqlite3.Error) -> bool:
    """Whether a writer must not go on.

    After a failed fsync nobody knows which pages are on disk (the kernel may have dropped them), so
    the only safe thing is to end and to recover from the file at the next start.
    """
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _FATAL


def is_taken(error: Exception) -> bool:
    """Whether a unique key was taken."""
    return getattr(driver_error(error), "sqlite_errorcode", 0) in _TAKEN


@contextlib.contextmanager
def translating() -> Iterator[None]:
    """The edge of the adapter: errors of the driver and of SQLAlchemy end here.

    Raises:
        Conflict: a unique key was taken.
        Unavailable: every other failure of the database or of its file.
    """
    try:
        yield
    except OSError as error:
        raise Unavailable(ErrorCode.UNAVAILABLE, reason=error.strerror or "file") from error
    except Exception as error:
        cause = driver_error(error)
        if isinstance(cause, sqlite3.IntegrityError):
            raise Conflict(ErrorCode.CONFLICT) from error
        if cause is not None or isinstance(error, SQLAlchemyError):
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S) from error
        raise
