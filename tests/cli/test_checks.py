"""Each question of the doctor, answered well and badly."""

from __future__ import annotations

import itertools
import os
import resource
import socket
import sqlite3
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.support.s3 import S3Server

from tinyqq.app.settings import LimitSettings, MediaSettings, Settings
from tinyqq.cli import checks


def test_python_when_too_old_then_advice() -> None:
    assert checks.check_python().is_good
    assert checks.check_python((3, 10)).advice == "python.old"


def test_uvloop_when_missing_then_advice_except_on_windows() -> None:
    assert checks.check_uvloop(lambda _: object(), "linux").detail == "uvloop"
    assert checks.check_uvloop(lambda _: None, "linux").advice == "uvloop.missing"
    assert checks.check_uvloop(lambda _: None, "win32").is_good


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_descriptors_when_there_is_little_room_then_advice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(limits=LimitSettings(max_connections=2_000))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 1_024))
    assert checks.check_descriptors(settings).advice == "descriptors.few"
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 65_536))
    assert checks.check_descriptors(settings).detail == "up to 2000"


def test_port_when_taken_then_the_owner_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        finding = checks.check_port("TCP port", "127.0.0.1", port)
        assert "in use by" in finding.detail
        assert finding.advice == "port.taken"
    assert checks.check_port("TCP port", "127.0.0.1", port).is_good


def test_port_when_the_address_is_not_ours_then_advice() -> None:
    assert checks.check_port("TCP port", "192.0.2.1", 0).advice == "port.address"


def test_data_dir_when_missing_then_its_parent_counts(tmp_path: Path) -> None:
    finding = checks.check_data_dir(Settings(data_dir=tmp_path / "a" / "b"))
    assert finding.is_good
    assert "not made yet" in finding.detail
    assert checks.check_data_dir(Settings(data_dir=tmp_path)).detail == str(tmp_path)


def test_data_dir_when_it_is_a_file_then_advice(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")
    finding = checks.check_data_dir(Settings(data_dir=tmp_path / "data"))
    assert finding.advice == "folder.read_only"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_data_dir_when_read_only_then_advice(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert checks.check_data_dir(Settings(data_dir=tmp_path)).advice == "folder.read_only"


@pytest.mark.parametrize(("step_s", "is_good"), [(0.0001, True), (0.05, False)])
def test_fsync_when_slow_then_advice(tmp_path: Path, step_s: float, is_good: bool) -> None:
    ticks = itertools.count()
    finding = checks.check_fsync(Settings(data_dir=tmp_path), lambda: next(ticks) * step_s)
    assert finding.is_good is is_good
    assert f"{step_s * 1000:.1f} ms" in finding.detail
    assert list(tmp_path.iterdir()) == []


def test_database_when_at_another_schema_then_migrate_is_advised(tmp_path: Path) -> None:
    path = tmp_path / "tinyqq.db"
    assert checks.check_database(path, "2", lambda _: "1").is_good
    path.touch()
    assert checks.check_database(path, "2", lambda _: "2").is_good
    assert checks.check_database(path, "2", lambda _: "1").advice == "database.schema"


def test_database_when_unreadable_then_a_backup_is_advised(tmp_path: Path) -> None:
    def broken(path: Path) -> str:
        raise sqlite3.DatabaseError("file is not a database")

    (tmp_path / "tinyqq.db").touch()
    finding = checks.check_database(tmp_path / "tinyqq.db", "2", broken)
    assert finding.advice == "database.broken"


def test_clock_when_before_its_own_files_then_advice(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "tinyqq.db").touch()
    assert checks.check_clock(settings).is_good
    assert checks.check_clock(settings, lambda: time.time() - 3600).advice == "clock.wrong"
    assert checks.check_clock(settings, lambda: 0.0).advice == "clock.wrong"


async def test_files_when_in_the_data_folder_then_nothing_is_made(tmp_path: Path) -> None:
    finding = await checks.check_files(Settings(data_dir=tmp_path))
    assert (finding.is_good, finding.detail) == (True, str(tmp_path / "media"))
    assert os.listdir(tmp_path) == []


async def test_files_when_in_a_folder_then_tried(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    settings = Settings(media=MediaSettings(store=str(folder)))
    assert (await checks.check_files(settings)).is_good
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    (tmp_path / "taken").write_bytes(b"no folder")
    settings = Settings(media=MediaSettings(store=str(tmp_path / "taken")))
    assert (await checks.check_files(settings)).advice == "files.unusable"


@pytest.mark.slow
async def test_files_when_in_a_bucket_then_tried(s3_server: S3Server) -> None:
    for store, is_good in ((s3_server.make_bucket(), True), ("s3://nobody-has-it", False)):
        media = MediaSettings(
            store=store,
            s3_endpoint=s3_server.endpoint,
            s3_region="us-east-1",
            s3_access_key="key",
            s3_secret_key=SecretStr("secret"),
        )
        finding = await checks.check_files(Settings(media=media))
        assert finding.is_good is is_good
        assert store in finding.detail
    assert "there is no such bucket" in finding.detail
