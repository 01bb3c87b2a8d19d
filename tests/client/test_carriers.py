"""TCP and WebSocket, plain and with TLS, below the same connection."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.certificates import Certificate
from tests.support.client_connections import Heard, connected, log_in
from tests.support.entries import text
from tests.support.fake_server import FakeServer

from tinyqq.client.trust import Trust
from tinyqq.errors import ErrorCode, ProtocolError, Unavailable
from tinyqq.model.friend import ContactList, ListContacts
from tinyqq.wire.packets import PacketType

CARRIERS = ["tcp", "ws"]
ASK = (PacketType.LIST_CONTACTS, ListContacts())


def url_of(server: FakeServer, carrier: str) -> str:
    return server.url if carrier == "tcp" else server.ws_url


async def talk(server: FakeServer, url: str, trust: Trust | None = None) -> Heard:
    """Log in, ask something, get a push."""
    server.handlers[ASK[0]] = lambda link, record: ContactList(())
    heard = Heard()
    async with connected(server, url=url, heard=heard, trust=trust) as connection:
        await log_in(connection)
        server.push_all(PacketType.DELIVER, text(1))
        assert await connection.request(*ASK, timeout_s=30) == ContactList(())
    return heard


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_carry_when_plain_then_both_ways(server: FakeServer, carrier: str) -> None:
    heard = await talk(server, url_of(server, carrier))
    assert heard.pushes == [(PacketType.DELIVER, text(1))]


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_carry_when_pinned_certificate_then_both_ways(
    secure: FakeServer, certificate: Certificate, carrier: str
) -> None:
    heard = await talk(secure, url_of(secure, carrier), Trust(fingerprint=certificate.fingerprint))
    assert heard.pushes == [(PacketType.DELIVER, text(1))]


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_carry_when_own_authority_then_both_ways(
    secure: FakeServer, certificate: Certificate, carrier: str
) -> None:
    heard = await talk(secure, url_of(secure, carrier), Trust(ca_file=str(certificate.file)))
    assert heard.pushes == [(PacketType.DELIVER, text(1))]


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("fingerprint", ["", "ab" * 32])
async def test_carry_when_certificate_is_not_believed_then_unreachable(
    secure: FakeServer, carrier: str, fingerprint: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        await talk(secure, url_of(secure, carrier), Trust(fingerprint=fingerprint))
    assert caught.value.code is ErrorCode.CONNECTION_LOST


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_carry_when_nobody_listens_then_unreachable(server: FakeServer, carrier: str) -> None:
    url = "tinyqq://127.0.0.1:1" if carrier == "tcp" else "ws://127.0.0.1:1/ws"
    with pytest.raises(Unavailable) as caught:
        await talk(server, url)
    assert str(caught.value.fields["address"]) == url


async def test_carry_when_the_page_is_no_websocket_then_unreachable(server: FakeServer) -> None:
    with pytest.raises(Unavailable):
        await talk(server, server.ws_url.replace("/ws", "/nothing"))


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_carry_when_the_network_breaks_then_the_connection_knows(
    server: FakeServer, carrier: str
) -> None:
    async with connected(server, url=url_of(server, carrier)) as connection:
        await log_in(connection)
        server.cut_all()
        assert (await connection.wait_closed()).code is ErrorCode.CONNECTION_LOST


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_close_when_the_server_reads_nothing_then_lets_go_all_the_same(
    server: FakeServer, carrier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyqq.client.carriers._CLOSE_TIMEOUT_S", 0.1)
    async with asyncio.timeout(20):
        async with connected(server, url=url_of(server, carrier)) as connection:
            await log_in(connection)
            server.stop_listening()
            for _ in range(connection.max_in_flight):
                connection.send(PacketType.SEND, bytes(64 * 1024), lambda _: None)
            await asyncio.sleep(0)  # it is written then, as far as the socket takes it
    server.cut_all()


@pytest.mark.parametrize(
    "url", [f"tinyqq://{'x' * 64}.example", f"ws://{'x' * 64}.example", "tinyqq://a..b"]
)
async def test_carry_when_no_host_can_have_the_name_then_unreachable(
    server: FakeServer, url: str
) -> None:
    with pytest.raises(Unavailable):
        await talk(server, url)


async def test_carry_when_the_server_sends_text_messages_then_closed(server: FakeServer) -> None:
    async with connected(server, url=server.ws_url) as connection:
        await server.links[0].socket.send_str("hello")  # type: ignore[attr-defined]
        assert (await connection.wait_closed()).code is ErrorCode.CONNECTION_LOST


async def test_carry_when_the_server_breaks_a_rule_then_closed(server: FakeServer) -> None:
    async with connected(server, url=server.ws_url) as connection:
        server.links[0].write([b"no frame"])
        assert isinstance(await connection.wait_closed(), ProtocolError)
