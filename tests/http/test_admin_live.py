"""The picture, pushed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.admin_api import ROOT, Cluster, People, node, open_desk

from tinyqq.errors import ErrorCode
from tinyqq.http.admin import AdminDoor, AdminRouter
from tinyqq.http.admin_live import MAX_LISTENERS, AdminLive
from tinyqq.http.problems import tell_problems

A, B = node("a"), node("b")
HEADERS = {"Authorization": f"Bearer {ROOT}"}

Next = Callable[[], Awaitable[dict[str, Any] | None]]


class Stage:
    """A live picture that is hurried, and its listeners."""

    def __init__(self, cluster: Cluster, *, every_s: float, check_every_s: float) -> None:
        self.users = People()
        self.cluster = cluster
        door = AdminDoor(self.users, self.users)
        self.live = AdminLive(cluster.view, door, every_s=every_s, check_every_s=check_every_s)
        self.app = web.Application(middlewares=[tell_problems])
        self.live.add_to(AdminRouter(self.app.router, door))
        self.url = ""
        self.session: aiohttp.ClientSession

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Next]:
        """Returns what gives the next picture; None: the stream has ended."""
        async with self.session.get(f"{self.url}/v1/admin/live", headers=HEADERS) as answer:
            assert answer.content_type == "text/event-stream"

            async def next_picture() -> dict[str, Any] | None:
                async with asyncio.timeout(30):
                    line = await answer.content.readline()
                    if not line:
                        return None
                    assert await answer.content.readline() == b"\n"
                picture: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
                return picture

            yield next_picture


@asynccontextmanager
async def stage(*, every_s: float = 60, check_every_s: float = 60) -> AsyncIterator[Stage]:
    """Figures are asked for once, unless the test says otherwise."""
    opened = Stage(Cluster(A, B), every_s=every_s, check_every_s=check_every_s)
    async with TestServer(opened.app) as server, aiohttp.ClientSession() as opened.session:
        opened.url = f"http://localhost:{server.port}"
        yield opened


async def test_stream_when_opened_then_the_picture_at_once_and_then_with_figures() -> None:
    async with stage() as opened, opened.listen() as next_picture:
        first, second = await next_picture(), await next_picture()
        assert first is not None
        assert second is not None
        assert [one["figures"] for one in first["nodes"]] == [None, None]
        assert all(one["figures"] for one in second["nodes"])


async def test_stream_when_a_node_dies_then_told_to_all_who_listen() -> None:
    async with stage() as opened, opened.listen() as one, opened.listen() as two:
        for next_picture in (one, one, two, two):
            await next_picture()
        opened.cluster.registry.show(A)
        for next_picture in (one, two):
            picture = await next_picture()
            assert picture is not None
            assert [gone["unit"] for gone in picture["gone"]] == ["b"]


async def test_stream_when_nothing_changes_then_figures_again_and_again() -> None:
    async with stage(every_s=0.01) as opened, opened.listen() as next_picture:
        for _ in range(5):
            assert await next_picture()


async def test_stream_when_the_listener_may_no_more_then_ended() -> None:
    async with (
        stage(every_s=0.01, check_every_s=0.05) as opened,
        opened.listen() as next_picture,
    ):
        await next_picture()
        opened.users.admins.clear()
        async with asyncio.timeout(30):
            while await next_picture():
                pass


async def test_stream_when_nobody_can_be_asked_who_may_listen_then_it_goes_on() -> None:
    async with (
        stage(every_s=0.01, check_every_s=0.01) as opened,
        opened.listen() as next_picture,
    ):
        await next_picture()
        opened.users.is_away = True
        for _ in range(10):
            assert await next_picture()
        opened.users.is_away = False
        opened.users.admins.clear()
        async with asyncio.timeout(30):
            while await next_picture():
                pass


async def test_stream_when_the_node_stops_then_ended() -> None:
    async with stage() as opened, opened.listen() as next_picture:
        await next_picture()
        await next_picture()
        opened.live.close()
        while await next_picture():
            pass


async def test_stream_when_there_are_too_many_then_refused_and_room_again_when_one_goes() -> None:
    async with stage() as opened:
        async with opened.listen() as next_picture:
            await next_picture()
            opened.live._listeners.update(asyncio.Event() for _ in range(MAX_LISTENERS - 1))
            async with opened.session.get(f"{opened.url}/v1/admin/live", headers=HEADERS) as answer:
                assert (answer.status, (await answer.json())["code"]) == (503, ErrorCode.BUSY)


async def test_history_when_asked_then_so_many_samples_of_every_node() -> None:
    async with open_desk(cluster=Cluster(A, B)) as desk:
        _, told = await desk.ask("GET", "/history?samples=2")
        assert [len(one["samples"]) for one in told["nodes"]] == [2, 2]
        _, told = await desk.ask("GET", "/history")
        assert [len(one["samples"]) for one in told["nodes"]] == [3, 3]
        assert (await desk.ask("GET", "/history?samples=x"))[0] == 400


async def test_drain_when_asked_then_the_node_is() -> None:
    cluster = Cluster(A, B)
    async with open_desk(cluster=cluster) as desk:
        assert (await desk.ask("POST", "/nodes/b/drain?incarnation=b-1"))[0] == 204
        assert (await desk.ask("POST", "/nodes/b/drain"))[0] == 404
    assert cluster.drained == [B]
