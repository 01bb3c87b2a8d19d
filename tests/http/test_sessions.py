"""Logging in from a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, make_mocked_request
from tests.support.services import PASSWORD, FakeUsers

from tinyqq.errors import ErrorCode, Forbidden, Unauthenticated
from tinyqq.http.problems import tell_problems
from tinyqq.http.sessions import WebSessions, check_own_origin
from tinyqq.model.account import DeviceKind, LogOut

LOG_IN = {"user_id": "10001", "password": PASSWORD, "device_name": "Firefox"}


class PageUsers(FakeUsers):
    """The refresh token that it gives is the one that it takes."""

    def _login(self, *arguments: Any) -> Any:
        login = super()._login(*arguments)
        answer = login.answer
        token = str(answer.user_id)
        return login.__class__(
            answer.__class__(**{**_fields(answer), "refresh_token": token}),
            login.caller,
            login.device_kind,
            login.device_name,
        )


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


class Browser:
    """Pages of one site, with their cookies."""

    def __init__(self, session: aiohttp.ClientSession, port: int | None) -> None:
        self._session = session
        self._url = f"http://localhost:{port}"

    async def ask(
        self, method: str, path: str = "", *, origin: str | None = "", **options: Any
    ) -> tuple[aiohttp.ClientResponse, Any]:
        """The answer and its JSON; ``origin`` empty: the own one."""
        headers = {} if origin is None else {"Origin": origin or self._url}
        url = f"{self._url}/v1/session{path}"
        async with self._session.request(method, url, headers=headers, **options) as answer:
            return answer, await answer.json(content_type=None) if answer.status != 204 else None


@asynccontextmanager
async def open_browser(users: FakeUsers | None = None) -> AsyncIterator[Browser]:
    """A browser before a site."""
    app = web.Application(middlewares=[tell_problems])
    WebSessions(users or PageUsers()).add_to(app.router)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Browser(session, server.port)


async def test_log_in_when_the_password_is_right_then_the_refresh_token_is_a_cookie_only() -> None:
    users = PageUsers()
    async with open_browser(users) as browser:
        answer, data = await browser.ask("POST", json=LOG_IN)
    assert data["user_id"] == "10001"
    assert data["access_token"] == "access"
    assert "refresh" not in str(data)
    (cookie,) = answer.cookies.values()
    assert cookie.value == f"{data['device_id']}.10001"
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (
        True,
        "Strict",
        "/v1/session",
    )
    assert users.kinds == {bytes.fromhex(data["device_id"]): DeviceKind.WEB}
    assert users.addresses == ["127.0.0.1"]


async def test_log_in_when_the_password_is_wrong_then_told_by_code_and_no_cookie() -> None:
    async with open_browser() as browser:
        answer, data = await browser.ask("POST", json={**LOG_IN, "password": "wrong"})
    assert (answer.status, data["code"]) == (401, ErrorCode.BAD_CREDENTIALS)
    assert not answer.cookies


async def test_log_in_when_here_before_then_the_same_device() -> None:
    async with open_browser() as browser:
        _, first = await browser.ask("POST", json=LOG_IN)
        _, second = await browser.ask("POST", json=LOG_IN)
    assert first["device_id"] == second["device_id"]


@pytest.mark.parametrize(
    "options",
    [
        {"json": {**LOG_IN, "user_id": "me"}},
        {"json": {**LOG_IN, "user_id": 10001}},
        {"json": {**LOG_IN, "more": 1}},
        {"data": b"{"},
        {"data": {"user_id": "10001"}},
    ],
)
async def test_log_in_when_the_body_is_something_else_then_refused(options: dict[str, Any]) -> None:
    async with open_browser() as browser:
        answer, data = await browser.ask("POST", **options)
    assert (answer.status, data["code"]) == (400, ErrorCode.INVALID_REQUEST)


async def test_resume_when_the_cookie_is_there_then_a_token_for_the_same_device() -> None:
    async with open_browser() as browser:
        _, first = await browser.ask("POST", json=LOG_IN)
        answer, again = await browser.ask("POST", "/resume")
    assert (again["user_id"], again["device_id"]) == ("10001", first["device_id"])
    assert answer.cookies  # its life starts anew


async def test_resume_when_there_is_no_cookie_then_not_logged_in() -> None:
    async with open_browser() as browser:
        answer, data = await browser.ask("POST", "/resume")
    assert (answer.status, data["code"]) == (401, ErrorCode.NOT_LOGGED_IN)


async def test_resume_when_the_cookie_holds_no_token_then_not_logged_in() -> None:
    # No service has to read what may be bytes that are no text at all.
    cookie = f"tinyqq-80={'0' * 32}.é"
    headers = {"Host": "chat.example", "Origin": "http://chat.example", "Cookie": cookie}
    request = make_mocked_request("POST", "/v1/session/resume", headers=headers)
    with pytest.raises(Unauthenticated) as caught:
        await WebSessions(PageUsers()).resume(request)
    assert caught.value.code is ErrorCode.NOT_LOGGED_IN


async def test_log_out_when_logged_in_then_the_device_is_forgotten_and_the_cookie_too() -> None:
    users = PageUsers()
    async with open_browser(users) as browser:
        await browser.ask("POST", json=LOG_IN)
        answer, _ = await browser.ask("DELETE")
        after, _ = await browser.ask("POST", "/resume")
    assert (answer.status, after.status) == (204, 401)
    assert [(name, type(request)) for name, _, request in users.calls] == [("log_out", LogOut)]


async def test_log_out_when_nobody_is_logged_in_then_done() -> None:
    async with open_browser() as browser:
        answer, _ = await browser.ask("DELETE")
    assert answer.status == 204


@pytest.mark.parametrize(
    "origin", [None, "https://evil.example", "null", "http://localhost:1", "http://["]
)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("POST", "/resume"), ("DELETE", "")])
async def test_request_when_another_site_makes_it_then_forbidden(
    method: str, path: str, origin: str | None
) -> None:
    async with open_browser() as browser:
        await browser.ask("POST", json=LOG_IN)
        answer, data = await browser.ask(method, path, origin=origin, json=LOG_IN)
    assert (answer.status, data["code"]) == (403, ErrorCode.FORBIDDEN)


def test_origin_when_only_the_port_differs_then_another_site() -> None:
    headers = {"Host": "chat.example:7081", "Origin": "http://chat.example:7080"}
    with pytest.raises(Forbidden):
        check_own_origin(make_mocked_request("POST", "/v1/session", headers=headers))
