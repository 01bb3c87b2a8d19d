"""Numbers of errors, and what follows from them."""

from __future__ import annotations

import pytest
from asyncmy.errors import MySQLError, OperationalError
from sqlalchemy.exc import ArgumentError, DBAPIError

from tinyqq.errors import Conflict, ErrorCode, TinyQQError, Unavailable
from tinyqq.storage.mysql_errors import (
    CannotConnect,
    code_of,
    driver_error,
    is_refused,
    is_shard_away,
    is_taken,
    is_transient,
    is_unknown_variable,
    translating,
)


def error(code: int, state: str | None = None) -> MySQLError:
    """What the driver raises."""
    made = OperationalError(code, "words")
    made.sqlstate = state
    return made


def wrapped(code: int, *, is_lost: bool = False) -> DBAPIError:
    """The same out of SQLAlchemy."""
    return DBAPIError("SELECT", None, error(code), connection_invalidated=is_lost)


def translated(raised: Exception) -> TinyQQError:
    """What comes out at the edge."""
    with pytest.raises(TinyQQError) as caught, translating():
        raise raised
    assert caught.value.__cause__ is raised
    return caught.value


@pytest.mark.parametrize(
    ("code", "away"), [(1429, True), (12701, True), (1159, True), (2013, False)]
)
def test_shard_away_when_spider_says_so_then_only_then(code: int, away: bool) -> None:
    assert is_shard_away(error(code)) is away
    assert not is_refused(error(code, "HY000"))


@pytest.mark.parametrize(
    ("code", "state", "refused"),
    [
        (1062, "23000", True),
        (1213, "40001", True),
        (1205, "HY000", True),
        (1264, "22003", True),
        (1064, "42000", True),
        (1047, "08S01", False),
        (1180, "HY000", False),
        (1317, "70100", False),
        (1927, "70100", False),
        (2006, None, False),
        (2013, None, False),
    ],
)
def test_refused_when_the_server_said_no_then_only_then(
    code: int, state: str | None, refused: bool
) -> None:
    assert is_refused(error(code, state)) is refused


@pytest.mark.parametrize("raised", [TimeoutError(), OSError(), ValueError()])
def test_refused_when_no_answer_came_then_not(raised: Exception) -> None:
    assert not is_refused(raised)
    assert (code_of(raised), driver_error(raised)) == (0, None)


@pytest.mark.parametrize("code", [1047, 1205, 1213, 2006, 2013])
def test_transient_when_it_passes_then_so(code: int) -> None:
    assert is_transient(wrapped(code))


def test_transient_when_lost_or_without_host_then_so() -> None:
    assert is_transient(wrapped(0, is_lost=True))
    assert is_transient(CannotConnect())


@pytest.mark.parametrize("code", [1062, 1064, 1146, 1264])
def test_transient_when_it_would_come_back_then_not(code: int) -> None:
    assert not is_transient(wrapped(code))


def test_taken_when_a_key_was_then_only_then() -> None:
    assert is_taken(error(1062))
    assert not is_taken(error(1048))
    assert not is_taken(TimeoutError())


def test_unknown_variable_when_the_server_has_none_then_told() -> None:
    assert is_unknown_variable(error(1193))
    assert not is_unknown_variable(error(1064))


def test_translating_when_a_key_was_taken_then_conflict() -> None:
    assert isinstance(translated(wrapped(1062)), Conflict)


def test_translating_when_no_answer_in_time_then_unavailable() -> None:
    assert translated(TimeoutError()).code is ErrorCode.TIMED_OUT


@pytest.mark.parametrize(
    "raised", [wrapped(1146), error(1045), CannotConnect(), OSError(), ArgumentError()]
)
def test_translating_when_anything_else_of_the_database_then_unavailable(raised: Exception) -> None:
    made = translated(raised)
    assert isinstance(made, Unavailable)
    assert made.retry_after_s > 0
    assert "words" not in str(made)


def test_translating_when_it_is_somebody_elses_then_it_passes() -> None:
    with pytest.raises(ValueError, match="mine"), translating():
        raise ValueError("mine")
