"""The TCP port behind a proxy: who is believed, and that the client's bytes stay the client's."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.support.certificates import make_certificate
from tests.support.gateway import ANN, TIMEOUT_S, Site, TcpPeer, open_site, until
from tests.support.wire import HELLO

from tinyqq.errors import ErrorCode
from tinyqq.gateway.listener import ProxyListener
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.tasks import TaskPool
from tinyqq.model.connection import GoAway, Limits
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.wire.packets import PacketType

LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 7001\r\n"
BINARY = b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + bytes(
    [192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 4, 0x1B, 0x59]
)
LOCAL = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
TRUSTED = ("127.0.0.1/32", "::1/128")
QUICK = GatewayPolicy(limits=Limits(log_in_timeout_s=0.2), close_timeout_s=0.2)


@asynccontextmanager
async def connect(
    site: Site, header: bytes, tls: ssl.SSLContext | None = None
) -> AsyncIterator[TcpPeer]:
    """A client whose proxy has sent a header."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.tcp_port)
    writer.write(header)
    if tls is not None:
        await writer.start_tls(tls, server_hostname="127.0.0.1")
    try:
        yield TcpPeer(reader, writer)
    finally:
        writer.close()
        try:
            await writer.wait_closed()
        except OSError:
            pass


async def see(site: Site, header: bytes, tls: ssl.SSLContext | None = None) -> str:
    """Log in behind a header; the address that is seen."""
    async with connect(site, header, tls) as peer:
        await peer.hello()
        await peer.log_in(ANN)
        return site.services.user.addresses[-1]


async def plain_header() -> None:
    async with open_site(proxies=TRUSTED) as site:
        assert await see(site, LINE) == "192.0.2.7"
        assert await see(site, BINARY) == "192.0.2.7"
        assert await see(site, LOCAL) == "127.0.0.1"
        assert await see(site, b"") == "127.0.0.1"


async def tls_header(folder: Path) -> None:
    certificate = make_certificate(folder)
    client = ssl.create_default_context(cafile=certificate.file)
    async with open_site(proxies=TRUSTED, tls=certificate.server) as site:
        assert await see(site, LINE, client) == "192.0.2.7"
        assert await see(site, b"", client) == "127.0.0.1"


async def pieces() -> None:
    async with open_site(proxies=TRUSTED) as site:
        async with connect(site, b"") as peer:
            for byte in LINE[:-1]:
                await peer.write(bytes([byte]))
                await asyncio.sleep(0)
            await peer.write(LINE[-1:] + HELLO[:3])
            await peer.write(HELLO[3:])
            assert (await peer.next())[1] == 1


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Awaitable[None]], None]:
    """Runs a coroutine in each kind of loop that a node may have."""

    def run_in(call: Any) -> None:
        with asyncio.Runner(loop_factory=request.param, debug=True) as runner:
            runner.run(call)

    return run_in


def test_header_when_a_proxy_sends_it_then_its_client_is_seen(run: Any) -> None:
    run(plain_header())


def test_header_when_it_comes_before_tls_then_its_client_is_seen(run: Any, tmp_path: Path) -> None:
    run(tls_header(tmp_path))


def test_header_when_it_comes_in_pieces_then_the_bytes_after_it_are_the_clients(run: Any) -> None:
    run(pieces())


async def test_header_when_a_stranger_sends_it_then_a_protocol_error() -> None:
    async with open_site(proxies=("192.0.2.0/24",)) as site, connect(site, LINE) as peer:
        [(packet_type, _, error)] = await peer.rest()
    assert packet_type == PacketType.ERROR
    assert error.code is ErrorCode.FRAME_TOO_LARGE
    assert "not a trusted proxy" in str(error)


async def test_stranger_when_there_is_no_header_then_served() -> None:
    async with open_site(proxies=("192.0.2.0/24",)) as site:
        assert await see(site, b"") == "127.0.0.1"


@pytest.mark.parametrize("sent", [b"PROXY nonsense\r\n", b"\r\n\r\nno", LINE[:7] + b"x" * 200])
async def test_header_when_it_cannot_be_read_then_closed_unanswered(sent: bytes) -> None:
    async with open_site(proxies=TRUSTED) as site:
        async with connect(site, sent) as peer:
            with pytest.raises((EOFError, OSError)):
                await peer.next()
        assert not site.gateway.counters()["connections_total"]
        assert await see(site, LINE) == "192.0.2.7"


async def test_header_when_it_does_not_come_then_closed_in_time() -> None:
    async with open_site(proxies=TRUSTED, policy=QUICK) as site, connect(site, LINE[:9]) as peer:
        async with asyncio.timeout(TIMEOUT_S):
            assert await peer.reader.read() == b""


async def test_header_when_the_proxy_goes_away_then_nothing_is_left() -> None:
    async with open_site(proxies=TRUSTED) as site:
        for sent in (b"", LINE[:9]):
            async with connect(site, sent):
                await until(lambda: len(site.gateway._tasks) == 2)
            await until(lambda: len(site.gateway._tasks) == 1)


async def test_tls_when_the_client_does_not_speak_it_then_others_are_served(
    tmp_path: Path,
) -> None:
    certificate = make_certificate(tmp_path)
    client = ssl.create_default_context(cafile=certificate.file)
    async with open_site(proxies=TRUSTED, tls=certificate.server) as site:
        async with connect(site, LINE + HELLO) as peer:
            with pytest.raises((EOFError, OSError)):
                await peer.next()
        assert await see(site, LINE, client) == "192.0.2.7"


@pytest.mark.parametrize(("header", "url"), [(LINE, ""), (LOCAL, "tinyqq://b:7001")])
async def test_drain_when_a_client_came_through_a_proxy_then_told_no_unit(
    header: bytes, url: str
) -> None:
    other = Node(UnitId("b"), "i", frozenset({"proxy"}), "tinyqq://b:7001", "", "1")
    async with (
        open_site(proxies=TRUSTED, nodes=lambda: (other,)) as site,
        connect(site, header) as peer,
        asyncio.TaskGroup() as group,
    ):
        await peer.hello()
        await peer.log_in(ANN)
        group.create_task(site.gateway.drain())
        assert (await peer.next_push())[1] == GoAway(ErrorCode.DRAINING, 0, url)
        await peer.close()


async def test_drain_when_a_header_is_awaited_then_dropped() -> None:
    async with open_site(proxies=TRUSTED) as site, connect(site, LINE[:9]) as peer:
        await until(lambda: len(site.gateway._tasks) == 2)
        await site.gateway.drain()
        with pytest.raises((EOFError, OSError)):
            await peer.next()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", site.tcp_port)


class FullSocket(socket.socket):
    """A listening socket whose process has no descriptor left, a few times."""

    failures = 2

    def accept(self) -> tuple[socket.socket, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


class Recorder(asyncio.Protocol):
    """Closes what was connected, and says so."""

    def __init__(self, address: str, news: asyncio.Queue[str]) -> None:
        self.address = address
        self.news = news

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
        self.news.put_nowait(self.address)


@asynccontextmanager
async def listening(
    sock: socket.socket, **options: Any
) -> AsyncIterator[tuple[asyncio.Queue[str], int]]:
    """A listener alone: where it is, and who has come."""
    news: asyncio.Queue[str] = asyncio.Queue()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    async with TaskPool() as tasks:
        listener = ProxyListener(
            sock=sock,
            make_carrier=lambda address: Recorder(address, news),
            tls=None,
            proxies=[ip_network(one) for one in TRUSTED],
            tasks=tasks,
            timeout_s=TIMEOUT_S,
            **options,
        )
        try:
            yield news, sock.getsockname()[1]
        finally:
            listener.close()
            listener.close()


async def test_accept_when_there_is_no_descriptor_then_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tinyqq.gateway.listener._PAUSE_S", 0.01)
    async with listening(FullSocket(), max_opening=9) as (news, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(LINE)
        async with asyncio.timeout(TIMEOUT_S):
            assert await news.get() == "192.0.2.7"
            await reader.read()
        writer.close()
        await writer.wait_closed()


async def test_close_when_it_pauses_then_for_good() -> None:
    async with listening(FullSocket(), max_opening=9) as (_, port):
        with socket.create_connection(("127.0.0.1", port)):
            await asyncio.sleep(0)
            await asyncio.sleep(0)


async def test_accept_when_too_many_wait_for_their_header_then_closed_at_once() -> None:
    async with listening(socket.socket(), max_opening=1) as (news, port):
        first = await asyncio.open_connection("127.0.0.1", port)
        second = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(TIMEOUT_S):
            assert await second[0].read() == b""
            first[1].write(LINE)
            assert await news.get() == "192.0.2.7"
            assert await first[0].read() == b""
        for _, writer in (first, second):
            writer.close()
            await writer.wait_closed()
