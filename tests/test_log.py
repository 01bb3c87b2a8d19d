"""Logs: fields, context and both formats."""

from __future__ import annotations

import io
import json
import logging
import threading
from typing import Any

import pytest
from tests.support.root_logger import same_logging

from tinyqq.log import LogFormat, LogLevel, configure_logging, log_context

logger = logging.getLogger("tinyqq.example")


__all__ = ["same_logging"]

pytestmark = pytest.mark.usefixtures("same_logging")


def configured(level: LogLevel = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(log_format="auto", level=level, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_log_when_not_a_terminal_then_one_json_object_per_line() -> None:
    stream = configured()
    logger.info("session.opened", extra={"user_id": 10001, "nickname": "小明"})
    (line,) = lines(stream)
    assert line.pop("timestamp")
    assert line == {
        "event": "session.opened",
        "level": "info",
        "logger": "tinyqq.example",
        "user_id": 10001,
        "nickname": "小明",
    }
    assert "小明" in stream.getvalue()


def test_log_when_inside_a_context_then_its_fields_are_on_the_line() -> None:
    stream = configured()
    with log_context(conn=7, user=10001):
        logger.info("inside")
    logger.info("outside")
    inside, outside = lines(stream)
    assert (inside["conn"], inside["user"]) == (7, 10001)
    assert "conn" not in outside


def test_log_when_fields_are_given_then_on_every_line_of_every_thread() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, fields={"here": "unit-1"})
    other = threading.Thread(target=logger.info, args=("elsewhere",))
    other.start()
    other.join()
    logger.info("told", extra={"here": "nearer"})
    assert [line["here"] for line in lines(stream)] == ["unit-1", "nearer"]


def test_log_when_below_the_level_then_nothing_is_written() -> None:
    stream = configured("warning")
    logger.info("quiet")
    logger.warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_log_when_there_is_an_exception_then_it_is_in_the_line() -> None:
    stream = configured()
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("task.failed")
    (line,) = lines(stream)
    assert line["exception"][0]["exc_value"] == "broken"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_log_when_there_is_an_exception_then_local_variables_stay_out(
    log_format: LogFormat,
) -> None:
    stream = io.StringIO()
    configure_logging(log_format=log_format, stream=stream)
    secret = "hunter-" + str(2)
    try:
        int(secret[:6])
    except ValueError:
        logger.exception("task.failed")
    assert "ValueError" in stream.getvalue()
    assert secret not in stream.getvalue()


def test_log_when_console_then_event_and_fields_are_readable() -> None:
    stream = io.StringIO()
    configure_logging(log_format="console", stream=stream)
    logger.info("server.started", extra={"port": 7001})
    assert "server.started" in stream.getvalue()
    assert "port=7001" in stream.getvalue()


def test_configure_when_called_twice_then_lines_are_written_once() -> None:
    configured()
    stream = configured()
    logger.info("once")
    assert len(lines(stream)) == 1
