"""The admin API of a whole node."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.admin_api import PATHS

from tinyqq.app.administration import kind_of
from tinyqq.app.build import App, build
from tinyqq.app.settings import AccountSettings, ListenSettings, Settings

PASSWORD = "correct horse"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory", "memory"),
        ("zookeeper://host/x", "zookeeper"),
        ("redis+sentinel://host/x", "redis"),
        ("sqlite:///data/tinyqq.db", "sqlite"),
        ("mysql+asyncmy://user:secret@host/x", "mysql"),
    ],
)
def test_kind_when_a_url_is_given_then_in_a_word_without_secrets(url: str, kind: str) -> None:
    assert kind_of(url) == kind


def settings(data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        listen=ListenSettings(tcp_port=0, http_port=0),
        accounts=AccountSettings(argon2_memory_kib=8, argon2_passes=1),
    )


async def log_in(app: App, session: aiohttp.ClientSession, user_id: int) -> dict[str, str]:
    """Headers of somebody who has logged in on the page."""
    url = app.local_url
    body = {"user_id": str(user_id), "password": PASSWORD}
    async with session.post(f"{url}/v1/session", json=body, headers={"Origin": url}) as answer:
        told = await answer.json()
    return {"Authorization": f"Bearer {told['access_token']}"}


async def get(app: App, session: aiohttp.ClientSession, path: str, **headers: str) -> Any:
    async with session.get(f"{app.local_url}/v1/admin{path}", headers=headers) as answer:
        return answer.status, await answer.json()


async def test_node_when_administrators_ask_then_answered_and_nobody_else(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app, aiohttp.ClientSession() as session:
        root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
        ann = await app.admin.create_account(nickname="ann", password=PASSWORD)
        as_root = await log_in(app, session, root.user_id)
        as_ann = await log_in(app, session, ann.user_id)

        assert (await get(app, session, "/me"))[0] == 401
        assert (await get(app, session, "/me", **as_ann))[0] == 403
        assert await get(app, session, "/me", **as_root) == (
            200,
            {"user_id": str(root.user_id), "nickname": "root"},
        )
        _, users = await get(app, session, "/users?query=ann", **as_root)
        assert [one["user_id"] for one in users["users"]] == [str(ann.user_id)]
        _, history = await get(app, session, "/history", **as_root)
        assert [one["unit"] for one in history["nodes"]] == [app.unit_id]


async def test_node_when_a_disabled_administrator_asks_then_every_path_is_shut(
    tmp_path: Path,
) -> None:
    async with build(settings(tmp_path)) as app, aiohttp.ClientSession() as session:
        root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
        headers = await log_in(app, session, root.user_id)
        await app.admin.set_disabled(root.user_id, True)
        for method, path in PATHS:
            url = f"{app.local_url}/v1/admin{path}"
            async with session.request(method, url, headers=headers) as answer:
                assert answer.status == 401, path


async def test_log_in_when_an_administrators_password_is_guessed_then_slowed_down(
    tmp_path: Path,
) -> None:
    async with build(settings(tmp_path)) as app, aiohttp.ClientSession() as session:
        root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
        url = f"{app.local_url}/v1/session"
        found = []
        for guess in range(12):
            body = {"user_id": str(root.user_id), "password": f"a wrong one {guess}"}
            headers = {"Origin": app.local_url}
            async with session.post(url, json=body, headers=headers) as answer:
                found.append(answer.status)
        assert found[0] == 401
        assert found[-1] == 429


async def test_live_when_listened_to_then_this_node_with_its_figures(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app, aiohttp.ClientSession() as session:
        root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
        headers = await log_in(app, session, root.user_id)
        url = f"{app.local_url}/v1/admin/live"
        async with session.get(url, headers=headers) as answer, asyncio.timeout(30):
            await answer.content.readuntil(b"\n\n")
            data = await answer.content.readuntil(b"\n\n")
    picture = json.loads(data.removeprefix(b"data: "))
    assert picture["kinds"] == {"registry": "memory", "presence": "memory", "storage": "sqlite"}
    [node] = picture["nodes"]
    assert node["figures"]["states"] == {"storage": "ok"}
    assert node["figures"]["counters"]["lane.lane_entries_total"] > 0


async def test_drain_when_asked_for_then_the_node_begins_to_leave(tmp_path: Path) -> None:
    asked = asyncio.Event()
    async with (
        build(settings(tmp_path), on_drain=asked.set) as app,
        aiohttp.ClientSession() as session,
    ):
        root = await app.admin.create_account(nickname="root", password=PASSWORD, is_admin=True)
        headers = await log_in(app, session, root.user_id)
        [node] = app.registry.nodes()
        url = f"{app.local_url}/v1/admin/nodes/{node.unit_id}/drain"
        async with session.post(f"{url}?incarnation={node.incarnation}", headers=headers) as answer:
            assert answer.status == 204
        assert asked.is_set()
