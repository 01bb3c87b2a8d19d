"""Flags into settings, and endings with a message."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from tinyqq.app.settings import Settings
from tinyqq.cli import options
from tinyqq.cli.console import ExitCode
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unavailable


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_load_when_set_is_used_then_over_the_flag() -> None:
    loaded = options.load(None, {"listen.tcp_port": 1}, ["listen.tcp_port = 2"])
    assert loaded.settings.listen.tcp_port == 2


def test_load_when_set_is_not_a_pair_then_a_wrong_command_line() -> None:
    with pytest.raises(typer.BadParameter):
        options.load(None, {}, ["listen.tcp_port"])


def test_load_when_the_settings_are_wrong_then_it_ends_with_the_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit) as caught:
        options.load(None, {"listen.tcp_port": 70_000})
    assert caught.value.exit_code == ExitCode.SETTINGS
    assert "listen.tcp_port (flag)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "part"),
    [
        (Unavailable(ErrorCode.UNAVAILABLE, lock_file="x"), ExitCode.IN_USE, "--data-dir"),
        (Unavailable(ErrorCode.BUSY), ExitCode.STORAGE, "BUSY"),
        (Unavailable(ErrorCode.UNAVAILABLE, registry="zk:2181"), ExitCode.STORAGE, "zk:2181"),
        (Unavailable(ErrorCode.UNAVAILABLE, address="[::1]:1"), ExitCode.PORT_TAKEN, "node_port"),
        (InvalidRequest(ErrorCode.INVALID_REQUEST, extra="presence"), ExitCode.SETTINGS, "pip"),
        (PermissionError(13, "Permission denied", "/srv/qq"), ExitCode.STORAGE, "/srv/qq"),
        (OSError("broken"), ExitCode.STORAGE, "broken"),
    ],
)
def test_fail_storage_when_something_is_wrong_then_what_and_where(
    error: TinyQQError | OSError, code: ExitCode, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught:
        options.fail_storage(error, Settings())
    assert caught.value.exit_code == code
    assert part in capsys.readouterr().err
