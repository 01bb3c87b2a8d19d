"""A server in miniature for tests of the client: real sockets, logs in memory, faults on demand."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tinyqq.errors import ErrorCode, RateLimited, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.account import (
    Caller,
    LoggedIn,
    LogIn,
    Register,
    Registered,
    Resume,
)
from tinyqq.model.connection import Done, Limits
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    DeviceId,
    OperationId,
    Seq,
    SessionId,
    UserId,
    conversation_type,
    peer_of,
    users_of,
)
from tinyqq.model.message import Entry, Kind, Mark, Notice, is_countable
from tinyqq.model.sync import (
    GetHistory,
    GetOverview,
    History,
    Overview,
    Page,
    Summary,
    Sync,
)
from tinyqq.wire import packets
from tinyqq.wire.content import encode_notice
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType
from tinyqq.wire.session import ServerSession, State

Handler = Callable[["FakeLink", Any], Any]


class FakeLink(asyncio.Protocol):
    """The server's end of one connection, over TCP; ``WebSocketLink`` writes elsewhere."""

    def __init__(self, server: FakeServer) -> None:
        self.server = server
        self.session = ServerSession(
            limits=server.limits, unit_id="fake", agent="fake/1", now_s=time.monotonic()
        )
        self.transport: asyncio.Transport | None = None

    @property
    def user_id(self) -> UserId:
        assert self.session.caller is not None
        return self.session.caller.user_id

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.links.append(self)
        self.server.connections += 1
        if self.server.greeting:
            self.write([self.server.greeting])

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.server.links:
            self.server.links.remove(self)

    def data_received(self, data: bytes) -> None:
        self.handle(self.session.receive(data, now_s=time.monotonic(), now_ms=self.server.now_ms))

    def handle(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            self.server.answer(self, frame)
        self.flush()

    def push(self, packet_type: PacketType, record: object) -> None:
        """Push a record."""
        self.session.push(packets.push_frame(packet_type, record))
        self.flush()

    def count_a_push(self) -> None:
        """A push that is counted and gets lost on the way."""
        self.session.pushes += 1

    def flush(self) -> None:
        self.write(self.session.take_output())
        if self.session.state is State.CLOSED:
            self.close()

    def write(self, frames: list[bytes]) -> None:
        if self.transport is not None and frames:
            self.transport.write(b"".join(frames))

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def cut(self) -> None:
        """End the connection without a word, as a broken network does."""
        self.session.state = State.CLOSED
        if self.transport is not None:
            self.transport.abort()


class WebSocketLink(FakeLink):
    """The same over a WebSocket."""

    def __init__(self, server: FakeServer, socket: web.WebSocketResponse) -> None:
        super().__init__(server)
        self.socket = socket
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def run(self) -> None:
        """Read and write until the end."""
        self.server.links.append(self)
        self.server.connections += 1
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write())
            async for message in self.socket:
                now_ms = self.server.now_ms
                self.handle(
                    self.session.receive_message(
                        message.data, now_s=time.monotonic(), now_ms=now_ms
                    )
                )
            self.frames.put_nowait(None)
        self.connection_lost(None)

    def write(self, frames: list[bytes]) -> None:
        for frame in frames:
            self.frames.put_nowait(frame)

    def close(self) -> None:
        self.frames.put_nowait(None)

    cut = close

    async def _write(self) -> None:
        while (frame := await self.frames.get()) is not None:
            await self.socket.send_bytes(frame)
        await self.socket.close()


class FakeServer:
    """See the module's docstring.

    Every user has the password ``password``, and the token ``token-<number>``.
    """

    def __init__(self) -> None:
        self.limits = Limits()
        self.links: list[FakeLink] = []
        self.connections = 0
        self.next_user = 10_001
        self.logs: dict[ConversationId, list[Entry]] = {}
        self.members: dict[ConversationId, set[UserId]] = {}
        self.read: dict[tuple[UserId, ConversationId], Seq] = {}
        self.requests: list[tuple[PacketType, Any]] = []
        self.request_came = asyncio.Event()
        self.handlers: dict[PacketType, Handler] = {}
        self.refusals: deque[TinyQQError] = deque()
        self.silent: set[PacketType] = set()
        self.greeting = b""
        self.behind_log_in = b""
        """A push in one piece with the answer to a log-in."""
        self.lose_pushes = 0
        self.cut_after_commits = 0
        self.cut_before_commits = 0
        self.broken_flight = 0
        self.url = ""
        self.ws_url = ""
        self.http_url = ""
        self.units: list[dict[str, object]] = []
        self.wait_ms = 0
        self.listings = 0
        self.overview_page = 1_000
        self.port = 0

    @property
    def now_ms(self) -> int:
        return 1_790_000_000_000

    def asked(self, packet_type: PacketType) -> list[Any]:
        """The requests of one type so far."""
        return [record for asked, record in self.requests if asked is packet_type]

    async def wait_asked(self, packet_type: PacketType) -> Any:
        """Wait for the first request of one type."""
        while not (found := self.asked(packet_type)):
            await self._wait_for_a_request()
        return found[0]

    async def wait_marked(self, count: int) -> list[Mark]:
        """Wait until so many marks have come, one by one or together."""
        while len(marks := [*self._marks()]) < count:
            await self._wait_for_a_request()
        return marks

    def _marks(self) -> Iterator[Mark]:
        yield from self.asked(PacketType.MARK)
        for many in self.asked(PacketType.MARK_MANY):
            yield from many.marks

    async def _wait_for_a_request(self) -> None:
        self.request_came.clear()
        async with asyncio.timeout(30):
            await self.request_came.wait()

    # ---- the log ---------------------------------------------------------------------------------

    def append(
        self,
        conversation_id: ConversationId,
        sender: int,
        body: bytes,
        *,
        kind: int = Kind.TEXT,
        message_id: bytes = b"",
    ) -> Entry:
        """Commit an entry; a repeat gives the first one."""
        log = self.logs.setdefault(conversation_id, [])
        for entry in log:
            if message_id and (entry.sender_id, entry.client_message_id) == (sender, message_id):
                return entry
        seq = len(log) + 1
        ordinal = sum(is_countable(entry.kind) for entry in log) + is_countable(kind)
        unique = OperationId(message_id or conversation_id.to_bytes(8) + seq.to_bytes(8))
        entry = Entry(
            conversation_id, Seq(seq), ordinal, UserId(sender), unique, self.now_ms, kind, body
        )
        log.append(entry)
        return entry

    def post(self, conversation_id: ConversationId, sender: int, body: bytes) -> Entry:
        """Commit a message and push it to everybody who is there."""
        entry = self.append(conversation_id, sender, body)
        self.deliver(entry)
        return entry

    def notice(
        self, conversation_id: ConversationId, sender: int, kind: Kind, **fields: Any
    ) -> Entry:
        """Commit a notice and push it."""
        entry = self.append(conversation_id, sender, encode_notice(Notice(**fields)), kind=kind)
        self.deliver(entry)
        return entry

    def deliver(self, entry: Entry, *, but: FakeLink | None = None) -> None:
        """Push an entry to those who may see it; loses it when told to."""
        for link in list(self.links):
            if link is but or link.session.state is not State.OPEN:
                continue
            if not self.may_read(link.user_id, entry.conversation_id):
                continue
            if self.lose_pushes:
                self.lose_pushes -= 1
                link.count_a_push()
            else:
                link.push(PacketType.DELIVER, entry)

    def may_read(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        if conversation_type(conversation_id) is ConversationType.GROUP:
            return user_id in self.members.get(conversation_id, set())
        return user_id in users_of(conversation_id)

    def stop_listening(self, *links: FakeLink) -> None:
        """Half-open: nothing that clients write is read any more."""
        for link in links or tuple(self.links):
            if link.transport is not None:
                link.transport.pause_reading()

    def cut_all(self) -> None:
        """The network breaks."""
        for link in list(self.links):
            link.cut()

    def push_all(self, packet_type: PacketType, record: object) -> None:
        """Push a record to everybody who is logged in."""
        for link in list(self.links):
            if link.session.state is State.OPEN:
                link.push(packet_type, record)

    # ---- requests --------------------------------------------------------------------------------

    def answer(self, link: FakeLink, frame: Frame) -> None:
        """Answer one request."""
        packet_type = PacketType(frame.type)
        if packet_type is PacketType.SEND:
            self.answer_send(link, frame)
            return
        record = packets.decode_request(frame.type, frame.body)
        self.requests.append((packet_type, record))
        self.request_came.set()
        if packet_type in self.silent:
            return
        try:
            handler = self.handlers.get(packet_type) or _HANDLERS.get(packet_type)
            outcome = handler(link, record) if handler else Done()
        except TinyQQError as error:
            link.session.reply_error(frame.request_id, error)
            caller = None
        else:
            link.session.reply(frame.type, frame.request_id, packets.encode(outcome))
            caller = _caller(outcome, record)
        if caller is not None and self.behind_log_in:
            link.session.push(self.behind_log_in)
        if packet_type in packets.BEFORE_LOG_IN:
            link.handle(link.session.log_in_finished(caller, now_ms=self.now_ms))

    def answer_send(self, link: FakeLink, frame: Frame) -> None:
        """Commit a message, or do what the test wants to go wrong."""
        fields = packets.decode_send(frame.body)
        self.requests.append((PacketType.SEND, fields))
        if PacketType.SEND in self.silent:
            return
        if self.cut_before_commits:
            self.cut_before_commits -= 1
            link.cut()
            return
        if link.session.state is State.CLOSED:
            return
        if fields.flight <= self.broken_flight:
            broken = Unavailable(ErrorCode.FLIGHT_BROKEN)
            link.session.reply_error(frame.request_id, broken)
            return
        if self.refusals:
            error = self.refusals.popleft()
            if isinstance(error, Unavailable | RateLimited):
                self.broken_flight = fields.flight
            link.session.reply_error(frame.request_id, error)
            return
        entry = self.append(
            fields.conversation_id,
            link.user_id,
            fields.content,
            kind=fields.kind,
            message_id=fields.client_message_id,
        )
        if self.cut_after_commits:
            self.cut_after_commits -= 1
            link.cut()
        else:
            body = packets.encode_sent(entry.seq, entry.ordinal, entry.sent_at_ms)
            link.session.reply(PacketType.SEND, frame.request_id, body)
        self.deliver(entry, but=link)


def _register(link: FakeLink, request: Register) -> Registered:
    user_id = UserId(link.server.next_user)
    link.server.next_user += 1
    return Registered(user_id, "CODE")


def _log_in(link: FakeLink, request: LogIn) -> LoggedIn:
    if request.password != "password":
        raise Unauthenticated(ErrorCode.BAD_CREDENTIALS)
    return _logged_in(request.user_id, f"token-{request.user_id}")


def _resume(link: FakeLink, request: Resume) -> LoggedIn:
    name, _, number = request.token.partition("-")
    if name != "token":
        raise Unauthenticated(ErrorCode.TOKEN_INVALID)
    return _logged_in(UserId(int(number)), "")


def _logged_in(user_id: UserId, token: str) -> LoggedIn:
    return LoggedIn(user_id, "access", 0, token, f"user {user_id}", False, SessionId(1))


def _caller(outcome: object, request: Any) -> Caller | None:
    if isinstance(outcome, LoggedIn):
        return Caller(outcome.user_id, DeviceId(request.device_id), SessionId(1))
    return None


def _overview(link: FakeLink, request: GetOverview) -> Overview:
    known = {one.conversation_id: one for one in request.known}
    news = []
    for conversation_id, log in sorted(link.server.logs.items()):
        if not link.server.may_read(link.user_id, conversation_id):
            continue
        summary = _summary(link, conversation_id, Seq(len(log)))
        theirs = known.get(conversation_id)
        if (
            theirs is None
            or len(log) > theirs.seq
            or (
                request.with_cursors
                and (summary.read_seq, summary.peer_read_seq)
                != (theirs.read_seq, theirs.peer_read_seq)
            )
        ):
            news.append(summary)
    after = [one for one in news if one.conversation_id > request.after_conversation_id]
    page = tuple(after[: link.server.overview_page])
    return Overview(page, more=len(after) > len(page))


def _summary(link: FakeLink, conversation_id: ConversationId, head: Seq) -> Summary:
    read = link.server.read
    read_seq = read.get((link.user_id, conversation_id), Seq(0))
    peer_seq = Seq(0)
    if conversation_type(conversation_id) is ConversationType.DIRECT:
        peer_seq = read.get((peer_of(conversation_id, link.user_id), conversation_id), Seq(0))
    end = Seq(2**63 - 1)
    cursors = read_seq, read_seq, peer_seq, peer_seq
    return Summary(conversation_id, head, Seq(1), end, 0, *cursors)


def _sync(link: FakeLink, request: Sync) -> Page:
    log = link.server.logs.get(request.conversation_id, [])
    after = request.after_seq
    return Page(tuple(log[after : after + request.limit]), Seq(len(log)))


def _history(link: FakeLink, request: GetHistory) -> History:
    log = link.server.logs.get(request.conversation_id, [])
    before = log[: request.before_seq - 1] if request.before_seq else log
    return History(tuple(before[-request.limit :]), more=len(before) > request.limit)


def handled_by(packet_type: PacketType) -> Handler:
    """How a request is answered if a test wants nothing else."""
    return _HANDLERS[packet_type]


_HANDLERS: dict[PacketType, Handler] = {
    PacketType.REGISTER: _register,
    PacketType.LOG_IN: _log_in,
    PacketType.RESUME: _resume,
    PacketType.GET_OVERVIEW: _overview,
    PacketType.SYNC: _sync,
    PacketType.GET_HISTORY: _history,
}


@asynccontextmanager
async def fake_server(*, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeServer]:
    """A server on free loopback ports: TCP, and WebSocket with the unit directory."""
    server = FakeServer()
    loop = asyncio.get_running_loop()
    tcp = await loop.create_server(lambda: FakeLink(server), "127.0.0.1", 0, ssl=tls)
    server.port = tcp.sockets[0].getsockname()[1]
    secure = "s" if tls else ""
    server.url = f"tinyqq{secure}://127.0.0.1:{server.port}"
    runner = web.AppRunner(_web_app(server))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    http_port = runner.addresses[0][1]
    server.http_url = f"http{secure}://127.0.0.1:{http_port}"
    server.ws_url = f"ws{secure}://127.0.0.1:{http_port}/ws"
    server.units = [{"tcp": server.url, "websocket": server.ws_url, "load": 0.0}]
    try:
        yield server
    finally:
        tcp.close()
        server.cut_all()
        await tcp.wait_closed()
        await runner.cleanup()


def _web_app(server: FakeServer) -> web.Application:
    async def websocket(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        link = WebSocketLink(server, socket)
        link.transport = request.transport
        await link.run()
        return socket

    async def units(request: web.Request) -> web.Response:
        server.listings += 1
        return web.json_response({"units": server.units, "wait_ms": server.wait_ms})

    app = web.Application()
    app.router.add_get("/ws", websocket)
    app.router.add_get("/v1/units", units)
    return app
