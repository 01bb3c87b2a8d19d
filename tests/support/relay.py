"""A wire between a client and a server that can be cut, and made to lose what goes over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class _End(asyncio.Protocol):
    """One end of a relayed connection; what it gets it hands to the other."""

    def __init__(self, relay: Relay, *, is_server: bool) -> None:
        self.relay = relay
        self.is_server = is_server
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None
        self.early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.relay.ends.add(self)

    def data_received(self, data: bytes) -> None:
        if self.relay.loses_all or (self.is_server and self.relay.loses_answers):
            self.relay.lost += 1
            return
        if self.other is None or self.other.transport is None:
            self.early += data
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.relay.ends.discard(self)
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class Relay:
    """See the module's docstring. ``url`` is what clients connect to."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self.ends: set[_End] = set()
        self.url = ""
        self.connections = 0
        self.connected = asyncio.Event()
        self.loses_answers = False
        self.loses_all = False
        self.lost = 0
        """How many pieces it has lost."""

    def lead_to(self, host: str, port: int) -> None:
        """Whoever connects from now on gets to another server."""
        self._address = (host, port)

    def cut(self) -> None:
        """Break every connection, without a word, both ways."""
        for end in list(self.ends):
            if end.transport is not None:
                end.transport.abort()

    async def cut_and_wait(self) -> None:
        """Cut, and wait until a client has come back."""
        self.connected.clear()
        self.cut()
        async with asyncio.timeout(30):
            await self.connected.wait()

    async def join(self, near: _End) -> None:
        """Connect a client's end with the server."""
        self.connections += 1
        self.connected.set()
        loop = asyncio.get_running_loop()
        try:
            _, far = await loop.create_connection(
                lambda: _End(self, is_server=True), *self._address
            )
        except OSError:
            if near.transport is not None:
                near.transport.abort()
            return
        near.other, far.other = far, near
        assert far.transport is not None
        far.transport.write(near.early)
        if near not in self.ends:  # it was cut, or the client went, meanwhile
            far.transport.abort()


@asynccontextmanager
async def relay_to(host: str, port: int) -> AsyncIterator[Relay]:
    """A relay on a free port of 127.0.0.1."""
    relay = Relay(host, port)
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as tasks:

        class Near(_End):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                tasks.create_task(relay.join(self))

        listening = await loop.create_server(lambda: Near(relay, is_server=False), "127.0.0.1", 0)
        relay.url = f"tinyqq://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        try:
            yield relay
        finally:
            listening.close()
            relay.cut()
            await listening.wait_closed()
