"""Keeping a file true, with words of the shell in the place of nginx."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.eventually import eventually

from tinyqq.app.nginx import NginxError
from tinyqq.app.nginx_watch import Nginx, NginxWatch, nginx_of, write_file
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry

REFUSES_BAD = ("sh", "-c", 'if grep -q bad "$0"; then echo "it is bad"; exit 1; fi')
QUICK_S = 0.01


def node(name: str) -> Node:
    return Node(UnitId(name), "1", frozenset({"proxy"}), "", "", "1")


def names(nodes: Sequence[Node]) -> str:
    """Stands for a configuration."""
    if not nodes:
        raise NginxError("no unit takes clients")
    return ",".join(node.unit_id for node in nodes)


class Pictures(MemoryRegistry):
    """A registry of several nodes."""

    def show(self, *units: str) -> None:
        """The picture from now on."""
        self._show(tuple(map(node, units)))


class Desk:
    """A watch that runs, and what it writes and does."""

    def __init__(self, folder: Path) -> None:
        self.registry = Pictures()
        self.tries = 0
        self.output = folder / "nginx.conf"
        self.reloads = folder / "reloads"

    def make(self, nodes: Sequence[Node]) -> str:
        """Count, and make."""
        self.tries += 1
        return names(nodes)

    def reloaded(self) -> list[str]:
        """What the file was at each reload."""
        return self.reloads.read_text().split() if self.reloads.exists() else []

    @asynccontextmanager
    async def watching(self, *, reload: str = "", settle_s: float = 0.0) -> AsyncIterator[None]:
        """Watch until the end of the block."""
        nginx = Nginx(
            test=REFUSES_BAD,
            reload=reload or f"(cat {self.output}; echo) >> {self.reloads}",
        )
        watch = NginxWatch(
            registry=self.registry,
            make=self.make,
            output=self.output,
            nginx=nginx,
            settle_s=settle_s,
            retry_s=QUICK_S,
        )
        async with asyncio.TaskGroup() as group:
            task = group.create_task(watch.run())
            try:
                yield
            finally:
                task.cancel()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_watch_when_units_come_and_go_then_written_and_reloaded_each_time(
    desk: Desk,
) -> None:
    desk.registry.show("one")
    async with desk.watching():
        await eventually(lambda: desk.reloaded() == ["one"])
        desk.registry.show("one", "two")
        await eventually(lambda: desk.reloaded() == ["one", "one,two"])
        desk.registry.show("two")
        await eventually(lambda: desk.reloaded() == ["one", "one,two", "two"])
    assert desk.output.read_text() == "two"


async def test_watch_when_the_file_is_right_already_then_nothing_is_done(desk: Desk) -> None:
    desk.output.write_text("one")
    desk.registry.show("one")
    async with desk.watching():
        desk.registry.show("one", "two")
        await eventually(lambda: desk.reloaded() == ["one,two"])


async def test_watch_when_only_a_load_changes_then_nothing_is_done(desk: Desk) -> None:
    desk.registry.show("one")
    async with desk.watching():
        await eventually(lambda: desk.reloaded() == ["one"])
        for sessions in (1, 2):
            before = desk.tries
            await desk.registry.register(replace(node("one"), sessions=sessions))
            await eventually(lambda: desk.tries > before)  # noqa: B023 - it is over when it changes
        desk.registry.show("two")
        await eventually(lambda: desk.reloaded()[-1] == "two")
    assert desk.reloaded() == ["one", "two"]


async def test_watch_when_many_come_at_once_then_one_change(desk: Desk) -> None:
    desk.registry.show("a")
    async with desk.watching(settle_s=0.5):
        await eventually(lambda: desk.reloaded() == ["a"])
        for last in "bcd":
            desk.registry.show("a", last)
            await asyncio.sleep(0)
        await eventually(lambda: len(desk.reloaded()) > 1)
        assert desk.reloaded() == ["a", "a,d"]


async def test_watch_when_there_is_no_unit_then_the_last_file_stays(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.output.write_text("one")
    async with desk.watching():
        await eventually(lambda: "nginx.kept" in caplog.messages)
        assert desk.output.read_text() == "one"
        desk.registry.show("two")
        await eventually(lambda: desk.reloaded() == ["two"])


async def test_watch_when_nginx_refuses_then_the_last_file_stays_and_it_is_said_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.registry.show("one")
    async with desk.watching():
        await eventually(lambda: desk.reloaded() == ["one"])
        desk.registry.show("bad")
        await eventually(lambda: "nginx.kept" in caplog.messages)
        before = desk.tries
        await eventually(lambda: desk.tries > before + 3)
        assert desk.output.read_text() == "one"
        assert caplog.messages.count("nginx.kept") == 1
        [record] = [one for one in caplog.records if one.message == "nginx.kept"]
        assert record.__dict__["reason"] == "it is bad"
        desk.registry.show("good")
        await eventually(lambda: desk.reloaded() == ["one", "good"])
        desk.registry.show("bad")
        before = desk.tries
        await eventually(lambda: desk.tries > before + 1)
    assert desk.output.read_text() == "good"
    assert list(desk.output.parent.glob("*.new")) == []


async def test_watch_when_the_reload_fails_then_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    gate = desk.output.with_name("gate")
    desk.registry.show("one")
    async with desk.watching(reload=f"test -e {gate} && echo done > {desk.reloads}"):
        await eventually(lambda: "nginx.not_reloaded" in caplog.messages)
        assert desk.output.read_text() == "one"
        gate.touch()
        await eventually(lambda: desk.reloaded() == ["done"])


async def test_watch_when_a_command_hangs_then_it_is_ended(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyqq.app.nginx_watch.COMMAND_TIMEOUT_S", 1.0)
    desk.registry.show("one")
    async with desk.watching(reload="sleep 60; true"):
        await eventually(lambda: "nginx.not_reloaded" in caplog.messages)
        [record] = [one for one in caplog.records if one.message == "nginx.not_reloaded"]
        assert record.__dict__["reason"] == "nginx does not answer"


async def test_watch_when_the_file_cannot_be_written_then_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.output = desk.output.parent / "missing" / "nginx.conf"
    desk.registry.show("one")
    async with desk.watching():
        await eventually(lambda: "nginx.kept" in caplog.messages)
        desk.output.parent.mkdir()
        await eventually(lambda: desk.reloaded() == ["one"])


@pytest.fixture(autouse=True)
def _all_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_write_file_when_it_is_the_same_then_untouched(tmp_path: Path) -> None:
    path = tmp_path / "nginx.conf"
    assert write_file(path, "text")
    before = path.stat()
    assert not write_file(path, "text")
    assert path.stat() == before
    assert write_file(path, "other")
    assert path.read_text() == "other"


def test_nginx_of_when_installed_then_asked_first_and_then_reloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "nginx"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = nginx_of(Path("/etc/my nginx.conf"))
    assert found.test == (str(program), "-t", "-q", "-c")
    assert found.reload == f"{program} -s reload -c '/etc/my nginx.conf'"
    assert nginx_of(Path("/x"), reload="systemctl reload nginx").reload == "systemctl reload nginx"


def test_nginx_of_when_not_installed_then_another_command_is_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tinyqq.app.nginx_watch.shutil.which", lambda *_, **__: None)
    assert nginx_of(Path("/x"), reload="true") == Nginx((), "true")
    with pytest.raises(NginxError, match="not installed"):
        nginx_of(Path("/x"))
