"""Structured logs: an event name and fields, for people on a terminal, as JSON everywhere else.

Modules log by the standard library: ``logger = logging.getLogger(__name__)`` and
``logger.info("session.opened", extra={"user_id": 10001})``. What belongs to every line of a piece
of work (connection, user, trace) is put round it once by :func:`log_context`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.types import EventDict, Processor

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

_QUIET: Final = ("aiohttp.access", "alembic", "sqlalchemy")
"""Libraries that narrate: heard from warnings upwards."""


def configure_logging(
    *,
    log_format: LogFormat = "auto",
    level: LogLevel = "info",
    stream: TextIO | None = None,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Send every log line of this process to *stream* (default: stderr).

    A second call replaces the first. ``auto``: console on a terminal, JSON otherwise.

    Args:
        fields: put on every line, whichever thread or task logs it.
    """
    target = stream if stream is not None else sys.stderr
    console = log_format == "console" or (log_format == "auto" and target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(_formatter(fields or {}, console=console, colors=target.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def log_context(**fields: str | int) -> AbstractContextManager[None]:
    """Put *fields* on every line that is logged inside, in this task and those it starts."""
    return structlog.contextvars.bound_contextvars(**fields)


def _formatter(fields: Mapping[str, str], *, console: bool, colors: bool) -> logging.Formatter:
    def add_fields(_: Any, __: str, event: EventDict) -> EventDict:
        return {**fields, **event}

    shared: list[Processor] = [
        add_fields,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = (
        [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=colors, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
        if console
        else [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without locals: they hold passwords and tokens.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
