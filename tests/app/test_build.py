"""The whole node, in this process, on real ports."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from tests.support.eventually import eventually
from tests.support.servers import safe_name

from tinyqq.app.build import App, build
from tinyqq.app.control import ask_node
from tinyqq.app.listening import PortTaken
from tinyqq.app.settings import (
    AccountSettings,
    HelperSettings,
    HttpSettings,
    ListenSettings,
    Settings,
    TlsSettings,
)
from tinyqq.errors import Unavailable
from tinyqq.http.metric_texts import METRIC_TEXTS
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.lab.servers.redis import RedisServer
from tinyqq.lab.servers.zookeeper import ZookeeperServer
from tinyqq.model.account import Register
from tinyqq.model.ids import HELPER_ID, OperationId, UnitId
from tinyqq.ports.services import Services
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.services.admin import AccountAdmin
from tinyqq.storage.open import migrate_storage

LISTEN = ListenSettings(tcp_port=0, http_port=0, node_port=0)
CHEAP = AccountSettings(argon2_memory_kib=8, argon2_passes=1)


def settings(data_dir: Path, **changes: object) -> Settings:
    return Settings.model_validate(
        {"data_dir": data_dir, "listen": LISTEN, "accounts": CHEAP, **changes}
    )


async def get(app: App, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(app.http_url + path, timeout=aiohttp.ClientTimeout(30), ssl=False) as response,
    ):
        return response.status, await response.text()


async def register(app: App) -> int:
    wish = Register(OperationId(bytes(16)), "小明", "correct horse")
    return (await app.services.user.register(wish, address="127.0.0.1")).user_id


async def test_build_when_open_then_it_listens_and_is_ready(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app:
        assert app.tcp_address
        socket.create_connection(app.tcp_address, timeout=30).close()
        assert (await get(app, "/healthz"))[0] == 200
        assert (await get(app, "/readyz"))[0] == 200
        assert app.tcp_url in (await get(app, "/v1/units"))[1]


async def test_build_when_the_node_has_a_name_then_the_registry_shows_it(tmp_path: Path) -> None:
    async with build(settings(tmp_path, cluster={"node_name": "unit-1"})) as app:
        assert [node.unit_id for node in app.registry.nodes()] == ["unit-1"]


async def test_build_when_closed_then_the_ports_are_free(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app:
        pass
    assert app.tcp_address
    for address in (app.tcp_address, app.http_address):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=30)


async def test_build_when_twice_in_one_process_then_each_its_own(tmp_path: Path) -> None:
    async with build(settings(tmp_path / "a")) as one, build(settings(tmp_path / "b")) as other:
        assert await register(one) == await register(other)
        assert one.tcp_address != other.tcp_address


async def test_build_when_restarted_then_accounts_are_still_there(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app:
        user_id = await register(app)
    async with build(settings(tmp_path)) as app:
        found = [account.user_id async for account in app.admin.iter_accounts()]
    assert found == [HELPER_ID, user_id]


async def test_build_when_the_helper_is_off_then_it_has_no_account(tmp_path: Path) -> None:
    async with build(settings(tmp_path, helper=HelperSettings(enabled=False))) as app:
        assert [account async for account in app.admin.iter_accounts()] == []


async def test_build_when_self_signed_then_both_ports_speak_tls(tmp_path: Path) -> None:
    async with build(settings(tmp_path, tls=TlsSettings(self_signed=True))) as app:
        assert app.tcp_url.startswith("tinyqqs://")
        assert (await get(app, "/healthz"))[0] == 200
        trust = ssl.create_default_context(cafile=tmp_path / "tls-cert.pem")
        assert app.tcp_address
        reader, writer = await asyncio.open_connection(*app.tcp_address, ssl=trust)
        writer.close()
        await reader.read()


async def test_build_when_another_has_the_data_folder_then_unavailable(tmp_path: Path) -> None:
    async with build(settings(tmp_path)):
        with pytest.raises(Unavailable) as caught:
            async with build(settings(tmp_path, database_url=f"sqlite:///{tmp_path}/other.db")):
                pass
    assert caught.value.fields["lock_file"] == str(tmp_path / "node.lock")


async def test_build_when_a_port_is_taken_then_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = ListenSettings(tcp_port=holder.getsockname()[1], http_port=0)
        with pytest.raises(PortTaken):
            async with build(settings(tmp_path, listen=taken)):
                pass


async def test_build_when_metrics_are_off_then_not_found(tmp_path: Path) -> None:
    async with build(settings(tmp_path / "a")) as app:
        status, text = await get(app, "/metrics")
        assert (status, "tinyqq_lane_batches_total" in text) == (200, True)
    async with build(settings(tmp_path / "b", http=HttpSettings(metrics=False))) as app:
        assert (await get(app, "/metrics"))[0] == 404


async def test_metrics_when_shown_then_each_has_its_text(tmp_path: Path) -> None:
    async with build(settings(tmp_path)) as app:
        shown = shown_metrics((await get(app, "/metrics"))[1])
    assert len(shown) > 50
    assert shown - {f"tinyqq_{name}" for name in METRIC_TEXTS} == set()


@pytest.mark.needs("mariadb", "redis", "zookeeper")
async def test_build_when_nodes_share_registry_and_presence_then_they_see_each_other(
    tmp_path: Path,
    mariadb: MariaDb,
    redis_server: RedisServer,
    zookeeper_server: ZookeeperServer,
    request: pytest.FixtureRequest,
) -> None:
    place = safe_name(request.node.name)
    database = mariadb.make_database()
    await migrate_storage(database)
    shared = {
        "database_url": database,
        "registry": f"{zookeeper_server.url}/{place}",
        "presence": f"{redis_server.url}?prefix={place}",
        "cluster": {"secret": "sixteen bytes or more"},
    }
    async with (
        build(settings(tmp_path / "a", **shared)) as one,
        build(settings(tmp_path / "b", **shared)) as other,
    ):
        for app in (one, other):
            await eventually(lambda app=app: lists_both(app, one, other))  # type: ignore[misc]
            await eventually(lambda app=app: is_well(app))  # type: ignore[misc]
        shown = shown_metrics((await get(one, "/metrics"))[1])
        assert shown - {f"tinyqq_{name}" for name in METRIC_TEXTS} == set()
        named = named_metrics("runbook.md")
        assert named
        assert named - shown == set()


async def is_well(app: App) -> bool:
    status, text = await get(app, "/readyz")
    states = json.loads(text)["states"]
    assert states.keys() == {"registry", "presence", "net", "node"}
    return status == 200 and set(states.values()) == {"ok"}


async def lists_both(app: App, *apps: App) -> bool:
    text = (await get(app, "/v1/units"))[1]
    return all(one.tcp_url in text for one in apps)


def named_metrics(page: str) -> set[str]:
    """What a page of the documents names."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    return set(re.findall(r"`(tinyqq_\w+)`", text))


def shown_metrics(text: str) -> set[str]:
    return set(re.findall(r"^tinyqq_\w+", text, re.MULTILINE))


async def test_build_when_running_then_the_operator_is_answered(tmp_path: Path) -> None:
    async with build(settings(tmp_path)):
        rows = await ask_node(tmp_path, "list", {})
    assert rows is not None
    assert [row["user_id"] for row in rows] == [HELPER_ID]


@pytest.mark.parametrize(
    ("host", "fingerprint", "local_url", "local_tcp_url"),
    [
        ("0.0.0.0", "", "http://127.0.0.1:2", "tinyqq://127.0.0.1:1"),
        ("::", "AB", "https://[::1]:2", "tinyqqs://[::1]:1"),
        ("10.0.0.7", "", "http://10.0.0.7:2", "tinyqq://10.0.0.7:1"),
    ],
)
def test_app_when_it_listens_somewhere_then_this_machine_reaches_it(
    host: str, fingerprint: str, local_url: str, local_tcp_url: str
) -> None:
    nobody = cast(Services, None), cast(AccountAdmin, None), UnitId("here"), MemoryRegistry()
    app = App((host, 1), (host, 2), fingerprint, *nobody)
    assert (app.local_url, app.local_tcp_url) == (local_url, local_tcp_url)
