"""What is shown of a cluster."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import get_args

import pytest

from tinyqq.cli.texts import Texts
from tinyqq.cli.up_texts import UP_TEXTS
from tinyqq.cli.up_view import UpView
from tinyqq.lab.cluster import Event, What
from tinyqq.lab.cluster_folder import ClusterFolder, ProcessState
from tinyqq.lab.cluster_plan import ClusterPlan, Layout, list_ports, make_plan


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterPlan:
    monkeypatch.chdir(tmp_path)
    layout = Layout(units=2)
    ports = dict(zip(list_ports(layout), count(12_000), strict=False))
    return make_plan(layout, folder=tmp_path / "my cluster", ports=ports, secret="x" * 16)


@pytest.fixture
def view(plan: ClusterPlan) -> UpView:
    plan.folder.mkdir()
    (plan.folder / "control").touch()
    return UpView(plan, ClusterFolder(plan.folder), Texts("en", UP_TEXTS))


def test_texts_when_something_happens_then_there_are_words_for_it() -> None:
    kinds = set(get_args(What)) - {"log"}
    assert {f"event.{kind}" for kind in kinds} <= set(UP_TEXTS)


def test_view_when_a_process_is_ready_then_one_line(
    view: UpView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(Event("unit-1", "ready"))
    assert re.fullmatch(r"\d\d:\d\d:\d\d  unit-1       ready\n", capsys.readouterr().out)


def test_view_when_a_node_logs_then_its_line(
    view: UpView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(Event("unit-1", "log", "registry.away state=suspended", "warning"))
    assert capsys.readouterr().out.endswith("unit-1       registry.away state=suspended\n")


def test_view_when_a_process_died_then_why_and_how_to_start_it_again(
    view: UpView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(Event("unit-1", "died", "signal 9, SIGKILL", "error"))
    said = capsys.readouterr().out
    assert "died: signal 9, SIGKILL. Its log: 'my cluster/logs/unit-1.log'" in said
    assert "echo start unit-1 > 'my cluster/control'" in said


def test_view_when_all_stops_then_nobody_is_told_how_to_start(
    view: UpView, capsys: pytest.CaptureFixture[str]
) -> None:
    view.show(Event("unit-1", "stopped"))
    assert "start" not in capsys.readouterr().out


def test_map_when_shown_then_every_process_and_what_to_type(
    view: UpView, plan: ClusterPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    unit = ProcessState("unit-1", "unit", "running", 42, 1, ("http://u", "tinyqq://u"), "x")
    redis = ProcessState("redis-1", "redis", "dead", None, 6379, (), "x")
    view.show_map([redis, unit], seconds=2.5)
    said = capsys.readouterr().out
    assert "is ready after 2.5 s; units: 2." in said
    assert re.search(r"unit-1 +42 +http://u +tinyqq://u\n", said)
    assert re.search(r"redis-1 +127.0.0.1:6379\n", said)
    for command in (
        f"tinyqq chat {plan.nginx.http_url}",
        f"tinyqq chat {plan.units[1].http_url}",
        "tinyqq nodes --config 'my cluster/tinyqq.toml'",
        "tinyqq drain unit-2 --config 'my cluster/tinyqq.toml'",
        "tinyqq down --dir 'my cluster'",
    ):
        assert command in said
