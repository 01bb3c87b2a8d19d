"""What a node tells whoever started it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import cast

import pytest
from tests.support.root_logger import same_logging
from typer.testing import CliRunner

from tinyqq.app.build import App
from tinyqq.app.listening import OpenPort
from tinyqq.app.run import Ports
from tinyqq.app.settings import AccountSettings, Settings
from tinyqq.cli import serve
from tinyqq.cli.console import ExitCode
from tinyqq.cli.main import app as command
from tinyqq.cli.texts import Texts
from tinyqq.model.ids import UnitId
from tinyqq.ports.services import Services
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.services.admin import AccountAdmin
from tinyqq.storage.file_lock import FileLock

__all__ = ["same_logging"]

pytestmark = pytest.mark.usefixtures("same_logging")

FINGERPRINT = "AB:CD"


@pytest.fixture(autouse=True)
def _plain_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYQQ_LANG", "en")
    monkeypatch.delenv("MAKELEVEL", raising=False)


def node(host: str = "127.0.0.1", http_port: int = 7080, fingerprint: str = "") -> App:
    nobody = cast(Services, None), cast(AccountAdmin, None), UnitId("here"), MemoryRegistry()
    return App((host, 7001), (host, http_port), fingerprint, *nobody)


def told(
    app: App, capsys: pytest.CaptureFixture[str], *, moved: int = 0, registration: str = "open"
) -> str:
    settings = Settings(
        accounts=AccountSettings.model_validate({"registration": registration, "invite_code": "x"})
    )
    with socket.create_server(("127.0.0.1", 0)) as sock:
        ports = Ports(OpenPort(sock, moved), OpenPort(sock))
        serve.announce(app, ports, settings, Texts("en"))
    return capsys.readouterr().out


def test_announce_when_local_then_addresses_folder_and_no_warning(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = told(node(), capsys)
    for part in ("http://127.0.0.1:7080", "tinyqq://127.0.0.1:7001", str(tmp_path), "tinyqq chat"):
        assert part in output
    assert "Anybody" not in output
    assert "taken" not in output


def test_announce_when_a_port_moved_then_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Port 7001 is taken, using " in told(node(), capsys, moved=7001)


def test_announce_when_open_to_the_lan_then_it_warns(capsys: pytest.CaptureFixture[str]) -> None:
    output = told(node("0.0.0.0"), capsys)
    assert "Anybody who can reach 0.0.0.0" in output
    assert "not encrypted" in output
    assert "http://127.0.0.1:7080" in output


def test_announce_when_by_invitation_with_tls_then_no_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = told(node("0.0.0.0", fingerprint=FINGERPRINT), capsys, registration="invite")
    assert "Anybody" not in output
    assert "not encrypted" not in output
    assert FINGERPRINT in output


@pytest.mark.parametrize(
    ("app", "in_make", "expected"),
    [
        (node(), False, "tinyqq chat"),
        (node(), True, "make chat"),
        (node(http_port=7081), False, "tinyqq chat http://127.0.0.1:7081"),
        (node(http_port=7081), True, "make chat URL=http://127.0.0.1:7081"),
        (
            node(fingerprint=FINGERPRINT),
            False,
            "tinyqq chat https://127.0.0.1:7080 --fingerprint AB:CD",
        ),
        (
            node(fingerprint=FINGERPRINT),
            True,
            'make chat URL=https://127.0.0.1:7080 ARGS="--fingerprint AB:CD"',
        ),
    ],
)
def test_chat_command_when_told_then_it_can_be_typed_as_it_is(
    app: App, in_make: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_make:
        monkeypatch.setenv("MAKELEVEL", "1")
    assert serve.chat_command(app) == expected


def test_serve_when_a_chosen_port_is_taken_then_it_ends_with_the_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        result = CliRunner().invoke(command, ["serve", "--tcp-port", port, "--http-port", "0"])
    assert result.exit_code == ExitCode.PORT_TAKEN
    assert f"127.0.0.1:{port} is in use" in result.output


def test_serve_when_the_address_is_not_ours_then_it_ends_with_advice() -> None:
    result = CliRunner().invoke(command, ["serve", "--host", "192.0.2.1"])
    assert result.exit_code == ExitCode.FAILED
    assert "address of this machine" in result.output


def test_serve_when_the_data_folder_is_in_use_then_it_ends_with_advice(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with FileLock(tmp_path / "data" / "tinyqq.db.lock"):
        result = CliRunner().invoke(command, ["serve", "--tcp-port", "0", "--http-port", "0"])
    assert result.exit_code == ExitCode.IN_USE
    assert "--data-dir" in result.output


def test_serve_when_the_certificate_is_missing_then_wrong_settings() -> None:
    arguments = ["serve", "--tcp-port", "0", "--http-port", "0"]
    result = CliRunner().invoke(command, [*arguments, "--tls-cert", "a", "--tls-key", "b"])
    assert result.exit_code == ExitCode.SETTINGS


def test_serve_when_the_database_is_of_no_known_kind_then_database_failed() -> None:
    arguments = ["serve", "--tcp-port", "0", "--http-port", "0"]
    result = CliRunner().invoke(command, [*arguments, "--set", "database_url=oracle://x"])
    assert result.exit_code == ExitCode.STORAGE
