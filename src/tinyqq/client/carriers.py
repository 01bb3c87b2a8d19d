"""TCP and WebSocket below one connection. Their libraries' errors end here."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Final, cast

import aiohttp

from tinyqq.client.addresses import Address
from tinyqq.client.connection import Connection
from tinyqq.client.trust import Trust
from tinyqq.errors import ErrorCode, Unavailable

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_CLOSE_TIMEOUT_S: Final = 2.0


async def carry(
    connection: Connection,
    address: Address,
    *,
    trust: Trust,
    tasks: asyncio.TaskGroup,
    timeout_s: float,
) -> None:
    """Reach *address* and open *connection* over it.

    Args:
        tasks: owns the reader and the writer that a WebSocket needs, until the connection ends.
        timeout_s: for reaching it, and once more for the server's welcome.

    Raises:
        TinyQQError: Unavailable CONNECTION_LOST when it cannot be reached, or what the server
            answered to the hello.
    """
    try:
        async with asyncio.timeout(timeout_s):
            carrier = await (
                _open_websocket(connection, address, trust, tasks)
                if address.path
                else _open_tcp(connection, address, trust)
            )
    except (OSError, TimeoutError, UnicodeError, aiohttp.ClientError) as exc:
        raise _unreachable(address, exc) from exc
    try:
        await connection.open(carrier, timeout_s=timeout_s)
    except BaseException:
        connection.close()
        raise


def _unreachable(address: Address, exc: BaseException) -> Unavailable:
    return Unavailable(
        ErrorCode.CONNECTION_LOST, address=str(address), reason=str(exc) or type(exc).__name__
    )


# ---- TCP -----------------------------------------------------------------------------------------


class _TcpCarrier(asyncio.Protocol):
    """A stream of bytes. What is written is bounded by the requests that may be in flight."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._connection.on_bytes(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connection.on_lost(exc)

    def flush(self) -> None:
        output = self._connection.take_output()
        if output and self._transport is not None and not self._transport.is_closing():
            self._transport.write(output)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def _open_tcp(connection: Connection, address: Address, trust: Trust) -> _TcpCarrier:
    loop = asyncio.get_running_loop()
    transport, carrier = await loop.create_connection(
        lambda: _TcpCarrier(connection),
        address.host,
        address.port,
        ssl=trust.context() if address.tls else None,
        ssl_shutdown_timeout=_CLOSE_TIMEOUT_S if address.tls else None,
    )
    if address.tls:
        tls: ssl.SSLObject = transport.get_extra_info("ssl_object")
        try:
            trust.check(tls.getpeercert(binary_form=True))
        except Unavailable:
            transport.abort()
            raise
    return carrier


# ---- WebSocket -----------------------------------------------------------------------------------


class _WebSocketCarrier:
    """One binary message per packet."""

    def __init__(
        self,
        connection: Connection,
        http: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
    ) -> None:
        self._connection = connection
        self._http = http
        self._socket = socket
        self._has_output = asyncio.Event()
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Read and write, until the end of the connection."""
        self._task = tasks.create_task(self._run())

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(self._write())
                async for message in self._socket:
                    if message.type is not aiohttp.WSMsgType.BINARY:
                        break
                    self._connection.on_message(message.data)
                self.close()
                await asyncio.wait([writer], timeout=_CLOSE_TIMEOUT_S)
                writer.cancel()
        finally:
            self._connection.on_lost(None)
            for part in (self._socket, self._http):
                with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                    async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                        await part.close()

    def flush(self) -> None:
        self._has_output.set()

    def close(self) -> None:
        if not self._is_closing and self._task is not None:
            # As long as the server reads nothing, what is left cannot be written.
            asyncio.get_running_loop().call_later(2 * _CLOSE_TIMEOUT_S, self._task.cancel)
        self._is_closing = True
        self._has_output.set()

    async def _write(self) -> None:
        with contextlib.suppress(aiohttp.ClientError, OSError):
            while True:
                await self._has_output.wait()
                self._has_output.clear()
                for frame in self._connection.take_frames():
                    await self._socket.send_bytes(frame)
                if self._is_closing:
                    break
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._socket.close()


async def _open_websocket(
    connection: Connection, address: Address, trust: Trust, tasks: asyncio.TaskGroup
) -> _WebSocketCarrier:
    http = aiohttp.ClientSession()
    try:
        socket = await http.ws_connect(
            str(address),
            ssl=trust.for_http() if address.tls else True,
            max_msg_size=MAX_MESSAGE_BYTES,
        )
    except BaseException:
        await http.close()
        raise
    carrier = _WebSocketCarrier(connection, http, socket)
    carrier.start(tasks)
    return carrier
