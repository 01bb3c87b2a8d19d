"""The command itself."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tinyqq import __version__
from tinyqq.cli.main import app

COMMANDS = [
    "chat",
    "config",
    "demo",
    "doctor",
    "drain",
    "migrate",
    "nodes",
    "serve",
    "user",
    "version",
]


def test_version_when_asked_then_printed() -> None:
    assert __version__ in CliRunner().invoke(app, ["version"]).output


def test_help_when_asked_then_commands_and_exit_codes() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    assert [command for command in COMMANDS if command not in output] == []
    assert "Exit codes" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_when_asked_of_a_command_then_it_says_what_it_does(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output
