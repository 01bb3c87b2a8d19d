"""One connection of the client, opened to a server in miniature."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fake_server import FakeServer

from tinyqq.client.addresses import Address, parse_url
from tinyqq.client.carriers import carry
from tinyqq.client.connection import Connection
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock, SystemClock
from tinyqq.model.account import DeviceKind, LogIn
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.wire.packets import PacketType


class Heard:
    """What a connection told of by itself."""

    def __init__(self) -> None:
        self.pushes: list[tuple[PacketType, Any]] = []
        self.missed = 0
        self.changed = asyncio.Event()

    def on_push(self, packet_type: PacketType, record: Any) -> None:
        self.pushes.append((packet_type, record))
        self.changed.set()

    def on_missed(self) -> None:
        self.missed += 1
        self.changed.set()


@asynccontextmanager
async def connected(
    server: FakeServer,
    *,
    url: str = "",
    heard: Heard | None = None,
    clock: Clock | None = None,
    trust: Trust | None = None,
) -> AsyncIterator[Connection]:
    """A connection that has said hello."""
    heard = heard or Heard()
    connection = Connection(
        clock=clock or SystemClock(),
        on_push=heard.on_push,
        on_missed=heard.on_missed,
        agent="test/1",
        language="en",
    )
    address = parse_url(url or server.url)
    assert isinstance(address, Address)
    # Not ``async with``: the group would wrap the errors that tests expect.
    tasks = await asyncio.TaskGroup().__aenter__()
    try:
        await carry(connection, address, trust=trust or Trust(), tasks=tasks, timeout_s=30)
        yield connection
    finally:
        connection.close()
        await connection.wait_gone(5.0)
        await tasks.__aexit__(None, None, None)


async def log_in(connection: Connection, user_id: int = 10_001) -> None:
    """Log in as somebody."""
    request = LogIn(UserId(user_id), "password", DeviceId(bytes(16)), DeviceKind.CLI)
    await connection.request(PacketType.LOG_IN, request, timeout_s=30)
