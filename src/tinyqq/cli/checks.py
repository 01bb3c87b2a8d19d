"""What ``tinyqq doctor`` looks at: one function per question, each with what to do about it."""

from __future__ import annotations

import importlib.util
import os
import secrets
import sqlite3
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tinyqq.app.listening import CannotListen, PortTaken, open_port
from tinyqq.app.media import object_store
from tinyqq.app.settings import Settings
from tinyqq.cli.console import explain
from tinyqq.errors import TinyQQError
from tinyqq.storage.open import open_storage

if sys.platform != "win32":
    import resource

OLDEST_PYTHON: Final = (3, 11)
EXTRA: Final = "extra.cluster"
_PROBE: Final = b"tinyqq doctor"
_SPARE_DESCRIPTORS: Final = 256
_FEW_CONNECTIONS: Final = 1_000
_SLOW_FSYNC_MS: Final = 20.0
_FSYNC_ROUNDS: Final = 16
_FIRST_SANE_YEAR: Final = 2026
_CLOCK_TOLERANCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question. ``advice``: which (doctor_texts.py); empty when all is well."""

    name: str
    detail: str
    advice: str = ""

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to do."""
        return not self.advice


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether this Python is new enough."""
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Finding("python", text, "python.old")
    return Finding("python", text)


def check_uvloop(
    find_spec: Callable[[str], object] = importlib.util.find_spec, platform: str = sys.platform
) -> Finding:
    """Whether the fast event loop is there."""
    if platform == "win32":
        return Finding("event loop", "asyncio (uvloop does not exist for Windows)")
    if find_spec("uvloop") is None:
        return Finding("event loop", "asyncio", "uvloop.missing")
    return Finding("event loop", "uvloop")


def check_descriptors(settings: Settings) -> Finding:
    """Whether the system has room for connections."""
    wanted = settings.limits.max_connections
    if sys.platform == "win32":
        return Finding("connections", f"up to {wanted}")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = wanted if hard == resource.RLIM_INFINITY else max(hard - _SPARE_DESCRIPTORS, 0)
    detail = f"up to {min(room, wanted)}"
    if room < min(wanted, _FEW_CONNECTIONS):
        return Finding(
            "connections",
            f"{detail}: a process may open {hard} files",
            "descriptors.few",
        )
    return Finding("connections", detail)


def check_port(name: str, host: str, port: int) -> Finding:
    """Whether a port is free."""
    try:
        open_port(host, port, is_default=False).sock.close()
    except PortTaken as exc:
        who = exc.owner or "another process"
        return Finding(name, f"{host}:{port} is in use by {who}", "port.taken")
    except CannotListen as exc:
        return Finding(name, str(exc), "port.address")
    return Finding(name, f"{host}:{port} is free" if port else f"{host}: any free one")


def check_data_dir(settings: Settings) -> Finding:
    """Whether the data folder, or the nearest folder above that exists, can be written."""
    wanted = settings.data_dir.absolute()
    folder = next(one for one in (wanted, *wanted.parents) if one.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", f"{folder} cannot be written", "folder.read_only")
    return Finding("data folder", str(wanted) if folder == wanted else f"{wanted} (not made yet)")


def check_fsync(settings: Settings, timer: Callable[[], float] = time.perf_counter) -> Finding:
    """How long the disk takes to promise: every acknowledged message waits for it."""
    wanted = settings.data_dir.absolute()
    folder = next(one for one in (wanted, *wanted.parents) if one.is_dir())
    probe = folder / f".tinyqq-doctor-{os.getpid()}"
    times = []
    try:
        with probe.open("wb", buffering=0) as file:
            for _ in range(_FSYNC_ROUNDS):
                start = timer()
                file.write(bytes(4096))
                os.fsync(file.fileno())
                times.append(timer() - start)
    except OSError as exc:
        return Finding("disk", f"{folder}: {exc}", "disk.broken")
    finally:
        probe.unlink(missing_ok=True)
    median_ms = statistics.median(times) * 1000
    advice = "disk.slow" if median_ms > _SLOW_FSYNC_MS else ""
    return Finding("disk", f"fsync takes {median_ms:.1f} ms (median of {_FSYNC_ROUNDS})", advice)


def check_database(path: Path, head: str, current: Callable[[Path], str | None]) -> Finding:
    """Whether the database has this version's schema.

    Args:
        head: the revision that this version works with.
        current: reads the revision of a file.
    """
    if not path.exists():
        return Finding("database", f"{path} (made at the first start)")
    try:
        revision = current(path)
    except (sqlite3.Error, OSError) as exc:
        return Finding("database", f"{path}: {exc}", "database.broken")
    if revision == head:
        return Finding("database", f"{path}, schema {revision}")
    return Finding(
        "database",
        f"{path}, schema {revision}, this version wants {head}",
        "database.schema",
    )


async def check_server(url: str, shown: str) -> Finding:
    """Whether the database server answers and has this version's schema.

    Args:
        shown: the URL without its password.
    """
    try:
        async with open_storage(url) as storage:
            await storage.ping()
    except TinyQQError as exc:
        advice = EXTRA if "extra" in exc.fields else "database.server"
        return Finding("database", f"{shown}: {explain(exc)}", advice)
    return Finding("database", shown)


async def check_files(settings: Settings) -> Finding:
    """Whether files can be written, read and deleted where they shall lie. A folder of one's own,
    below the data folder, is not tried: it is made with the first file."""
    store = settings.media.store
    if not store:
        return Finding("files", f"{settings.data_dir.absolute() / 'media'}")
    key = f"doctor/{secrets.token_hex(8)}"
    try:
        objects = object_store(settings)
        await objects.put(key, _probe())
        read = b"".join([piece async for piece in objects.read(key, 0, len(_PROBE))])
        await objects.delete([key])
    except TinyQQError as exc:
        advice = "extra.s3" if "extra" in exc.fields else "files.unusable"
        return Finding("files", f"{store}: {explain(exc)}", advice)
    return Finding("files", store, "" if read == _PROBE else "files.unusable")


async def _probe() -> AsyncIterator[bytes]:
    yield _PROBE


def check_clock(settings: Settings, now_s: Callable[[], float] = time.time) -> Finding:
    """Whether the clock is plausible: after this version was made, and not before its own files."""
    now = now_s()
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    files = [file for file in settings.data_dir.glob("*") if file.is_file()]
    newest = max((file.stat().st_mtime for file in files), default=0.0)
    if time.gmtime(now).tm_year < _FIRST_SANE_YEAR or newest > now + _CLOCK_TOLERANCE_S:
        return Finding("clock", text, "clock.wrong")
    return Finding("clock", text)
