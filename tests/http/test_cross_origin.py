"""What pages of other origins may ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.http.cross_origin import let_pages_ask
from tinyqq.http.problems import tell_problems

PAGE = {"Origin": "https://gone.example"}
ASKS = {
    **PAGE,
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization",
}
CLOSED = ("/v1/session", "/v1/token", "/v1/admin/me", "/v1/unitsandmore", "/")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """Answers every path, but for files that are missing."""

    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("missing"):
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return web.Response(text="here")

    app = web.Application(middlewares=[tell_problems])
    app.router.add_route("*", "/{path:.*}", answer)
    let_pages_ask(app)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session,
    ):
        yield session


@pytest.mark.parametrize("headers", [PAGE, {"Origin": "null"}, {}])
@pytest.mark.parametrize(
    "path", ["/v1/media", "/v1/media/there", "/v1/media/missing", "/v1/avatars/1", "/v1/units"]
)
async def test_answer_when_it_is_open_then_every_page_may_read_it_but_without_cookies(
    http: aiohttp.ClientSession, path: str, headers: dict[str, str]
) -> None:
    async with http.get(path, headers=headers) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Upload-Offset" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
        # Also for the page itself: what is kept for it is not for others.
        assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "path", ["/v1/uploads", "/v1/uploads/ab", "/v1/media/ab", "/v1/media", "/v1/avatars/10001"]
)
async def test_question_when_the_path_is_open_then_told_what_a_page_may(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.options(path, headers=ASKS) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


async def test_options_when_it_is_no_question_of_a_browser_then_answered_as_ever(
    http: aiohttp.ClientSession,
) -> None:
    async with http.options("/v1/uploads", headers=PAGE) as answer:
        assert await answer.text() == "here"


@pytest.mark.parametrize("path", CLOSED)
async def test_answer_when_the_path_is_not_open_then_no_page_of_another_origin_reads_it(
    http: aiohttp.ClientSession, path: str
) -> None:
    async with http.get(path, headers=PAGE) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with http.options(path, headers=ASKS) as answer:
        assert "Access-Control-Allow-Methods" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers
