"""What is peculiar to WebSockets: messages, their heads, the handshake, the site."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import WSCloseCode, WSMsgType
from aiohttp.test_utils import make_mocked_request
from tests.support.gateway import ANN, BOB, TIMEOUT_S, entry_push, open_site, until
from tests.support.wire import HELLO, frame

from tinyqq.errors import ErrorCode
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.websocket import is_own_page, message_head
from tinyqq.model.account import LoggedIn, Resume
from tinyqq.model.connection import Heartbeat, Limits
from tinyqq.model.ids import DeviceId, OperationId, UnitId, direct_conversation
from tinyqq.model.message import Kind
from tinyqq.ports.registry import Node
from tinyqq.wire.packets import PacketType, SendFields, encode_send

NODE = Node(UnitId("unit"), "i", frozenset({"proxy"}), "", "https://unit.example:443", "1")
CHAT = direct_conversation(ANN, BOB)


@pytest.mark.parametrize(
    ("size_bytes", "head"),
    [
        (0, "8200"),
        (125, "827d"),
        (126, "827e007e"),
        (65_535, "827effff"),
        (65_536, "827f0000000000010000"),
    ],
)
def test_message_head_when_sizes_differ_then_as_the_rfc_has_it(size_bytes: int, head: str) -> None:
    assert message_head(size_bytes).hex() == head


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://chat.example:7080", True),
        ("https://friend.example", True),
        ("https://evil.example", False),
        ("http://chat.example:7081", True),
        ("https://unit.example", True),
        ("https://unit.example:444", False),
        ("http://unit.example", False),
        ("http://chat.example.evil.example:7080", False),
        ("http://[", False),
        ("null", False),
    ],
)
def test_is_own_page_when_a_page_asks_then_only_of_this_host_of_nodes_and_those_allowed(
    origin: str | None, allowed: bool
) -> None:
    headers = {"Host": "chat.example:7080"} | ({"Origin": origin} if origin else {})
    request = make_mocked_request("GET", "/ws", headers=headers)
    nodes = (NODE, replace(NODE, public_http=""), replace(NODE, public_http="http://unit:70800"))
    assert is_own_page(request, nodes, ("https://friend.example",)) is allowed


async def test_socket_when_another_site_opens_it_then_a_token_is_good_a_password_not() -> None:
    async with open_site() as site, site.connect("ws", origin="https://evil.example") as peer:
        await peer.hello()
        refused = await peer.log_in(ANN)
        assert (refused.code, refused.fields["reason"]) == (ErrorCode.FORBIDDEN, "origin")
        let_in = await peer.ask(PacketType.RESUME, Resume(str(ANN), DeviceId(bytes(16))))
        assert isinstance(let_in, LoggedIn)


async def test_socket_when_a_page_of_the_cluster_opens_it_then_a_password_is_good() -> None:
    async with (
        open_site(nodes=lambda: (NODE,)) as site,
        site.connect("ws", origin="https://unit.example") as peer,
    ):
        await peer.hello()
        assert isinstance(await peer.log_in(ANN), LoggedIn)


async def test_handshake_when_the_client_offers_compression_then_not_taken() -> None:
    async with open_site() as site, site.connect("ws", compress=15) as peer:
        assert not peer.socket.compress
        await peer.hello()


async def test_message_when_it_is_text_then_refused_and_closed() -> None:
    async with open_site() as site, site.connect("ws") as peer:
        await peer.hello()
        await peer.socket.send_str("hello")
        assert [one[2].code for one in await peer.rest()] == [ErrorCode.MALFORMED]
        assert peer.socket.close_code == WSCloseCode.OK


@pytest.mark.parametrize("data", [b"", HELLO[:5], HELLO + b"x", HELLO * 2])
async def test_message_when_it_is_not_one_frame_then_refused(data: bytes) -> None:
    async with open_site() as site, site.connect("ws") as peer:
        await peer.write(data)
        assert [one[2].code for one in await peer.rest()] == [ErrorCode.MALFORMED]


async def test_message_when_a_little_too_large_then_refused_in_our_words() -> None:
    policy = GatewayPolicy(limits=Limits(max_frame_bytes=4096))
    async with open_site(policy=policy) as site, site.connect("ws") as peer:
        await peer.write(frame(PacketType.HELLO, 1, bytes(4097)))
        assert [one[2].code for one in await peer.rest()] == [ErrorCode.FRAME_TOO_LARGE]


async def test_message_when_far_too_large_then_closed_as_too_big() -> None:
    policy = GatewayPolicy(limits=Limits(max_frame_bytes=4096))
    async with open_site(policy=policy) as site, site.connect("ws") as peer:
        await peer.write(bytes(100_000))
        assert await peer.rest() == []
        assert peer.socket.close_code == WSCloseCode.MESSAGE_TOO_BIG
        await until(lambda: not site.gateway.sessions)


async def test_message_when_large_then_arrives_whole_and_in_order() -> None:
    async with open_site() as site, site.log_in(ANN, "ws") as ann:
        for size_bytes in (1, 125, 126, 65_535, 65_536, 300_000):
            body = bytes(size_bytes)
            site.unit.push([entry_push(CHAT, 1, body=body), entry_push(CHAT, 2)])
            assert [(await ann.next_push())[1].body for _ in range(2)] == [body, b""]


async def test_message_when_the_clients_is_large_then_taken_whole() -> None:
    async with open_site() as site, site.log_in(ANN, "ws") as ann:
        fields = SendFields(CHAT, OperationId(bytes(16)), Kind.CUSTOM, bytes(300_000), 0)
        await ann.ask(PacketType.SEND, encode_send(fields))
        assert site.services.chat.sends[0].content == bytes(300_000)


async def test_ping_when_the_client_sends_one_then_answered_between_packets() -> None:
    async with open_site() as site, site.log_in(ANN, "ws") as ann:
        await ann.socket.ping(b"are you there")
        await ann.ask(PacketType.HEARTBEAT, Heartbeat())


async def test_close_when_the_client_closes_then_answered_in_kind() -> None:
    async with open_site() as site, site.log_in(ANN, "ws") as ann:
        await ann.socket.close()
        assert ann.socket.close_code == WSCloseCode.OK
        await until(lambda: not site.gateway.sessions)


async def test_close_when_the_client_does_not_answer_it_then_cut_off() -> None:
    policy = GatewayPolicy(close_timeout_s=0.1)
    async with open_site(policy=policy) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.http_port)
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x80\x00\x00\x00\x00")  # an empty text message
        async with asyncio.timeout(TIMEOUT_S):
            assert (await reader.read()).endswith(b"\x88\x02\x03\xe8")
        await until(lambda: not site.gateway.sessions)
        writer.close()
        await writer.wait_closed()


async def test_connect_when_there_is_no_room_then_told_to_come_later() -> None:
    policy = GatewayPolicy(max_connections=0)
    async with open_site(policy=policy) as site, site.connect("ws") as peer:
        message = await peer.socket.receive()
        assert message.type is WSMsgType.CLOSE
        assert message.data == WSCloseCode.TRY_AGAIN_LATER
