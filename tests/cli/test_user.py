"""Accounts from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app


@pytest.fixture(autouse=True)
def _cheap_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")
    monkeypatch.setenv("TINYQQ_ACCOUNTS__ARGON2_MEMORY_KIB", "8")


def user(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["user", *arguments], input=typed)


def test_add_when_without_password_then_one_is_made_and_shown() -> None:
    result = user("add", "小明")
    assert result.exit_code == 0
    assert "Made 10001 (小明)." in result.output
    assert "Its password, shown this once: " in result.output


def test_add_when_a_bot_then_a_token_instead_of_a_password() -> None:
    result = user("add", "echo", "--bot")
    assert "token" in result.output
    assert "password" not in result.output


def test_add_when_the_password_is_weak_then_refused() -> None:
    result = user("add", "小明", "--password", "123")
    assert result.exit_code == ExitCode.USAGE
    assert "WEAK_PASSWORD" in result.output


def test_list_when_there_are_accounts_then_one_line_each() -> None:
    user("add", "小明", "--admin")
    user("add", "echo", "--bot")
    assert user("list").output.splitlines() == ["10001  小明  admin", "10002  echo  bot"]


def test_list_when_there_are_none_then_it_says_so() -> None:
    assert "no accounts" in user("list").output


def test_passwd_when_asked_for_then_typed_twice() -> None:
    user("add", "小明")
    result = user("passwd", "10001", typed="correct horse\ncorrect horse\n")
    assert result.exit_code == 0
    assert "must be changed" in result.output


def test_disable_and_enable_when_done_then_listed_as_such() -> None:
    user("add", "小明")
    assert "10001 is disabled." in user("disable", "10001").output
    assert user("list").output.split() == ["10001", "小明", "disabled"]
    assert "10001 is enabled." in user("enable", "10001").output
    assert user("list").output.split() == ["10001", "小明"]


def test_disable_when_there_is_no_such_account_then_refused() -> None:
    result = user("disable", "10009")
    assert result.exit_code == ExitCode.FAILED
    assert "USER_NOT_FOUND" in result.output
