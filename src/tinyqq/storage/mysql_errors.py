"""What an error of MariaDB or MySQL means: nothing was written, try again, or who knows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from asyncmy.errors import MySQLError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tinyqq.errors import Conflict, ErrorCode, Unavailable

_RETRY_AFTER_S: Final = 1.0
_DUPLICATE_KEY: Final = 1062
_LOCK_WAIT_TIMEOUT: Final = 1205
_REFUSED_STATES: Final = ("22", "23", "40", "42")
"""Bad data, a constraint, rolled back (deadlock, lost certification), bad SQL or no permission."""
_UNKNOWN_VARIABLE: Final = 1193
_TRANSIENT: Final = frozenset(
    {
        1040,  # too many connections
        1047,  # a Galera node outside the primary component
        1053,  # shutting down
        1205,  # lock wait timeout
        1213,  # deadlock
        1290,  # read only
        1836,  # read only
        1927,  # connection killed
        2006,  # server has gone away
        2013,  # lost connection
        12701,  # Spider: a connection to a shard was lost since it was used last
    }
)
_SHARD_AWAY: Final = frozenset(
    {
        1158,  # cannot read from it
        1159,  # no answer in time
        1160,  # cannot write to it
        1161,  # cannot write to it in time
        1429,  # cannot connect to it
        12701,  # it has gone away
    }
)


class CannotConnect(Exception):
    """No host can be used now; nothing was sent."""


def driver_error(error: BaseException) -> MySQLError | None:
    """The driver's own error, also out of SQLAlchemy's wrapping; ``None`` for any other error."""
    if isinstance(error, DBAPIError):
        return error.orig if isinstance(error.orig, MySQLError) else None
    return error if isinstance(error, MySQLError) else None


def code_of(error: BaseException) -> int:
    """The server's number of an error; 0: it has none."""
    cause = driver_error(error)
    code = cause.args[0] if cause is not None and cause.args else 0
    return code if isinstance(code, int) else 0


def is_refused(error: BaseException) -> bool:
    """Whether the server has answered that nothing is written.

    Everything else (a lost connection, a killed query, an error in the middle of a commit) leaves
    the outcome open, also where it most likely failed.
    """
    cause = driver_error(error)
    state = str(getattr(cause, "sqlstate", None) or "")
    return code_of(error) == _LOCK_WAIT_TIMEOUT or state.startswith(_REFUSED_STATES)


def is_taken(error: BaseException) -> bool:
    """Whether a unique key was taken."""
    return code_of(error) == _DUPLICATE_KEY


def is_transient(error: BaseException) -> bool:
    """Whether the same may succeed in a moment, given that it left nothing behind."""
    if isinstance(error, CannotConnect):
        return True
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_lost or code_of(error) in _TRANSIENT


def is_shard_away(error: BaseException) -> bool:
    """Whether the host that was asked is well, and a server behind it is not."""
    return code_of(error) in _SHARD_AWAY


def is_unknown_variable(error: BaseException) -> bool:
    """Whether the server does not have the variable that was to be set."""
    return code_of(error) == _UNKNOWN_VARIABLE


@contextlib.contextmanager
def translating() -> Iterator[None]:
    """The edge of the adapter: errors of the driver and of SQLAlchemy end here.

    Raises:
        Conflict: a unique key was taken.
        Unavailable: every other failure of the database, or no answer in time.
    """
    try:
        yield
    except TimeoutError as error:
        raise Unavailable(ErrorCode.TIMED_OUT, retry_after_s=_RETRY_AFTER_S) from error
    except (CannotConnect, OSError) as error:
        raise unreachable() from error
    except Exception as error:
        if is_taken(error):
            raise Conflict(ErrorCode.CONFLICT) from error
        if driver_error(error) is not None or isinstance(error, SQLAlchemyError):
            raise Unavailable(
                ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, database_error=code_of(error)
            ) from error
        raise


def unreachable() -> Unavailable:
    """What callers hear while no host can be used."""
    return Unavailable(
        ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, reason="the database cannot be reached"
    )
