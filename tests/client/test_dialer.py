"""From an address to an open connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest
from tests.support.fake_server import FakeServer, fake_server

from tinyqq.client.addresses import parse_url
from tinyqq.client.connection import Connection
from tinyqq.client.dialer import Dialer
from tinyqq.client.trust import Trust
from tinyqq.clock import SystemClock
from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError, Unavailable
from tinyqq.wire.packets import PacketType, error_frame

NOWHERE = "tinyqq://127.0.0.1:1"
MakeDialer = Callable[[str], Dialer]


@pytest.fixture
async def dialer() -> AsyncIterator[MakeDialer]:
    tasks = await asyncio.TaskGroup().__aenter__()
    yield lambda url: Dialer(
        url=url,
        trust=Trust(),
        clock=SystemClock(),
        random=Random(1),
        tasks=tasks,
        agent="test/1",
        language="zh-CN",
    )
    await tasks.__aexit__(None, None, None)


async def dial(dialer: Dialer, first: str = "") -> Connection:
    """Dial, and hang up."""

    def on_push(packet_type: PacketType, record: Any) -> None:
        pass

    connection = await dialer.dial(on_push=on_push, on_missed=lambda: None, first=first)
    connection.close()
    await connection.wait_gone(5)
    return connection


async def test_dial_when_one_unit_is_named_then_that(
    server: FakeServer, dialer: MakeDialer
) -> None:
    assert (await dial(dialer(server.url))).unit_id == "fake"


async def test_dial_when_directory_then_the_unit_it_names(
    server: FakeServer, dialer: MakeDialer
) -> None:
    assert (await dial(dialer(server.http_url))).unit_id == "fake"


async def test_dial_when_a_way_fails_then_the_next(server: FakeServer, dialer: MakeDialer) -> None:
    server.units = [{"load": 0.0, "tcp": NOWHERE, "websocket": server.ws_url}]
    assert (await dial(dialer(server.http_url))).unit_id == "fake"


@pytest.fixture
async def hung() -> AsyncIterator[str]:
    """An address where somebody accepts connections and never says anything."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"


async def test_dial_when_a_way_is_hung_then_the_next_beside_it(
    server: FakeServer, dialer: MakeDialer, hung: str
) -> None:
    server.units = [{"load": 0.0, "tcp": f"tinyqq://{hung}", "websocket": server.ws_url}]
    async with asyncio.timeout(30):
        assert (await dial(dialer(server.http_url))).unit_id == "fake"


async def test_dial_when_the_directory_hangs_then_the_last_picture(
    server: FakeServer, dialer: MakeDialer, hung: str
) -> None:
    made = dialer(server.http_url)
    await dial(made)
    made._target = parse_url(f"http://{hung}")
    async with asyncio.timeout(30):
        assert (await dial(made)).unit_id == "fake"


async def test_dial_when_cancelled_then_nothing_is_left(dialer: MakeDialer, hung: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await dial(dialer(f"tinyqq://{hung}"))


async def test_dial_when_no_unit_then_unavailable(server: FakeServer, dialer: MakeDialer) -> None:
    server.units = []
    with pytest.raises(Unavailable):
        await dial(dialer(server.http_url))


async def test_dial_when_the_directory_is_gone_then_the_last_picture(
    server: FakeServer, dialer: MakeDialer
) -> None:
    async with fake_server() as other:
        other.units = server.units
        made = dialer(other.http_url)
        await dial(made)
    assert (await dial(made)).unit_id == "fake"


async def test_dial_when_the_directory_is_gone_then_a_unit_of_its_answer_is_asked(
    server: FakeServer, dialer: MakeDialer
) -> None:
    async with fake_server() as other:
        other.units = server.units
        made = dialer(other.http_url)
        await dial(made)
    async with fake_server() as third:
        server.units = [{"tcp": third.url}]
        await dial(made)
        assert (server.listings, third.connections) == (1, 1)


async def test_dial_when_the_directory_says_wait_then_not_before(
    server: FakeServer, dialer: MakeDialer
) -> None:
    server.wait_ms = 200
    before_s = SystemClock().monotonic()
    await dial(dialer(server.http_url))
    assert SystemClock().monotonic() - before_s >= 0.2


async def test_dial_when_sent_elsewhere_then_the_directory_is_not_asked(
    server: FakeServer, dialer: MakeDialer
) -> None:
    await dial(dialer(server.http_url), first=server.url)
    assert server.listings == 0


async def test_dial_when_a_unit_is_avoided_then_another_first(
    server: FakeServer, dialer: MakeDialer
) -> None:
    async with fake_server() as other:
        server.units = [{"tcp": server.url, "websocket": server.ws_url}, {"tcp": other.url}]
        made = dialer(server.http_url)
        made.avoid(await dial(made))
        await dial(made)
        assert (server.connections, other.connections) == (1, 1)


async def test_dial_when_all_units_are_avoided_then_one_all_the_same(
    server: FakeServer, dialer: MakeDialer
) -> None:
    made = dialer(server.http_url)
    made.avoid(await dial(made))
    assert (await dial(made)).unit_id == "fake"


async def test_dial_when_it_had_moved_from_the_one_named_then_back_or_there(
    server: FakeServer, dialer: MakeDialer
) -> None:
    async with fake_server() as named:
        made = dialer(named.url)
        await dial(made, first=server.url)
    assert (await dial(made)).unit_id == "fake"
    assert server.connections == 2


async def test_dial_when_the_directory_names_nobody_any_more_then_the_last_picture(
    server: FakeServer, dialer: MakeDialer
) -> None:
    made = dialer(server.http_url)
    await dial(made)
    server.units = []
    assert (await dial(made)).unit_id == "fake"


async def test_dial_when_the_directory_was_never_there_then_unavailable(
    dialer: MakeDialer,
) -> None:
    with pytest.raises(Unavailable):
        await dial(dialer("http://127.0.0.1:1"))


async def test_dial_when_sent_elsewhere_then_there_first(
    server: FakeServer, dialer: MakeDialer
) -> None:
    async with fake_server() as other:
        await dial(dialer(server.url), first=other.url)
        assert (server.connections, other.connections) == (0, 1)


@pytest.mark.parametrize("first", ["gopher://x", NOWHERE, "http://127.0.0.1:1"])
async def test_dial_when_sent_nowhere_then_the_usual_way(
    server: FakeServer, dialer: MakeDialer, first: str
) -> None:
    assert (await dial(dialer(server.url), first=first)).unit_id == "fake"


async def test_dial_when_the_server_refuses_the_hello_then_why(
    server: FakeServer, dialer: MakeDialer
) -> None:
    refusal = error_frame(0, ProtocolError(ErrorCode.VERSION_UNSUPPORTED))
    server.greeting = refusal
    with pytest.raises(ProtocolError):
        await dial(dialer(server.url))


async def test_dialer_when_the_address_is_senseless_then_refused(dialer: MakeDialer) -> None:
    with pytest.raises(InvalidRequest):
        dialer("gopher://x")


async def test_http_place_when_asked_then_where_the_server_answers(
    server: FakeServer, dialer: MakeDialer
) -> None:
    by_directory = dialer(server.http_url)
    assert str(by_directory.http_place) == server.http_url
    await dial(by_directory)
    assert str(by_directory.http_place) == server.http_url
    by_websocket = dialer("wss://chat.example/ws")
    assert str(by_websocket.http_place) == "https://chat.example:443"
    with pytest.raises(InvalidRequest) as caught:
        _ = dialer(server.url).http_place
    assert "http" in str(caught.value)
