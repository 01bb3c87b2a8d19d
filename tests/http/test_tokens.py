"""Access tokens for programs."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from tests.support.services import FakeUsers

from tinyqq.http.problems import tell_problems
from tinyqq.http.tokens import PATH, TokenDesk

DEVICE = "0d" * 16


async def ask(body: Any) -> tuple[int, dict[str, Any]]:
    app = web.Application(middlewares=[tell_problems])
    TokenDesk(FakeUsers()).add_to(app.router)
    async with TestClient(TestServer(app)) as http, http.post(PATH, json=body) as answer:
        return answer.status, await answer.json()


async def test_token_when_the_refresh_token_is_good_then_an_access_token() -> None:
    told = await ask({"refresh_token": "10001", "device_id": DEVICE})
    assert told == (
        200,
        {"user_id": "10001", "access_token": "access", "access_expires_at_ms": 0},
    )


async def test_token_when_it_is_not_good_then_refused() -> None:
    status, told = await ask({"refresh_token": "wrong", "device_id": DEVICE})
    assert (status, told["name"]) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"refresh_token": "10001", "device_id": "x"},
        {"refresh_token": "", "device_id": DEVICE},
        {"refresh_token": "10001", "device_id": DEVICE, "more": 1},
    ],
)
async def test_token_when_the_request_is_none_then_refused(body: Any) -> None:
    status, told = await ask(body)
    assert (status, told["name"]) == (400, "INVALID_REQUEST")
