"""What the net under the pushes costs: CPU per row of the log that a unit reads, its own and
MariaDB's.

``python -m bench.net`` prints it for readings as they come twice a second at several rates. The
share of the whole, in a cluster that works, is in the table of ``bench.units``.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import uvloop

from bench.sqlite_append import batches
from tinyqq.clock import SystemClock
from tinyqq.lab.servers.mariadb import MariaDb, make_template, running_mariadb
from tinyqq.model.ids import ConversationId, GroupId, Seq, UnitId
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.registry import Node
from tinyqq.presence.memory import MemoryPresence
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.services.net import Net, NetLimits
from tinyqq.storage.log_tail import SqlLogTail
from tinyqq.storage.mysql import MysqlDatabase
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.open import migrate_storage

WRITERS: Final = 3
_READINGS: Final = 16
_READINGS_PER_S: Final = 2
_NODE: Final = Node(UnitId("others"), "1", frozenset(), "", "", "")


class Cost(NamedTuple):
    """CPU microseconds per row."""

    own_us: float
    database_us: float

    @property
    def total_us(self) -> float:
        """Of both."""
        return self.own_us + self.database_us


class Pushed:
    """Implements ``ports.delivery.TailedUnit``: everybody is here, and everything was pushed."""

    def turn(self, keep: int) -> int:
        return 0

    def was_pushed(self, conversation_id: ConversationId, seq: Seq) -> bool:
        return True

    def here_since(self, conversation_id: ConversationId) -> int | None:
        return 0

    def take_joined(self) -> list[tuple[GroupId, Seq]]:
        return []

    def push(self, pushes: Sequence[Push]) -> None:
        raise AssertionError("nothing was missed")

    def hint(self, hints: Sequence[Hint]) -> None:
        raise AssertionError("nothing was missed")

    def kick(self, kicks: Sequence[Kick]) -> None:
        raise AssertionError("nothing was missed")


@cache
def cost_at(rows_per_s: int) -> Cost:
    """What a unit pays per row when the others write so many a second."""
    with tempfile.TemporaryDirectory() as folder:
        with running_mariadb(make_template(Path(folder))) as server:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                return runner.run(_measure(server, rows_per_s // _READINGS_PER_S // WRITERS))


async def _measure(server: MariaDb, rows: int) -> Cost:
    """Readings of so many rows of each writer."""
    url = server.make_database()
    await migrate_storage(url)
    async with AsyncExitStack() as stack:
        address = MysqlAddress.from_url(url)
        databases = [
            await stack.enter_async_context(MysqlDatabase.open(address)) for _ in range(WRITERS + 1)
        ]
        registry = MemoryRegistry()
        writers = tuple(number for one in databases[1:] for number in one.writers)
        await registry.register(replace(_NODE, writers=writers))
        net = Net(
            tail=SqlLogTail(database=databases[0]),
            unit=Pushed(),
            presence=MemoryPresence(unit_id=UnitId("own")),
            registry=registry,
            own_writers=dict,
            clock=SystemClock(),
            limits=NetLimits(max_keys=rows),
        )
        await net.tick()
        batch = batches(rows)
        for _ in range(_READINGS + 1):
            for one in databases[1:]:
                await one.append(batch(), None)
        await net.tick()
        own_s, database_s = time.process_time(), _thread_s(server.pid)
        for _ in range(_READINGS):
            await net.tick()
        own_s, database_s = time.process_time() - own_s, _thread_s(server.pid) - database_s
        assert net.counters()["keys_total"] == (_READINGS + 1) * rows * WRITERS
        read = _READINGS * rows * WRITERS
        return Cost(own_s / read * 1e6, database_s / read * 1e6)


def _thread_s(pid: int) -> float:
    """CPU time of all threads that a process has, to the nanosecond."""
    times = [
        (Path(f"/proc/{pid}/task") / thread / "schedstat").read_text().split()[0]
        for thread in os.listdir(f"/proc/{pid}/task")
    ]
    return sum(map(int, times)) / 1e9


def main() -> None:
    """See the module's docstring."""
    print("rows/s   µs a row in the unit   µs a row in MariaDB")
    for rows_per_s in (300, 3_750, 10_000):
        cost = cost_at(rows_per_s)
        print(f"{rows_per_s:>6} {cost.own_us:>22.2f} {cost.database_us:>21.2f}", flush=True)


if __name__ == "__main__":
    main()
