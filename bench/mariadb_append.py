"""How fast batches get into the log of a MariaDB, beside SQLite's in the same minute.

``python -m bench.mariadb_append [SECONDS]`` starts a server of its own with a real fsync per commit
and appends one batch after the other, as a lane does; then the same into an SQLite file. ``us`` is
CPU of this process per row: what is left for everything else.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvloop

from bench.sqlite_append import Append, batches, writer_thread
from tinyqq.lab.servers.mariadb import MariaDb, make_template, running_mariadb
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.open import migrate_storage

_BATCHES: Final = (1, 16, 64, 256)


@asynccontextmanager
async def mariadb(server: MariaDb) -> AsyncIterator[Append]:
    """What a node of a cluster does."""
    url = server.make_database()
    await migrate_storage(url)
    async with MysqlDatabase.open(MysqlAddress.from_url(url)) as database:
        yield lambda entries: database.append(entries, None)


async def measure(append: Append, size: int, seconds: float) -> tuple[float, float]:
    """Rows a second, and microseconds of this process's CPU per row."""
    batch = batches(size)
    made = [batch() for _ in range(max(64, 65_536 // size))]
    for entries in made[:8]:
        await append(entries)
    rows, cpu_s, begin = 0, time.process_time(), time.perf_counter()
    for entries in made[8:]:
        await append(entries)
        rows += size
        if time.perf_counter() - begin > seconds:
            break
    spent_s = time.perf_counter() - begin
    return rows / spent_s, (time.process_time() - cpu_s) / rows * 1e6


async def main(seconds: float) -> None:
    """The whole table."""
    directory = os.environ.get("BENCH_DIRECTORY")
    print("rows/b    MariaDB rows/s     us     SQLite rows/s     us     ratio")
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        template = make_template(Path(folder))
        with running_mariadb(template, durable=True, directory=directory) as server:
            for size in _BATCHES:
                async with mariadb(server) as append:
                    theirs = await measure(append, size, seconds)
                async with writer_thread(Path(folder) / f"{size}.db") as append:
                    ours = await measure(append, size, seconds)
                print(
                    f"{size:>6} {theirs[0]:>17,.0f} {theirs[1]:>6.1f}"
                    f" {ours[0]:>17,.0f} {ours[1]:>6.1f} {theirs[0] / ours[0]:>9.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0))
