"""Language, exit codes, and the last word."""

from __future__ import annotations

import pytest
import typer

from tinyqq.cli import console
from tinyqq.cli.console import ExitCode


def test_exit_codes_when_told_then_all_of_them() -> None:
    assert [code for code in ExitCode if f"{code.value} " not in console.EXIT_CODES] == []


def test_texts_when_the_language_is_set_then_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYQQ_LANG", "zh_CN")
    assert console.texts().language == "zh"


def test_fail_when_called_then_the_message_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        console.fail("broken", ExitCode.STORAGE)
    assert caught.value.exit_code == ExitCode.STORAGE
    assert capsys.readouterr().err == "broken\n"


def test_explain_when_something_brought_it_about_then_told_too() -> None:
    error = RuntimeError("cannot be reached")
    assert console.explain(error) == "cannot be reached"
    error.__cause__ = OSError("db1: refused")
    assert console.explain(error) == "cannot be reached (db1: refused)"
