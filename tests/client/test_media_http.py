"""Whom files are asked of, and as whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from tinyqq.client.addresses import Directory
from tinyqq.client.media_http import Credentials, MediaHttp
from tinyqq.client.trust import Trust
from tinyqq.errors import Conflict, ErrorCode, NotFound, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.ids import DeviceId
from tinyqq.testing.clock import FakeClock

MINE = Credentials("refresh", DeviceId(b"d" * 16))


@dataclass
class Server:
    """Gives tokens ``t1``, ``t2``, … and whatever answer the test has set."""

    clock: FakeClock = field(default_factory=FakeClock)
    mine: Credentials = MINE
    tokens: int = 0
    wishes: list[dict[str, Any]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    answer: web.Response | None = None

    async def token(self, request: web.Request) -> web.Response:
        self.wishes.append(await request.json())
        if self.mine.refresh_token != "refresh":
            told = {"code": 2001, "retry_after_ms": 0, "fields": {}}
            return web.json_response(told, status=401)
        self.tokens += 1
        ends_at_ms = self.clock.now_ms() + 60_000
        return web.json_response(
            {"access_token": f"t{self.tokens}", "access_expires_at_ms": ends_at_ms}
        )

    async def file(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers["Authorization"])
        return self.answer or web.Response(body=b"x")


@asynccontextmanager
async def asking(server: Server) -> AsyncIterator[MediaHttp]:
    app = web.Application()
    app.router.add_post("/v1/token", server.token)
    app.router.add_get("/file", server.file)
    async with TestServer(app) as running:
        yield MediaHttp(
            place=lambda: Directory("127.0.0.1", running.port or 0, False),
            credentials=lambda: server.mine,
            trust=Trust(),
            clock=server.clock,
        )


async def ask(http: MediaHttp) -> bytes:
    async with http.ask("GET", "/file") as answer:
        return await answer.read()


async def test_ask_when_repeated_then_by_the_same_token_until_it_ends() -> None:
    server = Server()
    async with asking(server) as http:
        await ask(http)
        await ask(http)
        server.clock.advance(31)
        await ask(http)
    assert server.seen == ["Bearer t1", "Bearer t1", "Bearer t2"]
    assert server.wishes[0] == {"refresh_token": "refresh", "device_id": "64" * 16}


async def test_ask_when_the_token_is_refused_then_another_next_time() -> None:
    server = Server()
    told = {"code": 2002, "retry_after_ms": 0, "fields": {}}
    server.answer = web.json_response(told, status=401)
    async with asking(server) as http:
        with pytest.raises(Unauthenticated):
            await ask(http)
        server.answer = None
        await ask(http)
    assert server.seen == ["Bearer t1", "Bearer t2"]


async def test_ask_when_somebody_else_logs_in_then_as_that_one() -> None:
    server = Server()
    async with asking(server) as http:
        await ask(http)
        server.mine = Credentials("refresh", DeviceId(b"e" * 16))
        await ask(http)
        server.mine = Credentials("gone", DeviceId(b"e" * 16))
        with pytest.raises(Unauthenticated):
            await ask(http)
    assert server.seen == ["Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(
    ("told", "status", "kind", "code"),
    [
        ({"code": 5011, "retry_after_ms": 500, "fields": {"offset": "7"}}, 409, Conflict, 5011),
        ({"oops": 1}, 404, NotFound, 4000),
        ("oops", 502, Unavailable, 7000),
        ([], 413, TinyQQError, 1000),
    ],
)
async def test_answer_when_an_error_then_what_it_means(
    told: object, status: int, kind: type[TinyQQError], code: int
) -> None:
    server = Server(answer=web.json_response(told, status=status))
    async with asking(server) as http:
        with pytest.raises(kind) as caught:
            await ask(http)
    assert caught.value.code == code
    if code == ErrorCode.UPLOAD_ELSEWHERE:
        assert (caught.value.fields, caught.value.retry_after_s) == ({"offset": "7"}, 0.5)


async def test_ask_when_nobody_answers_then_connection_lost() -> None:
    http = MediaHttp(
        place=lambda: Directory("127.0.0.1", unused_port(), False),
        credentials=lambda: MINE,
        trust=Trust(),
        clock=FakeClock(),
    )
    with pytest.raises(Unavailable) as caught:
        await ask(http)
    assert caught.value.code is ErrorCode.CONNECTION_LOST
