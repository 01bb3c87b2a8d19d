"""The admin API as a whole."""

from __future__ import annotations

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.admin_api import Desk, add_site

from tinyqq.http.admin import PREFIX


def test_site_when_made_then_every_path_is_below_its_prefix() -> None:
    app = web.Application()
    add_site(app)
    paths = {resource.canonical for resource in app.router.resources()}
    assert len(paths) == 13
    assert all(path.startswith(f"{PREFIX}/") for path in paths)


async def test_site_when_shut_down_then_streams_end() -> None:
    app = web.Application()
    add_site(app)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        desk = Desk(session, f"http://localhost:{server.port}")
        async with session.get(f"{desk.url}{PREFIX}/live", headers=desk.headers()) as answer:
            await answer.content.readline()
            await app.shutdown()
            await answer.read()
