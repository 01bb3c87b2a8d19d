"""What an administrator sees of a cluster whose units live and die."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.processes import serving, unit_folder
from tests.e2e.test_cluster import PASSWORD, TIMEOUT_S, Cluster, person, sees_nodes

from tinyqq.app.build import App

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb", "redis", "zookeeper")]

Picture = dict[str, Any]


class Administrator:
    """Somebody with the flag, logged in at one unit."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = f"{url}/v1/admin"
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Any:
        """An answer."""
        async with self._session.get(self._url + path, headers=self._headers) as answer:
            assert answer.status == 200
            return await answer.json()

    async def drain(self, app: App, unit: str) -> None:
        """Ask a unit to leave."""
        [node] = [one for one in app.registry.nodes() if one.unit_id == unit]
        path = f"{self._url}/nodes/{unit}/drain?incarnation={node.incarnation}"
        async with self._session.post(path, headers=self._headers) as answer:
            assert answer.status == 204

    async def see(self, *wanted: Callable[[Picture], bool]) -> None:
        """Listen until each of these was true, in this order."""
        left = list(wanted)
        async with (
            asyncio.timeout(2 * TIMEOUT_S),
            self._session.get(f"{self._url}/live", headers=self._headers) as answer,
        ):
            while left:
                event = await answer.content.readuntil(b"\n\n")
                if left[0](json.loads(event.removeprefix(b"data: "))):
                    left.pop(0)


@asynccontextmanager
async def administrator(app: App) -> AsyncIterator[Administrator]:
    root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
    body = {"user_id": str(root.user_id), "password": PASSWORD}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{app.http_url}/v1/session", json=body, headers={"Origin": app.http_url}
        ) as answer,
    ):
        yield Administrator(session, app.http_url, (await answer.json())["access_token"])


def all_answer(picture: Picture) -> bool:
    return len(picture["nodes"]) == 2 and all(one["figures"] for one in picture["nodes"])


def is_lost(picture: Picture) -> bool:
    return [one["has_left"] for one in picture["gone"]] == [False]


def has_left(picture: Picture) -> bool:
    return [one["has_left"] for one in picture["gone"]] == [True]


async def test_picture_when_a_unit_is_killed_then_lost(cluster: Cluster, tmp_path: Path) -> None:
    addresses = [str(cluster.shared[name]) for name in ("database_url", "presence", "registry")]
    async with cluster.unit("one") as one, administrator(one) as root:
        with serving(unit_folder(tmp_path / "two", *addresses)) as two:
            await sees_nodes(one, 2)
            await root.see(all_answer)
            two.kill()
            await root.see(is_lost)


async def test_picture_when_units_talk_then_their_links_are_counted_and_charts_collected(
    units: tuple[App, App],
) -> None:
    one, two = units
    async with administrator(one) as root, person(one, "Ann") as ann, person(two, "Bob") as bob:
        await ann.friends.request(bob.user_id)
        await bob.friends.accept(ann.user_id)
        await ann.send(bob.user_id, "hello")

        def is_counted(picture: Picture) -> bool:
            links = [
                link
                for node in picture["nodes"]
                for link in (node["figures"] or {"links": []})["links"]
            ]
            return any(link["deliveries"] for link in links)

        await root.see(is_counted)
        history = await root.get("/history?samples=1")
        assert (len(history["nodes"]), history["silent"]) == (2, [])


async def test_unit_when_asked_to_leave_through_another_then_it_is_told(
    cluster: Cluster, tmp_path: Path
) -> None:
    addresses = [str(cluster.shared[name]) for name in ("database_url", "presence", "registry")]
    async with cluster.unit("one") as one, administrator(one) as root:
        with serving(unit_folder(tmp_path / "two", *addresses)):
            await sees_nodes(one, 2)
            [other] = [node.unit_id for node in one.registry.nodes() if node.unit_id != one.unit_id]
            await root.drain(one, other)
            await root.see(has_left)
