"""The HTTP port as a whole, on a loopback socket."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web
from tests.support.services import FakeUsers

from tinyqq.clock import SystemClock
from tinyqq.http.app import MAX_REQUEST_BYTES, HttpParts, make_app, serve_http
from tinyqq.http.health import Readiness
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry


async def serve_websocket(request: web.Request) -> web.StreamResponse:
    """Tells who asks, over a WebSocket if that is wanted."""
    if "Upgrade" not in request.headers:
        return web.Response(text=f"{request.remote} {request.scheme}")
    answer = web.WebSocketResponse()
    await answer.prepare(request)
    await answer.send_str(request.remote or "")
    await answer.close()
    return answer


async def is_ready() -> None:
    """A check that passes."""


@asynccontextmanager
async def open_http(**options: Any) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A client's session, and the URL to ask."""
    registry = MemoryRegistry()
    roles = frozenset({"proxy"})
    await registry.register(Node(UnitId("unit-1"), "i", roles, "tinyqq://0.0.0.0:1", "", "1"))
    plain = HttpParts(
        serve_websocket=serve_websocket,
        registry=registry,
        readiness=Readiness({"storage": is_ready}, is_draining=lambda: False),
        counters={"gateway": lambda: {"sends_total": 7}},
        agent="tinyqq/1",
        clock=SystemClock(),
    )
    app = make_app(replace(plain, **options))
    sock = socket.create_server(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    async with serve_http(app, sock), aiohttp.ClientSession() as session:
        yield session, f"http://127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("/", "tinyqq chat"),
        ("/healthz", "ok"),
        ("/readyz", '"storage": "ok"'),
        ("/metrics", "tinyqq_gateway_sends_total 7.0"),
        ("/v1/units", "tinyqq://127.0.0.1:1"),
    ],
)
async def test_get_when_a_path_is_asked_then_answered_with_all_headers(
    path: str, part: str
) -> None:
    async with open_http() as (session, url), session.get(url + path) as answer:
        assert answer.status == 200
        assert part in await answer.text()
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["Server"] == "tinyqq"


@pytest.mark.parametrize("path", ["/nothing", "/v1/units/7", "/..%2f..%2fetc/passwd"])
async def test_get_when_there_is_nothing_then_a_problem(path: str) -> None:
    async with open_http() as (session, url), session.get(url + path) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["title"] == "Not Found"


async def test_post_when_nothing_takes_it_then_a_problem_that_says_what_is_allowed() -> None:
    async with open_http() as (session, url):
        async with session.post(url + "/v1/units", data=bytes(MAX_REQUEST_BYTES + 1)) as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET,HEAD"


async def test_metrics_when_switched_off_then_not_there() -> None:
    async with (
        open_http(counters=None) as (session, url),
        session.get(url + "/metrics") as answer,
    ):
        assert answer.status == 404


async def test_websocket_when_asked_for_then_handed_on() -> None:
    async with open_http() as (session, url), session.ws_connect(url + "/ws") as socket_:
        assert await socket_.receive_str() == "127.0.0.1"


async def test_proxy_when_trusted_then_the_client_behind_it_is_seen() -> None:
    headers = {"X-Forwarded-For": "198.51.100.9, 192.0.2.7", "X-Forwarded-Proto": "https"}
    trusted = [ip_network("127.0.0.0/8")]
    async with open_http(trusted_proxies=trusted) as (session, url):
        async with session.get(url + "/ws", headers=headers) as answer:
            assert await answer.text() == "192.0.2.7 https"
        async with session.ws_connect(url + "/ws", headers=headers) as socket_:
            assert await socket_.receive_str() == "192.0.2.7"


async def test_page_when_the_web_client_is_built_then_it_is_served(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("built")
    async with open_http(web_folder=tmp_path) as (session, url), session.get(url) as answer:
        assert await answer.text() == "built"


async def test_session_when_pages_may_log_in_then_they_are_asked_where_they_come_from() -> None:
    async with open_http(users=FakeUsers()) as (session, url):
        async with session.post(f"{url}/v1/session/resume") as answer:
            assert answer.status == 403


async def test_serve_when_two_run_in_one_process_then_both_answer() -> None:
    async with open_http() as (one, one_url), open_http() as (two, two_url):
        for session, url in ((one, one_url), (two, two_url)):
            async with session.get(url + "/metrics") as answer:
                assert answer.status == 200


_CUT: Final = b'{"refre'
"""All that comes of a body."""


async def told(url: str, request: bytes) -> bytes:
    """The first line of the answer to *request*, which no client of ours would send."""
    port = int(url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if request.endswith(_CUT):
        writer.write_eof()
    async with asyncio.timeout(30):
        line = await reader.readline()
    writer.close()
    return line


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /v1/units HTTP/1.1\r\nHost: a:b\r\n\r\n", b" 400 "),
        (b"GET /v1/units HTTP/1.1\r\nHost: \xff\r\n\r\n", b" 400 "),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", b" 400 "),
        (b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n" + _CUT, b""),
        (
            b"POST /v1/token HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
            b"Content-Length: 2\r\n\r\n{}",
            b" 400 ",
        ),
        (
            b"POST /v1/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b" 400 ",
        ),
    ],
)
async def test_request_when_it_is_no_http_then_no_fault_of_ours(
    request_: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_http(users=FakeUsers()) as (_, url):
        assert status in await told(url, request_)
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_handler_when_aiohttp_cannot_use_its_answer_then_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(_: web.Request) -> Any:
        return "nothing that can be sent"

    async with open_http(serve_websocket=answer) as (session, url):
        async with session.get(url + "/ws") as response:
            assert response.status == 500
    [failure] = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert failure.name == "tinyqq.http.app"
