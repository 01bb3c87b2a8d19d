"""A gateway over fakes on loopback sockets, and clients that speak to it over either carrier."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Final

import aiohttp
from aiohttp import web
from tests.support.services import PASSWORD, FakeConversations, FakeServices
from tests.support.wire import decode, frame

from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.server import Gateway
from tinyqq.gateway.unit import LocalUnit
from tinyqq.model.account import DeviceKind, LogIn
from tinyqq.model.connection import Hello
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, SessionId, UnitId, UserId
from tinyqq.model.message import Entry, Kind
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.registry import Node
from tinyqq.presence.memory import MemoryPresence
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.framing import FrameReader
from tinyqq.wire.packets import PUSH_BIT, PacketType, SendFields, encode_entry, encode_send

UNIT: Final = UnitId("unit-1")
ANN: Final = UserId(10_001)
BOB: Final = UserId(10_002)
EVE: Final = UserId(10_003)
TIMEOUT_S: Final = 30.0


class LocalDelivery:
    """Implements ``ports.delivery.Delivery`` for one unit."""

    def __init__(self, unit: LocalUnit) -> None:
        self.unit = unit
        self.hints: list[Hint] = []
        self.kicks: list[Kick] = []

    def push(self, pushes: Any) -> None:
        """Hand on."""
        self.unit.push(pushes)

    def hint(self, hint: Hint) -> None:
        """Hand on, and write down."""
        self.hints.append(hint)
        self.unit.hint((hint,))

    def kick(self, kick: Kick) -> None:
        """Hand on, and write down."""
        self.kicks.append(kick)
        self.unit.kick((kick,))


@dataclass
class Site:
    """A gateway and everything round it."""

    gateway: Gateway
    unit: LocalUnit
    presence: MemoryPresence
    delivery: LocalDelivery
    services: FakeServices
    conversations: FakeConversations
    tcp_port: int
    http_port: int

    def connect(self, carrier: str, **options: Any) -> Any:
        """``async with`` it: a client over ``tcp`` or ``ws``, not logged in."""
        return _open_tcp(self, **options) if carrier == "tcp" else _open_ws(self, **options)

    @asynccontextmanager
    async def log_in(
        self, user_id: UserId, carrier: str = "tcp", **options: Any
    ) -> AsyncIterator[Any]:
        """``async with`` it: a client that is logged in; a :class:`Peer`."""
        async with self.connect(carrier) as peer:
            await peer.hello()
            await peer.log_in(user_id, **options)
            yield peer


@asynccontextmanager
async def open_site(
    *,
    policy: GatewayPolicy | None = None,
    clock: FakeClock | None = None,
    tls: ssl.SSLContext | None = None,
    proxies: tuple[str, ...] = (),
    nodes: Callable[[], Sequence[Node]] = tuple,
) -> AsyncIterator[Site]:
    """A gateway that listens on both carriers."""
    services, conversations = FakeServices(), FakeConversations()
    presence = MemoryPresence(unit_id=UNIT)
    async with AsyncExitStack() as stack:
        unit = await stack.enter_async_context(
            LocalUnit(unit_id=UNIT, presence=presence, conversations=conversations.store)
        )
        delivery = LocalDelivery(unit)
        gateway = await stack.enter_async_context(
            Gateway(
                services=services.services,
                unit=unit,
                delivery=delivery,
                presence=presence,
                conversations=conversations.store,
                clock=clock or SystemClock(),
                agent="test/1",
                policy=policy,
                nodes=nodes,
            )
        )
        tcp = socket.create_server(("127.0.0.1", 0))
        networks = tuple(ip_network(one) for one in proxies)
        await gateway.listen_tcp(tcp, tls=tls, proxies=networks)
        http_port = await stack.enter_async_context(_serve_http(gateway))
        site = Site(
            gateway,
            unit,
            presence,
            delivery,
            services,
            conversations,
            tcp.getsockname()[1],
            http_port,
        )
        yield site
        await gateway.drain()


@asynccontextmanager
async def _serve_http(gateway: Gateway) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/ws", gateway.serve_websocket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Peer:
    """A client: frames out, decoded packets in. Subclasses know the carrier."""

    def __init__(self) -> None:
        self._pending: list[tuple[int, int, Any]] = []
        self._last_request_id = 0
        self.session_id = SessionId(0)

    async def write(self, data: bytes) -> None:
        """Send bytes: over a WebSocket one message."""
        raise NotImplementedError

    async def close(self) -> None:
        """Go away."""
        raise NotImplementedError

    async def _more(self) -> list[tuple[int, int, Any]]:
        """The next packets; none at the end."""
        raise NotImplementedError

    async def send(self, packet_type: PacketType, body: object = b"") -> int:
        """Send a request; returns its id."""
        self._last_request_id += 1
        await self.write(frame(packet_type, self._last_request_id, body))
        return self._last_request_id

    async def next(self) -> tuple[int, int, Any]:
        """The next packet: type, request id, record or error.

        Raises:
            EOFError: the gateway has closed.
        """
        async with asyncio.timeout(TIMEOUT_S):
            while not self._pending:
                more = await self._more()
                if not more:
                    raise EOFError
                self._pending += more
        return self._pending.pop(0)

    async def ask(self, packet_type: PacketType, body: object = b"") -> Any:
        """Send a request and wait for its answer; pushes before it are kept."""
        request_id = await self.send(packet_type, body)
        return await self.answer_to(request_id)

    async def answer_to(self, request_id: int) -> Any:
        """The answer to a request; other packets before it are kept."""
        kept: list[tuple[int, int, Any]] = []
        while True:
            packet = await self.next()
            if packet[1] == request_id:
                self._pending = kept + self._pending
                return packet[2]
            kept.append(packet)

    async def next_push(self) -> tuple[int, Any]:
        """The next push: type and record."""
        packet_type, request_id, record = await self.next()
        assert packet_type & PUSH_BIT, (packet_type, record)
        assert not request_id
        return packet_type, record

    async def rest(self) -> list[tuple[int, int, Any]]:
        """All packets until the gateway closes."""
        packets = []
        try:
            while True:
                packets.append(await self.next())
        except EOFError:
            return packets

    async def hello(self, *capabilities: str) -> Any:
        """Say hello."""
        hello = Hello(1, 1, capabilities or ("pull-mode", "resume"), "test/1", "zh-CN")
        return await self.ask(PacketType.HELLO, hello)

    async def log_in(
        self,
        user_id: UserId,
        *,
        kind: DeviceKind = DeviceKind.CLI,
        device: int = 0,
        password: str = PASSWORD,
        name: str = "",
    ) -> Any:
        """Log in; returns the answer."""
        device_id = DeviceId((device or user_id << 8 | kind).to_bytes(16, "big"))
        request = LogIn(user_id, password, device_id, kind, name)
        answer = await self.ask(PacketType.LOG_IN, request)
        if not isinstance(answer, TinyQQError):
            self.session_id = answer.session_id
        return answer

    async def say(self, conversation_id: int, number: int = 0, flight: int = 0) -> int:
        """Send a message; returns the request's id."""
        client_message_id = OperationId(number.to_bytes(16, "big"))
        fields = SendFields(
            ConversationId(conversation_id), client_message_id, Kind.TEXT, b"", flight
        )
        return await self.send(PacketType.SEND, encode_send(fields))


class TcpPeer(Peer):
    """A client over TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self.reader = reader
        self.writer = writer
        self._frames = FrameReader(max_body_bytes=2**30)

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def close(self) -> None:
        self.writer.close()

    async def _more(self) -> list[tuple[int, int, Any]]:
        while True:
            data = await self.reader.read(65_536)
            packets = [decode(one) for one in self._frames.feed(data)]
            if packets or not data:
                return packets


class WsPeer(Peer):
    """A client over a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self.socket = socket

    async def write(self, data: bytes) -> None:
        await self.socket.send_bytes(data)

    async def close(self) -> None:
        await self.socket.close()

    async def _more(self) -> list[tuple[int, int, Any]]:
        message = await self.socket.receive()
        if message.type is not aiohttp.WSMsgType.BINARY:
            return []
        [packet] = FrameReader(max_body_bytes=2**30).feed_message(message.data)
        return [decode(packet)]


@asynccontextmanager
async def _open_tcp(site: Site, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[TcpPeer]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", site.tcp_port, ssl=tls, server_hostname="localhost" if tls else None
    )
    try:
        yield TcpPeer(reader, writer)
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass


@asynccontextmanager
async def _open_ws(site: Site, **options: Any) -> AsyncIterator[WsPeer]:
    url = f"http://127.0.0.1:{site.http_port}/ws"
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, max_msg_size=2**30, **options) as socket,
    ):
        yield WsPeer(socket)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the event loop run until something is so."""
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():  # noqa: ASYNC110 - there is no event for what tests look at
            await asyncio.sleep(0.001)


def entry_push(
    conversation_id: int,
    seq: int,
    *,
    sender_id: UserId = ANN,
    kind: int = Kind.TEXT,
    body: bytes = b"",
    members: tuple[int, int] = (0, 0),
    joined: tuple[UserId, ...] = (),
    gone: tuple[UserId, ...] = (),
    origin: SessionId = SessionId(0),
) -> Push:
    """A push as the lane makes them; ``members``: (members_before, members_seq)."""
    entry = Entry(
        ConversationId(conversation_id), Seq(seq), seq, sender_id, OperationId(bytes(16)),
        1_700_000_000_000, kind, body,
    )  # fmt: skip
    return Push(
        entry.conversation_id,
        entry.seq,
        sender_id,
        kind,
        encode_entry(entry),
        Seq(members[0]),
        Seq(members[1]),
        joined,
        gone,
        origin,
    )
