"""The command itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tinyqq import __version__
from tinyqq.cli.main import COMMANDS, app, load_command


def test_version_when_asked_then_printed() -> None:
    assert __version__ in CliRunner().invoke(app, ["version"]).output


def test_help_when_asked_then_commands_and_exit_codes() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    assert [command for command in (*COMMANDS, "version") if command not in output] == []
    assert "Exit codes" in output


@pytest.mark.parametrize("command", COMMANDS)
def test_help_when_asked_of_a_command_then_it_begins_as_the_list_of_all_has_it(
    command: str,
) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"Usage: tinyqq {command}" in result.output
    said = load_command(command).help.partition("\n\n")[0]
    assert " ".join(said.split()) == COMMANDS[command]


def test_command_when_there_is_none_of_that_name_then_told() -> None:
    result = CliRunner().invoke(app, ["nonsense"])
    assert result.exit_code == 2
    assert "nonsense" in result.output


@pytest.mark.parametrize(
    "statement",
    [
        "__import__('typer.testing').testing.CliRunner().invoke(main.app, ['--help'])",
        "main.load_command('nodes')",
        "main.load_command('down')",
    ],
)
def test_command_when_it_needs_no_server_then_none_is_loaded(statement: str) -> None:
    code = f"import sys; from tinyqq.cli import main; {statement}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=200
    ).stdout.split()
    assert "tinyqq.cli.main" in loaded
    assert {"sqlalchemy", "aiohttp", "grpc"}.isdisjoint(loaded)
