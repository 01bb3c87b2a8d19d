"""What is peculiar to TCP: pieces of a stream, TLS, the two directions."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from tests.support.connections import Bench
from tests.support.gateway import ANN, TIMEOUT_S, open_site, until
from tests.support.wire import HELLO, frame, parse

from tinyqq.app.settings import TlsSettings
from tinyqq.app.tls import load_tls
from tinyqq.errors import ErrorCode
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.tcp import TcpCarrier
from tinyqq.model.connection import Heartbeat, Pulse
from tinyqq.wire.packets import PacketType


@pytest.fixture
def server_tls(tmp_path: Path) -> ssl.SSLContext:
    """A context with a certificate of its own."""
    now = datetime.datetime.now(datetime.UTC)
    tls = load_tls(TlsSettings(self_signed=True), tmp_path, addresses=[], now=now)
    assert tls is not None
    return tls.context


@pytest.fixture
def client_tls() -> ssl.SSLContext:
    """A context that takes any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def test_stream_when_bytes_come_one_by_one_then_the_same_answers() -> None:
    async with open_site() as site, site.connect("tcp") as peer:
        for byte in HELLO + frame(PacketType.HEARTBEAT, 2, Heartbeat()):
            await peer.write(bytes([byte]))
            await asyncio.sleep(0)
        assert [(await peer.next())[1] for _ in range(2)] == [1, 2]


async def test_tls_when_the_client_speaks_it_then_served(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with open_site(tls=server_tls) as site, site.connect("tcp", tls=client_tls) as peer:
        await peer.hello()
        assert (await peer.log_in(ANN)).user_id == ANN
        assert isinstance(await peer.ask(PacketType.HEARTBEAT, Heartbeat()), Pulse)


async def test_tls_when_a_rule_is_broken_then_the_reason_arrives(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with open_site(tls=server_tls) as site, site.connect("tcp", tls=client_tls) as peer:
        await peer.send(PacketType.LIST_GROUPS)
        assert [one[2].code for one in await peer.rest()] == [ErrorCode.OUT_OF_ORDER]


async def test_tls_when_the_client_does_not_speak_it_then_others_are_served(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with open_site(tls=server_tls) as site:
        async with site.connect("tcp") as plain:
            await plain.write(HELLO)
            with pytest.raises((EOFError, OSError)):
                await plain.next()
        async with site.connect("tcp", tls=client_tls) as peer:
            await peer.hello()


async def test_close_when_the_client_is_still_writing_then_the_reason_arrives() -> None:
    """Unread bytes must not turn the end into a reset that overtakes the last packet."""
    async with open_site() as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.tcp_port)
        writer.write(frame(PacketType.DELIVER, 1) + bytes(4_000_000))
        async with asyncio.timeout(TIMEOUT_S):
            data = await reader.read()
        assert [one.type for one in parse(data)] == [PacketType.ERROR]
        writer.close()
        await writer.wait_closed()


async def test_close_when_the_client_keeps_its_direction_open_then_cut_off() -> None:
    policy = GatewayPolicy(close_timeout_s=0.5)
    async with open_site(policy=policy) as site, site.connect("tcp") as peer:
        await peer.send(PacketType.LIST_GROUPS)
        await peer.rest()
        assert site.gateway.sessions == 1
        await until(lambda: not site.gateway.sessions)


async def test_eof_when_the_client_ends_its_direction_then_gone() -> None:
    async with open_site() as site, site.log_in(ANN) as ann:
        ann.writer.write_eof()
        await until(lambda: not site.unit.sessions_of(ANN))
        assert await ann.rest() == []


class ResetTransport(asyncio.Transport):
    """A transport whose client has reset the connection, which it does not know yet."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self.is_aborted

    def write_eof(self) -> None:
        raise OSError

    def abort(self) -> None:
        self.is_aborted = True


def test_close_when_the_client_has_reset_the_connection_then_cut_off() -> None:
    bench, transport = Bench(), ResetTransport()
    carrier = TcpCarrier(connect=lambda *_: bench.connect()[0], max_output_bytes=1)
    carrier.connection_made(transport)
    carrier.close()
    carrier.close()
    assert transport.is_aborted


def test_data_received_when_there_is_no_room_then_ignored() -> None:
    transport = ResetTransport()
    carrier = TcpCarrier(connect=lambda *_: None, max_output_bytes=1)
    carrier.connection_made(transport)
    carrier.data_received(HELLO)
    carrier.pause_writing()
    carrier.resume_writing()
    carrier.connection_lost(None)
    assert transport.is_aborted
