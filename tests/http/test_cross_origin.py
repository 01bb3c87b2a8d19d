"""Files for pages of other units."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.http.cross_origin import CrossOrigin, UnitOrigins
from tinyqq.http.problems import tell_problems
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry

ONE = Node(UnitId("one"), "i", frozenset({"proxy"}), "", "https://one.example", "1")
TWO = replace(ONE, unit_id=UnitId("two"), public_http="http://0.0.0.0:7082")
ASKS = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
async def http(registry: MemoryRegistry) -> AsyncIterator[aiohttp.ClientSession]:
    """Knows the units *one*, which is gone, and *two*."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="here")

    async def refuse(_: web.Request) -> web.Response:
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND)

    await registry.register(ONE)
    app = web.Application(middlewares=[tell_problems])
    CrossOrigin(UnitOrigins(registry)).add_to(app)
    await registry.register(TWO)
    app.router.add_get("/v1/media/there", answer)
    app.router.add_get("/v1/media/missing", refuse)
    app.router.add_options("/v1/uploads", answer)
    app.router.add_get("/v1/session", answer)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session,
    ):
        yield session


@pytest.mark.parametrize("origin", ["https://one.example", "http://127.0.0.1:7082"])
@pytest.mark.parametrize("path", ["/v1/media/there", "/v1/media/missing"])
async def test_answer_when_the_page_is_of_a_unit_then_it_may_read_it(
    http: aiohttp.ClientSession, origin: str, path: str
) -> None:
    async with http.get(path, headers={"Origin": origin}) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert "Upload-Offset" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["", "null", "http://one.example", "https://one.example:444", "http://0.0.0.0:7082"]
)
async def test_answer_when_the_page_is_of_nobody_we_know_then_it_may_not(
    http: aiohttp.ClientSession, origin: str
) -> None:
    async with http.get("/v1/media/there", headers={"Origin": origin}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"
    async with http.options("/v1/uploads", headers={"Origin": origin, **ASKS}) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_question_when_the_page_is_of_a_unit_then_it_is_told_what_it_may(
    http: aiohttp.ClientSession,
) -> None:
    headers = {"Origin": "https://one.example", **ASKS}
    for path in ("/v1/uploads", "/v1/uploads/ab", "/v1/media/there", "/v1/avatars/10001"):
        async with http.options(path, headers=headers) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == "https://one.example"
            assert "PATCH" in answer.headers["Access-Control-Allow-Methods"]
            assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


async def test_options_when_it_is_no_question_of_a_browser_then_answered_as_ever(
    http: aiohttp.ClientSession,
) -> None:
    async with http.options("/v1/uploads", headers={"Origin": "https://one.example"}) as answer:
        assert await answer.text() == "here"


async def test_answer_when_it_is_no_file_then_no_page_of_another_origin_reads_it(
    http: aiohttp.ClientSession,
) -> None:
    headers = {"Origin": "https://one.example"}
    async with http.get("/v1/session", headers=headers) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    async with http.options("/v1/session", headers={**headers, **ASKS}) as answer:
        assert answer.status == 405


async def test_units_when_they_were_many_then_the_latest_are_remembered(
    registry: MemoryRegistry,
) -> None:
    units = UnitOrigins(registry)
    for port in range(1000, 1100):
        await registry.register(replace(ONE, public_http=f"http://a.example:{port}"))
    seen = units.seen_from("b.example")
    assert (len(seen), seen[-1]) == (64, "http://a.example:1099")


@pytest.mark.parametrize("url", ["", "nowhere", "http://a;script-src *", "http://a b"])
async def test_units_when_one_tells_nonsense_then_left_out(
    registry: MemoryRegistry, url: str
) -> None:
    units = UnitOrigins(registry)
    await registry.register(replace(ONE, public_http=url))
    assert units.seen_from("b.example") == ()
