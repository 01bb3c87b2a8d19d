"""Logs as lines for somebody who watches."""

from __future__ import annotations

import json
from pathlib import Path

from tinyqq.lab.cluster_log import LogFollower, LogLine, read_line


def logged(event: str, **fields: object) -> str:
    whole = {"event": event, "level": "info", "logger": "x", "timestamp": "2026", **fields}
    return json.dumps(whole) + "\n"


def test_line_when_an_event_then_its_name_and_fields() -> None:
    line = logged("node.started", tcp="tinyqq://a:1", clients=3)
    assert read_line(line) == LogLine("info", "node.started tcp=tinyqq://a:1 clients=3")


def test_line_when_an_exception_then_its_kind_and_no_trace() -> None:
    trace = [{"exc_type": "OSError", "exc_value": "full\ndisk", "frames": [1, 2]}]
    line = logged("lane.failed", level="error", exception=trace)
    assert read_line(line) == LogLine("error", "lane.failed (OSError: full disk)")


def test_line_when_not_an_event_then_nothing() -> None:
    assert read_line("TinyQQ 0.1.0 is running.\n") is None
    assert read_line('{"event": "cut o') is None


def test_follower_when_the_file_grows_then_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "unit-1.log"
    path.write_text(logged("before"))
    follower = LogFollower(path)
    with path.open("a") as file:
        file.write(logged("first") + '{"event": ')
    assert [line.text for line in follower.read()] == ["first"]
    with path.open("a") as file:
        file.write('"second"}\n')
    assert [line.text for line in follower.read()] == ["second"]
    assert list(follower.read()) == []


def test_follower_when_there_is_no_file_then_it_waits_for_one(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path / "unit-1.log")
    assert list(follower.read()) == []
    (tmp_path / "unit-1.log").write_text(logged("first"))
    assert [line.text for line in follower.read()] == ["first"]


def test_follower_when_flooded_then_some_and_how_many_more(tmp_path: Path) -> None:
    path = tmp_path / "unit-1.log"
    follower = LogFollower(path)
    path.write_text(logged("one of many") * 100)
    lines = list(follower.read())
    assert len(lines) == 41
    assert lines[-1].text.startswith("… 60 more in")


def test_follower_when_faster_than_anybody_reads_then_the_end_of_it(tmp_path: Path) -> None:
    path = tmp_path / "unit-1.log"
    follower = LogFollower(path)
    path.write_text(logged("long", text="x" * 1000) * 1000 + logged("last"))
    assert len(list(follower.read())) == 41
    assert list(follower.read()) == []
