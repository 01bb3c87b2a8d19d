"""The page moves from unit to unit by itself, and the admin page shows a node die."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import FilePayload, WebSocketRoute, expect
from tests.e2e.processes import Server, run_tinyqq, serving, unit_folder
from tests.e2e.test_cluster import Cluster, sees_nodes
from tests.support.browser import (
    PASSWORD,
    Someone,
    make_friends,
    open_browser,
    serve_flags,
    someone,
    take_picture,
)
from tests.support.clients import next_of, next_texts
from tests.support.eventually import eventually
from tests.support.pictures import photo

from tinyqq.app.build import App
from tinyqq.client import Client, Message, PresenceChanged
from tinyqq.errors import ErrorCode
from tinyqq.lab.servers.process import free_port
from tinyqq.model.connection import GoAway
from tinyqq.model.message import Kind
from tinyqq.wire.framing import HEADER
from tinyqq.wire.packets import PacketType, push_frame

_HINTS: Final = (PacketType.CURSOR_MOVED, PacketType.PRESENCE_CHANGED)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium", "mariadb", "redis", "zookeeper"),
]


@pytest.fixture
def two_units(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """As processes of their own."""
    needs = [str(cluster.shared[name]) for name in ("database_url", "presence", "registry")]
    flags = serve_flags(limits__log_ins_per_s=0, media__store=tmp_path / "media")
    with (
        serving(unit_folder(tmp_path / "a", *needs), *flags) as one,
        serving(unit_folder(tmp_path / "b", *needs), *flags) as two,
    ):
        yield one, two


async def send_picture(person: Someone, side: int) -> None:
    """A square."""
    file: FilePayload = {
        "name": "海边.jpg",
        "mimeType": "image/jpeg",
        "buffer": photo((side, side)),
    }
    await person.page.locator(".composer input[type=file]").set_input_files(file)
    await person.composer.press("Enter")


async def sees_picture(person: Someone, side: int) -> None:
    """Wait until the last one that others have sent is there."""
    picture = person.page.locator(".message:not(.own) .picture img").last
    await expect(picture).to_have_js_property("naturalWidth", side)


async def test_unit_when_killed_then_its_page_moves_and_the_admin_page_shows_it_gone(
    two_units: tuple[Server, Server], tmp_path: Path
) -> None:
    one, two = two_units
    ming_id, hong_id = await make_friends(two.url, "小明", "小红")
    await asyncio.to_thread(
        run_tinyqq, tmp_path / "b", "user", "add", "管理员", "--admin", "--password", PASSWORD,
        "--data-dir", str(tmp_path / "b" / "data"),
    )  # fmt: skip
    async with (
        open_browser() as browser,
        someone(browser, one.url) as ming,
        someone(browser, two.url) as hong,
        someone(browser, two.url) as admin,
    ):
        await admin.log_in(hong_id + 1, "/admin")
        cards = admin.page.locator(".cards .card")
        await expect(cards).to_have_count(2)
        await ming.log_in(ming_id)
        await hong.log_in(hong_id)
        await ming.open_chat("小红")
        await hong.open_chat("小明")
        await ming.say("一", "二")
        await hong.sees("一", "二")
        await take_picture(admin.page, "cluster-whole")

        one.kill()
        await ming.say("三", "四")
        await hong.say("五")
        for person in (ming, hong):
            await expect(person.bubbles).to_have_count(5)
            await expect(person.page.locator(".state.sending")).to_have_count(0)
            await person.sees_connection(is_there=True)
        texts = await ming.bubbles.all_inner_texts()
        assert texts == await hong.bubbles.all_inner_texts()
        assert [text for text in texts if text != "五"] == ["一", "二", "三", "四"]
        await ming.sees_mark("已读")
        # Files too: to the unit that the page moved to, and from it.
        await send_picture(ming, 30)
        await sees_picture(hong, 30)
        await send_picture(hong, 40)
        await sees_picture(ming, 40)

        await expect(admin.page.locator(".cards .card.lost")).to_have_count(1)
        await expect(admin.page.locator(".cards .card.ok")).to_have_count(1)
        await take_picture(admin.page, "cluster-after-a-kill")


def known_as(host: str, media: Path) -> dict[str, object]:
    """Settings of a unit that pages know by this name of the machine."""
    port = free_port()
    return {
        "listen": {
            "tcp_port": 0,
            "http_port": port,
            "node_port": 0,
            "public_http": f"http://{host}:{port}",
        },
        "media": {"store": str(media)},
        "drain": {"window_s": 0.0},
        "helper": {"enabled": False},
    }


async def test_page_when_its_node_is_gone_then_units_that_start_later_on_other_hosts_take_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    here, there = (partial(known_as, host, tmp_path) for host in ("127.0.0.1", "localhost"))
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        one = await first.enter_async_context(cluster.unit("one", **here()))
        two = await second.enter_async_context(cluster.unit("two", **there()))
        await sees_nodes(two, 2)
        ming_id, hong_id = await make_friends(one.http_url, "小明", "小红")
        async with open_browser() as browser, someone(browser, one.http_url) as ming:
            await ming.log_in(ming_id)
            await ming.open_chat("小红")
            await first.aclose()
            await ming.say("一")
            await ming.sees_mark("已发送")
            async with cluster.unit("three", **there()) as three:
                await eventually(
                    lambda: three.unit_id in {node.unit_id for node in two.registry.nodes()}
                )
                await second.aclose()
                await ming.say("二")
                await ming.sees_mark("已发送")
                async with Client(three.http_url) as hong:
                    await hong.login(hong_id, PASSWORD)
                    assert await next_texts(hong, 2) == ["一", "二"]
                    await send_picture(ming, 30)
                    assert (await next_of(hong, Message)).kind == Kind.IMAGE
                    await hong.send_image(ming_id, photo((40, 30)), name="海边.jpg")
                    await sees_picture(ming, 30)
                await ming.go("#/settings/storage")
                await expect(ming.page.locator("main li")).to_have_count(1)


class Wire:
    """The page's connections, of which the first can be made to lose what is told in passing."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self.is_losing = False
        self._first: WebSocketRoute | None = None

    def connect(self, page: WebSocketRoute) -> None:
        """Lead a connection to its server."""
        is_first = self._first is None
        self._first = self._first or page
        self.urls.append(page.url)
        server = page.connect_to_server()

        def on_message(packet: str | bytes) -> None:
            assert isinstance(packet, bytes)
            is_hint = HEADER.unpack_from(packet)[1] in _HINTS
            if not (is_first and self.is_losing and is_hint):
                page.send(packet)

        server.on_message(on_message)

    def send_away(self, url: str) -> None:
        """Tell the page to move to another unit at once."""
        assert self._first is not None
        self._first.send(push_frame(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, url)))


def web_socket(unit: App) -> str:
    """Where pages find a unit."""
    return unit.http_url.replace("http", "ws", 1) + "/ws"


@pytest.fixture
async def units(cluster: Cluster) -> AsyncIterator[tuple[App, App]]:
    """Two whose clients send no heartbeat, by which they would find that something was lost."""
    calm = {"limits": {"idle_timeout_s": 3_600.0}}
    async with cluster.unit("one", **calm) as one, cluster.unit("two", **calm) as two:
        for unit in (one, two):
            await sees_nodes(unit, 2)
        yield one, two


async def test_reading_and_leaving_when_a_page_moves_just_then_then_it_shows_both(
    units: tuple[App, App],
) -> None:
    ming_id, hong_id, gang_id = await make_friends(units[0].http_url, "小明", "小红", "小刚")
    wire = Wire()
    async with open_browser() as browser, someone(browser, units[0].http_url) as ming:
        await ming.context.route_web_socket("**/ws", wire.connect)
        await ming.log_in(ming_id)
        # The page takes the unit that the directory names first.
        here, there = sorted(units, key=lambda one: web_socket(one) != wire.urls[0])
        async with Client(here.tcp_url) as gang:
            await gang.login(gang_id, PASSWORD)
            async with Client(there.tcp_url) as hong:
                await hong.login(hong_id, PASSWORD)
                await ming.open_chat("小红")
                await ming.sees_line("在线")
                await ming.say("在吗")
                sent = await next_of(hong, Message)
                while sent.text != "在吗":  # the helper has greeted
                    sent = await next_of(hong, Message)
                await ming.sees_mark("已送达")

                wire.is_losing = True
                await hong.mark_read(sent.conversation)

                async def is_read() -> bool:
                    lines = await hong.conversations()
                    return any(one.read_seq == sent.seq for one in lines)

                await eventually(is_read)
            # Hints of one unit to another come in order: who hears this, where the page is too,
            # knows that the page was written to.
            gone = await next_of(gang, PresenceChanged)
            while (gone.user_id, gone.online) != (hong_id, False):
                gone = await next_of(gang, PresenceChanged)
        await ming.sees_mark("已送达")
        await ming.sees_line("在线")

        wire.send_away(web_socket(there))
        await ming.sees_mark("已读")
        await ming.sees_line(re.compile("^(上次在线|离线)"))
        assert wire.urls == [web_socket(here), web_socket(there)]
