"""WebSocket below a connection: one binary message is one frame.

aiohttp reads; what is written are frames made here, without a mask, all of a tick in one write:
aiohttp's own way is a system call and a coroutine per message.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSCloseCode, WSMsgType, web

from tinyqq.errors import ErrorCode, ProtocolError
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.tasks import TaskPool
from tinyqq.gateway.tcp import Connect, peer_of
from tinyqq.model.places import origin_of, reachable
from tinyqq.ports.registry import Node
from tinyqq.wire.framing import HEADER_BYTES

_BINARY: Final = 0x82
_SHORT: Final = struct.Struct(">BB")
_MEDIUM: Final = struct.Struct(">BBH")
_LONG: Final = struct.Struct(">BBQ")


def message_head(size_bytes: int) -> bytes:
    """The head of an unmasked, final binary frame (RFC 6455 §5.2)."""
    if size_bytes < 126:
        return _SHORT.pack(_BINARY, size_bytes)
    if size_bytes < 65_536:
        return _MEDIUM.pack(_BINARY, 126, size_bytes)
    return _LONG.pack(_BINARY, 127, size_bytes)


class WebSocketCarrier:
    """Implements :class:`tinyqq.gateway.connection.Carrier` over an open WebSocket.

    Args:
        tasks: runs what must wait for the client: room to write, the closing handshake.
    """

    __slots__ = ("_closing", "_connection", "_may_read", "_socket", "_tasks", "_transport")

    def __init__(
        self, *, socket: web.WebSocketResponse, transport: asyncio.Transport, tasks: TaskPool
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._tasks = tasks
        self._connection: Connection | None = None
        self._may_read: asyncio.Event | None = None
        self._closing: asyncio.Task[object] | None = None

    async def run(self, connection: Connection) -> None:
        """Bring messages to *connection* until the end of the socket."""
        self._connection = connection
        try:
            while await self._receive(connection):
                pass
        finally:
            connection.lost()
        if self._closing is not None:
            await self._closing

    async def _receive(self, connection: Connection) -> bool:
        if self._may_read is not None:
            await self._may_read.wait()
        message = await self._socket.receive()
        if message.type is WSMsgType.BINARY:
            connection.received_message(message.data)
        elif message.type is WSMsgType.TEXT:
            connection.fail(ProtocolError(ErrorCode.MALFORMED, reason="text message"))
        else:
            return False
        return True

    # ---- Carrier ---------------------------------------------------------------------------------

    def peer(self) -> str:
        """The address at the other end."""
        return peer_of(self._transport)

    def write(self, frames: list[bytes]) -> None:
        """Write every frame as one message, all in one go."""
        parts: list[bytes] = []
        for frame in frames:
            parts.append(message_head(len(frame)))
            parts.append(frame)
        self._transport.write(b"".join(parts))
        connection = self._connection
        if connection is not None and not connection.is_clogged and self._is_paused():
            connection.writing_paused()
            self._tasks.spawn(self._wait_for_room(connection), timeout_s=None)

    def buffered_bytes(self) -> int:
        """What the socket has not taken yet."""
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Take no more messages; aiohttp stops reading when some wait."""
        self._may_read = asyncio.Event()

    def resume_reading(self) -> None:
        """Take messages again."""
        if self._may_read is not None:
            self._may_read.set()
            self._may_read = None

    def close(self) -> None:
        """Say good-bye and wait for the client's answer, as the protocol wants it."""
        if self._closing is None and not self._transport.is_closing():
            self._closing = self._tasks.spawn(self._socket.close())

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _is_paused(self) -> bool:
        protocol = self._transport.get_protocol()
        return isinstance(protocol, web.RequestHandler) and protocol.writing_paused

    async def _wait_for_room(self, connection: Connection) -> None:
        try:
            # An unasked pong means nothing to the client; sending it waits for room to write.
            await self._socket.pong()
        except ConnectionError:
            return  # the reading side learns of it too
        connection.writing_resumed()


async def serve_websocket(
    request: web.Request,
    *,
    connect: Connect,
    nodes: Iterable[Node],
    policy: GatewayPolicy,
    tasks: TaskPool,
) -> web.StreamResponse:
    """Answer the HTTP request that opens a WebSocket; returns when that is closed.

    Browsers do not hold WebSockets to their site. So pages that are not ours may open one too, but
    it lets nobody in who does not bring a token.

    Args:
        nodes: of the cluster; their pages are ours.
    """
    socket = web.WebSocketResponse(
        timeout=policy.close_timeout_s,
        compress=False,
        # What is only a little too large is refused by the session, in the protocol's own words.
        max_msg_size=policy.limits.max_frame_bytes + HEADER_BYTES + 1024,
        writer_limit=0,
    )
    await socket.prepare(request)
    transport = request.transport
    if transport is None:
        return socket
    transport.set_write_buffer_limits(
        high=policy.max_output_bytes, low=policy.max_output_bytes // 4
    )
    carrier = WebSocketCarrier(socket=socket, transport=transport, tasks=tasks)
    connection = connect(carrier, request.remote or "")
    if connection is None:
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER)
    else:
        connection.by_stranger = not is_own_page(request, nodes, policy.web_origins)
        await carrier.run(connection)
    return socket


def is_own_page(request: web.Request, nodes: Iterable[Node], allowed: tuple[str, ...]) -> bool:
    """Whether a page that opens a WebSocket is one of this host (any port), of *nodes*, or of the
    origins *allowed*. A program that is no browser is its own master.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if origin in allowed:
        return True
    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    if host is None:
        return False
    asked = request.url.host or ""
    return host == asked or any(
        origin == origin_of(reachable(node.public_http, asked)) for node in nodes
    )
