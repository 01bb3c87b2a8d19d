"""What whoever asked is told."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tinyqq.errors import ErrorCode, Forbidden, Unavailable
from tinyqq.outcomes import outcome_of

EVENT = "part.call_failed"


async def give(value: int) -> int:
    return value


async def fail(error: Exception) -> int:
    raise error


async def hang() -> int:
    await asyncio.Event().wait()
    return 0


async def test_outcome_of_when_it_returns_then_the_result() -> None:
    assert await outcome_of(give(7), timeout_s=None, event=EVENT) == 7


async def test_outcome_of_when_a_rule_refuses_then_the_error() -> None:
    error = Forbidden(ErrorCode.BLOCKED)
    assert await outcome_of(fail(error), timeout_s=None, event=EVENT) is error


async def test_outcome_of_when_it_takes_too_long_then_timed_out() -> None:
    outcome = await outcome_of(hang(), timeout_s=0.001, event=EVENT)
    assert isinstance(outcome, Unavailable)
    assert outcome.code is ErrorCode.TIMED_OUT


async def test_outcome_of_when_something_breaks_then_internal_and_one_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcome = await outcome_of(fail(ZeroDivisionError("secret")), timeout_s=None, event=EVENT)
    assert isinstance(outcome, Unavailable)
    assert outcome.code is ErrorCode.INTERNAL
    assert "secret" not in str(outcome)
    assert [(one.levelno, one.message) for one in caplog.records] == [(logging.ERROR, EVENT)]


async def test_outcome_of_when_cancelled_then_cancelled() -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(outcome_of(hang(), timeout_s=None, event=EVENT))
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
