"""Servers that tests share, and what happens to tests whose server is not installed.

``@pytest.mark.needs("redis", …)`` names the servers of a test. Where ``make test`` installs them
itself (in CI, as root in a container) a missing one is a failure; elsewhere such tests are left
out, and one line says how many.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from asyncio import constants, selector_events
from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from hypothesis import settings
from tests.support import servers
from tests.support.galera import galera, galera_template, shared_galera
from tests.support.mariadb import mariadb, mariadb_template, own_mariadb
from tests.support.s3 import s3_server
from tests.support.spider import breakable_spider, own_spider, spider

from tinyqq.lab.servers.packages import missing_kinds
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer

__all__ = [
    "breakable_spider",
    "galera",
    "galera_template",
    "mariadb",
    "mariadb_template",
    "own_mariadb",
    "own_spider",
    "s3_server",
    "shared_galera",
    "spider",
]

_NOT_RUN: Final = pytest.StashKey[int]()
_MISSING: Final = pytest.StashKey[list[str]]()
_DEBUG_FRAMES: Final = 3

# How long an example takes says nothing on a machine that has other work.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """asyncio's debug mode notes for every future and callback where it was made: the last frames
    tell that, ten of them cost a tenth of the whole suite."""
    constants.DEBUG_STACK_DEPTH = _DEBUG_FRAMES  # type: ignore[misc]  # Final for typeshed alone
    logging.getLogger("asyncio").addFilter(_is_no_remark_on_slowness)
    _close_what_comes_too_late()


def _is_no_remark_on_slowness(record: logging.LogRecord) -> bool:
    """In debug mode asyncio warns of what took a tenth of a second, as anything does on a machine
    that has other work: no warning that a test means when it looks for any."""
    return not record.getMessage().startswith("Executing <")


def _close_what_comes_too_late() -> None:
    """Before Python 3.13 asyncio forgets a connection that was accepted in the moment in which its
    server closed (python/cpython#109564): some later test would fail over a socket left open."""
    loop: Any = selector_events.BaseSelectorEventLoop
    accept = loop._accept_connection2

    async def accept_if_open(
        self: asyncio.AbstractEventLoop, protocol_factory: object, conn: socket.socket,
        extra: object, sslcontext: object = None, server: asyncio.Server | None = None,
        *options: object, **more: object,
    ) -> None:  # fmt: skip
        if server is not None and not server.sockets:
            conn.close()
            return
        await accept(self, protocol_factory, conn, extra, sslcontext, server, *options, **more)

    loop._accept_connection2 = accept_if_open


def pytest_collection_finish() -> None:
    """Modules and collected tests stay: the collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


def _missing(item: pytest.Item) -> list[str]:
    kinds = [kind for mark in item.iter_markers("needs") for kind in mark.args]
    return missing_kinds(kinds)


@pytest.hookimpl(trylast=True)  # what -m and -k leave out does not count
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here."""
    left_out = [item for item in items if _missing(item)]
    if not left_out or servers.may_install():
        return
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    _note(config, len(left_out), {kind for item in left_out for kind in _missing(item)})
    if hasattr(config, "workeroutput"):  # of pytest-xdist: only the controller prints
        config.workeroutput["not_run"] = (len(left_out), config.stash[_MISSING])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A missing server is a failure here, or the test would have been left out."""
    kinds = _missing(item)
    if kinds:
        pytest.fail(f"missing: {', '.join(kinds)}; run make test-deps", pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker of pytest-xdist left out the same tests."""
    count, kinds = getattr(node, "workeroutput", {}).get("not_run", (0, ()))
    if count:
        _note(node.config, count, kinds)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The one line."""
    config = terminalreporter.config
    if count := config.stash.get(_NOT_RUN, 0):
        kinds: list[str] = config.stash[_MISSING]
        terminalreporter.write_line(
            f"{count} not run: {', '.join(kinds)} not installed, run `sudo make test-deps`",
            yellow=True,
        )


def _note(config: pytest.Config, count: int, kinds: Iterable[str]) -> None:
    config.stash[_NOT_RUN] = count
    missing: list[str] = sorted(set(kinds))
    config.stash[_MISSING] = missing


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that tests share: each takes a key prefix of its own, and nobody ends it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def zookeeper_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZookeeperServer]:
    """A ZooKeeper that tests share: each takes a chroot of its own, and nobody ends it."""
    with ZookeeperServer(tmp_path_factory.mktemp("zookeeper")) as server:
        yield server
