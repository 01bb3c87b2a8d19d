"""What the settings commands print."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyqq.app.reference import render_reference
from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")


def test_show_when_values_come_from_everywhere_then_each_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("tinyqq.toml").write_text("[groups]\nmember_limit = 9\n", encoding="utf-8")
    monkeypatch.setenv("TINYQQ_DATA_DIR", "/srv/qq")
    result = CliRunner().invoke(app, ["config", "show", "--set", "helper.enabled=false"])
    lines = [line.split(maxsplit=2) for line in result.output.splitlines()]
    shown = {name: (value, origin) for name, value, origin in lines}
    assert shown["groups.member_limit"] == ("9", "file tinyqq.toml")
    assert shown["data_dir"] == ('"/srv/qq"', "environment TINYQQ_DATA_DIR")
    assert shown["helper.enabled"] == ("false", "flag")
    assert shown["listen.tcp_port"] == ("7001", "default")


def test_show_when_a_setting_is_unknown_then_an_exit_code_of_its_own() -> None:
    result = CliRunner().invoke(app, ["config", "show", "--set", "listen.prot=1"])
    assert result.exit_code == ExitCode.SETTINGS
    assert "'listen.tcp_port'" in result.output or "nearest" in result.output


def test_reference_when_asked_then_the_page() -> None:
    assert CliRunner().invoke(app, ["config", "reference"]).output == render_reference()
