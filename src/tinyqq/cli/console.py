"""How commands speak and end: the language, the exit codes, the last word."""

from __future__ import annotations

import locale
import os
from enum import IntEnum
from typing import NoReturn

import typer

from tinyqq.cli.texts import Texts, choose_language


class ExitCode(IntEnum):
    """What a command ends with. 2 is also what a wrong command line ends with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SETTINGS = 3
    PORT_TAKEN = 4
    STORAGE = 5
    IN_USE = 6


EXIT_CODES = (
    "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 wrong settings, 4 port taken, "
    "5 database failed, 6 data folder in use, 74 disk failed."
)


def texts() -> Texts:
    """The texts in the language of whoever runs the command."""
    return Texts(choose_language(os.environ, locale.getlocale()[0] or ""))


def fail(message: str, code: ExitCode = ExitCode.FAILED) -> NoReturn:
    """Say what is wrong, on stderr, and end."""
    typer.secho(message, err=True, fg=typer.colors.RED)
    raise typer.Exit(code)


def explain(error: Exception) -> str:
    """An error, and what brought it about: clients are not told, operators are."""
    cause = error.__cause__
    return f"{error} ({cause})" if cause and str(cause) else str(error)
