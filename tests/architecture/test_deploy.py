"""What the files in deploy/ name exists: settings, commands, flags, paths."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from tests.architecture.source_tree import ROOT

from tinyqq.app.nginx import Front, make_config
from tinyqq.app.settings import DrainSettings, LimitSettings, Settings
from tinyqq.app.sources import list_settings
from tinyqq.cli.main import load_command
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node

DEPLOY: Final = ROOT / "deploy"
FILES: Final = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
COMPOSE: Final = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
_VARIABLE: Final = re.compile(r"\bTINYQQ_[A-Z_]+")
_LINE: Final = re.compile(r"(?:^|[ /`])tinyqq ([a-z]+)((?: [^\n`#]*)?)", re.MULTILINE)
_FLAG: Final = re.compile(r"(?<=\s)(--[a-z-]+)")
COMPOSED: Final = [
    Node(
        UnitId(name), "1", frozenset({"proxy"}), "", "", "1",
        listen_tcp=f"tinyqq://{name}:7001", listen_http=f"http://{name}:7080",
    )
    for name in ("unit1", "unit2", "unit3")
]  # fmt: skip


def text_of(path: Path) -> str:
    """A file, with continued lines in one."""
    return path.read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_variables_when_named_then_they_are_settings(path: Path) -> None:
    known = {one.variable for one in list_settings()}
    assert set(_VARIABLE.findall(text_of(path))) - known == set()


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.toml")), ids=lambda path: path.name)
def test_toml_when_loaded_then_every_setting_is_right(path: Path) -> None:
    tree = tomllib.loads(path.read_text(encoding="utf-8"))
    tree["cluster"]["secret"] = "from the environment"
    assert Settings.model_validate(tree).registry.startswith("zookeeper://")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_commands_when_named_then_they_and_their_flags_exist(path: Path) -> None:
    for name, rest in _LINE.findall(text_of(path)):
        flags = {flag for one in load_command(name).params for flag in one.opts}
        assert set(_FLAG.findall(rest)) - flags == set(), name


def test_nginx_conf_when_made_again_then_the_same() -> None:
    """Of the units in compose.yaml, for an nginx that has ``stream`` built in."""
    made = make_config(COMPOSED, Front(tcp="7000", http="8080"))
    assert (DEPLOY / "nginx.conf").read_text(encoding="utf-8") == made
    assert re.findall(r"^  (unit\d):$", COMPOSE, re.MULTILINE) == [
        node.unit_id for node in COMPOSED
    ]


def test_compose_when_it_asks_for_variables_then_the_example_has_them() -> None:
    example = (DEPLOY / "example.env").read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE))
    assert wanted == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_dockerfile_when_it_copies_then_the_files_are_sent_to_it() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [
        word
        for line in lines
        if line.startswith("COPY") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert copied
    assert [word for word in copied if not (ROOT / word).exists() or f"!{word}" not in sent] == []


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("systemd/tinyqq@.service", r"TimeoutStopSec=(\d+)"),
        ("compose.yaml", r"stop_grace_period: (\d+)s"),
    ],
)
def test_stop_when_clients_must_leave_first_then_there_is_time(path: str, pattern: str) -> None:
    drain = DrainSettings()
    match = re.search(pattern, (DEPLOY / path).read_text(encoding="utf-8"))
    assert match is not None
    assert int(match.group(1)) > 2 * (drain.window_s + drain.grace_s)


def test_limit_nofile_when_the_node_is_full_then_there_is_room() -> None:
    unit = (DEPLOY / "systemd" / "tinyqq@.service").read_text(encoding="utf-8")
    match = re.search(r"LimitNOFILE=(\d+)", unit)
    assert match is not None
    assert int(match.group(1)) > LimitSettings().max_connections
