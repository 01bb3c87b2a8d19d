"""A whole node under hostile bytes: it answers or closes, says nothing broken, and others notice
nothing."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

import aiohttp
import pytest
import pytest_asyncio
from tests.support.wire import HELLO, frame

from tinyqq.app.build import App, build
from tinyqq.app.settings import AccountSettings, ListenSettings, Settings
from tinyqq.client.client import Client
from tinyqq.client.messages import Message
from tinyqq.model.account import DeviceKind, LogIn, Register
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, UserId
from tinyqq.wire import packets
from tinyqq.wire.framing import HEADER_BYTES, FrameReader
from tinyqq.wire.packets import OPERATIONS, PacketType, SendFields

PASSWORD: Final = "correct horse"
DEADLINE_S: Final = 60.0
ATTACKS: Final = 150
MESSAGES: Final = 40

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    accounts = AccountSettings(
        argon2_memory_kib=8, argon2_passes=1, log_ins_per_address_per_minute=0, sessions_per_kind=0
    )
    listen = ListenSettings(tcp_port=0, http_port=0)
    async with build(Settings(data_dir=tmp_path, listen=listen, accounts=accounts)) as app:
        yield app


# ---- what an attacker sends ----------------------------------------------------------------------


def noise(random: Random) -> bytes:
    return random.randbytes(random.randrange(1, 400))


def packets_of_noise(random: Random) -> bytes:
    """Well-formed headers, anything behind them."""
    types = [int(one) for one in PacketType] + [random.randrange(2**16)]
    return b"".join(
        frame(random.choice(types), random.randrange(4), random.randbytes(random.randrange(40)))
        for _ in range(random.randrange(1, 30))
    )


def requests_of_noise(random: Random) -> bytes:
    """Requests that are in order, with bodies that are nearly right."""
    return b"".join(
        frame(random.choice(list(OPERATIONS)[6:]), number + 10, mutated(random))
        for number in range(random.randrange(1, 30))
    )


def mutated(random: Random) -> bytes:
    """A body that was right before some of its bytes changed."""
    own = ConversationId(10_001 << 32 | 10_001)
    body = bytearray(packets.encode_send(SendFields(own, OperationId(bytes(16)), 1, b"\n\1x", 1)))
    for _ in range(random.randrange(4)):
        body[random.randrange(len(body))] = random.randrange(256)
    return bytes(body[: random.randrange(len(body) + 1)])


def huge_header(random: Random) -> bytes:
    return struct.pack(">IHI", random.randrange(2**20 + 1, 2**32), 1, 1) + noise(random)


def too_much_at_once(random: Random) -> bytes:
    return frame(PacketType.LIST_CONTACTS, 7) * random.randrange(300, 400)


def attack(random: Random, user_id: int) -> bytes:
    """One connection's worth of bytes."""
    log_in = LogIn(UserId(user_id), PASSWORD, DeviceId(random.randbytes(16)), DeviceKind.WEB)
    start = random.choice([b"", HELLO, HELLO + frame(PacketType.LOG_IN, 2, log_in)])
    rest = random.choice(
        [noise, packets_of_noise, requests_of_noise, huge_header, too_much_at_once]
    )(random)
    stream = start + rest
    return stream[: random.randrange(1, len(stream) + 1)] if random.random() < 0.3 else stream


# ---- how it is sent, and what comes back ---------------------------------------------------------


async def attack_tcp(app: App, random: Random, user_id: int) -> None:
    """Send in random pieces, hang up or wait for the end; what the server says must be whole."""
    assert app.tcp_address
    reader, writer = await asyncio.open_connection(*app.tcp_address)
    frames = FrameReader(max_body_bytes=2**24)
    with suppress(ConnectionError):
        data = attack(random, user_id)
        while data:
            size = random.randrange(1, 2000)
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]
        if random.random() < 0.7:
            writer.write_eof()
            while received := await reader.read(65_536):
                frames.feed(received)
            assert (frames.error, frames.held_bytes) == (None, 0)
    writer.transport.abort()


async def attack_websocket(app: App, random: Random, user_id: int) -> None:
    """One message with everything, then one packet at a time until the server has had enough."""
    stream = attack(random, user_id)
    pieces = [stream] if random.random() < 0.5 else [HELLO, stream]
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{app.http_url}/ws") as socket:
        for piece in pieces:
            with suppress(ConnectionError, aiohttp.ClientError):
                await socket.send_bytes(piece)
        if len(pieces) > 1 or len(stream) < HEADER_BYTES:
            return
        while (message := await socket.receive()).type is aiohttp.WSMsgType.BINARY:
            assert len(FrameReader().feed_message(message.data)) == 1


async def register(app: App, nickname: str) -> int:
    wish = Register(OperationId(nickname.encode().ljust(16)), nickname, PASSWORD)
    return (await app.services.user.register(wish, address="127.0.0.1")).user_id


async def talk(client: Client) -> list[str]:
    """Notes to oneself, one after the other, and what the log has of them in the end."""
    for number in range(MESSAGES):
        await client.send(client.user_id, f"note {number}")
    page = await client.history(client.conversation_with(client.user_id), limit=MESSAGES)
    return [entry.text for entry in page.entries if isinstance(entry, Message)]


async def open_connections(app: App) -> int:
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        text = await answer.text()
    [line] = [
        one for one in text.splitlines() if one.startswith("tinyqq_gateway_open_connections ")
    ]
    return int(float(line.split()[1]))


@pytest.mark.parametrize("seed", [1, 2])
async def test_node_when_hostile_bytes_come_then_nothing_breaks_and_others_talk_on(
    app: App, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    random = Random(seed)
    ann, eve = await register(app, "Ann"), await register(app, "Eve")
    async with Client(app.tcp_url) as calm:
        await calm.login(ann, PASSWORD)
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            talking = group.create_task(talk(calm))
            for number in range(ATTACKS):
                how = attack_websocket if number % 4 == 0 else attack_tcp
                group.create_task(how(app, Random(random.random()), eve))
        assert talking.result() == [f"note {number}" for number in range(MESSAGES)]
        async with asyncio.timeout(DEADLINE_S):
            while await open_connections(app) > 1:
                pass
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []
