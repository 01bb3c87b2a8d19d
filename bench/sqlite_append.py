"""How the writer of SQLite shares the interpreter with a busy event loop.

``python -m bench.sqlite_append [SECONDS]`` appends batches to the real table in four ways, beside
an event loop that has nothing else to do and beside one that twenty other connections keep busy,
and prints what came through. ``docs/decisions/0007-sqlite-writer.md`` says what follows from it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final, cast

import uvloop

from tinyqq.model.ids import OperationId, Seq, UserId, direct_conversation
from tinyqq.model.message import Entry, Kind
from tinyqq.storage.migrate import upgrade
from tinyqq.storage.sqlite import SqliteDatabase
from tinyqq.storage.sqlite_engine import plain_connection

Append = Callable[[list[Entry]], Awaitable[None]]

_BATCHES: Final = (1, 16, 256)
_CONVERSATIONS: Final = 100
_OTHERS: Final = 20
_WORK_S: Final = 0.000_2
_SLOW_SWITCHES_S: Final = 0.005
"""CPython's own switch interval."""
_BODY: Final = b"x" * 100
_INSERT: Final = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"


# ---- four ways to append -------------------------------------------------------------------------


@asynccontextmanager
async def writer_thread(path: Path) -> AsyncIterator[Append]:
    """What the server does."""
    async with SqliteDatabase.open(path, on_fatal=lambda error: os._exit(1)) as database:
        yield lambda entries: database.append(entries, None)


@asynccontextmanager
async def writer_thread_slow_switches(path: Path) -> AsyncIterator[Append]:
    """The same with CPython's own switch interval."""
    async with writer_thread(path) as append:
        sys.setswitchinterval(_SLOW_SWITCHES_S)
        yield append


@asynccontextmanager
async def insert_on_loop(path: Path) -> AsyncIterator[Append]:
    """Rows are inserted in the event loop; only the commit goes to a thread."""
    loop = asyncio.get_running_loop()
    with closing(_connection(path)) as connection, ThreadPoolExecutor(1) as thread:

        async def append(entries: list[Entry]) -> None:
            _insert(connection, entries)
            await loop.run_in_executor(thread, connection.execute, "COMMIT")

        yield append


@asynccontextmanager
async def all_on_loop(path: Path) -> AsyncIterator[Append]:
    """Everything in the event loop, which stands still during the fsync."""
    with closing(_connection(path)) as connection:

        async def append(entries: list[Entry]) -> None:
            _insert(connection, entries)
            connection.execute("COMMIT")
            await asyncio.sleep(0)

        yield append


_WAYS: Final = (writer_thread_slow_switches, writer_thread, insert_on_loop, all_on_loop)


def _connection(path: Path) -> sqlite3.Connection:
    upgrade(f"sqlite:///{path}")
    plain_connection(path).close()
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 10000")
    return connection


def _insert(connection: sqlite3.Connection, entries: list[Entry]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_INSERT, [entry[:8] for entry in entries])


# ---- other work of the loop ----------------------------------------------------------------------


class Other(asyncio.Protocol):
    """A connection whose every message costs 0.2 ms of Python; both ends answer at once."""

    handled = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Work, and answer."""
        until = time.perf_counter() + _WORK_S
        while time.perf_counter() < until:
            pass
        Other.handled += 1
        self._transport.write(data)


@asynccontextmanager
async def other_connections(number: int) -> AsyncIterator[None]:
    """Pairs of connections that play ping-pong for as long as the block lasts."""
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(number):
        for end in socket.socketpair():
            transport, _protocol = await loop.create_connection(Other, sock=end)
            transports.append(transport)
        transports[-1].write(b"ping")
    try:
        yield
    finally:
        for transport in transports:
            transport.close()


# ---- measuring -----------------------------------------------------------------------------------


def batches(size: int) -> Callable[[], list[Entry]]:
    """Makes batches of so many entries, spread over many conversations."""
    pairs = [(UserId(20_000 + one), UserId(30_000 + one)) for one in range(_CONVERSATIONS)]
    heads = [0] * _CONVERSATIONS
    turn = 0

    def batch() -> list[Entry]:
        nonlocal turn
        entries = []
        for _ in range(size):
            place = turn = (turn + 1) % _CONVERSATIONS
            heads[place] += 1
            seq, one = heads[place], pairs[place]
            operation_id = OperationId(os.urandom(16))
            entries.append(
                Entry(
                    direct_conversation(*one), Seq(seq), seq, one[0], operation_id,
                    time.time_ns() // 1_000_000, Kind.TEXT, _BODY,
                )
            )  # fmt: skip
        return sorted(entries)

    return batch


async def measure(append: Append, size: int, seconds: float) -> str:
    """Append one batch after the other; one line of the table."""
    batch = batches(size)
    taken: list[float] = []
    handled, begin = Other.handled, time.perf_counter()
    while (now := time.perf_counter()) - begin < seconds:
        await append(batch())
        taken.append(time.perf_counter() - now)
    spent = time.perf_counter() - begin
    taken.sort()
    p50, p99 = (taken[int(len(taken) * share)] * 1_000 for share in (0.5, 0.99))
    others = (Other.handled - handled) * _WORK_S / spent
    return f"{size:>6} {len(taken) * size / spent:>9,.0f} {p50:>8.1f} {p99:>8.1f} {others:>7.0%}"


async def main(seconds: float) -> None:
    """The whole table."""
    print(f"{'way':<30} {'loop':<5} rows/b   rows/s   p50 ms   p99 ms   other")
    for others in (0, _OTHERS):
        for way in _WAYS:
            for size in _BATCHES:
                with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIRECTORY")) as folder:
                    async with way(Path(folder) / "bench.db") as append, other_connections(others):
                        line = await measure(append, size, seconds)
                print(f"{way.__name__:<30} {'busy' if others else 'idle':<5}{line}", flush=True)


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
