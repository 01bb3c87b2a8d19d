"""A node is killed: the page moves to another by itself, and the admin page shows it die."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, expect
from tests.e2e.processes import Server, run_tinyqq, serving, unit_folder
from tests.e2e.test_cluster import Cluster
from tests.support.browser import (
    PASSWORD,
    Someone,
    make_friends,
    open_browser,
    serve_flags,
    someone,
    take_picture,
)
from tests.support.pictures import photo

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
            await person.sees_connection(is_there=True)
        texts = await ming.bubbles.all_inner_texts()
        assert texts == await hong.bubbles.all_inner_texts()
        assert [text for text in texts if text != "五"] == ["一", "二", "三", "四"]
        # A mark that was told while its receiver moved is told with the next one.
        await ming.say("六")
        await ming.sees_mark("已读")
        # Files too: to the unit that the page moved to, and from it.
        await send_picture(ming, 30)
        await sees_picture(hong, 30)
        await send_picture(hong, 40)
        await sees_picture(ming, 40)

        await expect(admin.page.locator(".cards .card.lost")).to_have_count(1)
        await expect(admin.page.locator(".cards .card.ok")).to_have_count(1)
        await take_picture(admin.page, "cluster-after-a-kill")
