"""Every screen, in both languages and themes, wide and on a phone: readable for everybody.

axe-core looks for what keeps people out. Pictures of all screens are kept (tests/support/browser.py
says where); docs/images/ has some of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.e2e.processes import Server, run_tinyqq
from tests.support.browser import (
    PASSWORD,
    PHONE,
    WIDE,
    Someone,
    make_friends,
    someone,
    take_picture,
)

from tinyqq.client import Client
from tinyqq.model.group import JoinPolicy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]

AXE: Final = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_ASK_AXE: Final = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter((one) => one.impact === "serious" || one.impact === "critical")
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`);
}
"""
TALK: Final = {
    "zh": (
        ("小红", "小刚", "陌生人", "周末爬山小队", "我是陌生人，想认识你"),
        (
            "周六天气不错，去爬山吗？🏔️",
            "好呀！几点出发？",
            "八点，地铁口见。记得带水 💧",
            "我带相机 📷 上次那张日出你还留着吗？",
            "留着，当壁纸呢",
            "👌",
            "路线发给你：",
        ),
    ),
    "en": (
        ("Ruby", "Gary", "Stranger", "Weekend hikers", "We met last week"),
        (
            "Nice weather on Saturday, shall we hike? 🏔️",
            "Sure! When do we start?",
            "Eight, at the station. Bring some water 💧",
            "I'll bring the camera 📷",
            "Great, the last sunrise is still my wallpaper",
            "👌",
            "Here is the way:",
        ),
    ),
}
LOOKS: Final = (
    pytest.param("zh", "light", WIDE, id="zh-light-wide"),
    pytest.param("zh", "dark", WIDE, id="zh-dark-wide"),
    pytest.param("en", "dark", PHONE, id="en-dark-phone"),
    pytest.param("en", "light", PHONE, id="en-light-phone"),
)
ADMIN_LOOKS: Final = (LOOKS[0], LOOKS[2])
SHOWS: Final = {
    **dict.fromkeys(("person", "group-page", "conversation-info", "group-info"), ".details h2"),
    **dict.fromkeys(("conversation", "group"), ".message"),
    "notes": ".composer textarea",
    "contacts-requests": "button.small.first",
}
"""What is looked at, where a screen asks the server for it: no picture before it is there."""


@dataclass(frozen=True)
class World:
    """People who have talked. ``me``: the one whose screens are looked at."""

    me: int
    friend: int
    group: int

    def screens(self) -> dict[str, str]:
        """By the name of their pictures, where they are."""
        direct = min(self.me, self.friend) << 32 | max(self.me, self.friend)
        pages = ("contacts", "contacts/add", "contacts/requests", "contacts/blocked", "groups")
        settings = ("profile", "look", "notifications", "storage", "devices", "password", "account")
        return {
            "chats": "#/chats",
            "conversation": f"#/chats/{direct}",
            "conversation-info": f"#/chats/{direct}/info",
            "group": f"#/chats/{self.group}",
            "group-info": f"#/chats/{self.group}/info",
            "notes": f"#/chats/{self.me << 32 | self.me}",
            "person": f"#/contacts/{self.friend}",
            "group-page": f"#/groups/{self.group}",
            **{page.replace("/", "-"): f"#/{page}" for page in pages},
            "group-create": "#/groups/create",
            "group-join": "#/groups/join",
            "settings": "#/settings",
            **{f"settings-{page}": f"#/settings/{page}" for page in settings},
        }


async def make_world(url: str, language: str) -> World:
    """Three friends, a group, and somebody who wants to be one."""
    (ruby, gary, stranger, name, note), lines = TALK[language]
    me_id, ruby_id, gary_id = await make_friends(
        url, "小明" if language == "zh" else "Ming", ruby, gary
    )
    async with Client(url) as me, Client(url) as other, Client(url) as third, Client(url) as new:
        for client, number in ((me, me_id), (other, ruby_id), (third, gary_id)):
            await client.login(number, PASSWORD)
        await new.login((await new.register(stranger, PASSWORD)).user_id, PASSWORD)
        await new.friends.request(me_id, note)
        group = await me.groups.create(name, join_policy=JoinPolicy.OPEN)
        for client in (other, third):
            await client.groups.join(group)
        for at, line in enumerate(lines):
            await (me.send(ruby_id, line) if at % 2 == 0 else other.send(me_id, line))
        await me.send(ruby_id, "https://example.org/trails/42")
        await third.send_group(group, lines[0])
        await me.send_group(group, lines[1])
        await other.send_group(group, lines[2])
        await third.send(me_id, lines[1])
    return World(me_id, ruby_id, group)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worlds(web_server: Server) -> AsyncIterator[dict[str, World]]:
    yield {language: await make_world(web_server.url, language) for language in TALK}


async def complaints(page: Page) -> list[str]:
    """What axe calls serious or worse."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(_ASK_AXE)
    return found


async def settle(page: Page) -> None:
    """Until nothing is being loaded or moved."""
    await expect(page.locator(".spinner")).to_have_count(0)
    await page.evaluate("() => document.fonts.ready")


async def prefer(one: Someone, language: str, theme: str) -> None:
    """Choose what the settings of the browser would choose."""
    chosen = json.dumps(json.dumps({"language": language, "theme": theme}))
    keep = f"localStorage.setItem('tinyqq.preferences', {chosen})"
    await one.context.add_init_script(f"if (location.protocol === 'http:') {keep}")


async def look_round(one: Someone, screens: dict[str, str], name: str) -> dict[str, list[str]]:
    """Go to every screen and take its picture; what axe complains of, by screen."""
    found = {}
    for screen, place in screens.items():
        await one.go(place)
        await expect(one.page.locator(SHOWS.get(screen, "h1")).last).to_be_visible()
        await settle(one.page)
        await take_picture(one.page, f"{screen}-{name}")
        if said := await complaints(one.page):
            found[screen] = said
        width = await one.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{screen} is too wide by {width} px"
    return found


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS)
async def test_screens_when_looked_at_then_nobody_is_kept_out(
    web_server: Server,
    browser: Browser,
    worlds: dict[str, World],
    language: str,
    theme: str,
    size: tuple[int, int],
) -> None:
    world = worlds[language]
    name = f"{language}-{theme}-{'phone' if size == PHONE else 'wide'}"
    async with someone(browser, web_server.url, size=size, has_touch=size == PHONE) as ming:
        await prefer(ming, language, theme)
        await ming.open()
        await expect(ming.page.locator(".entry")).to_be_visible()
        await take_picture(ming.page, f"log-in-{name}")
        assert await complaints(ming.page) == []
        await ming.page.close()
        await ming.log_in(world.me)
        assert await look_round(ming, world.screens(), name) == {}


async def test_language_when_the_browser_says_english_then_the_page_speaks_it(
    web_server: Server, browser: Browser
) -> None:
    async with someone(browser, web_server.url, language="en-GB", color_scheme="dark") as ann:
        page = await ann.open()
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await ann.press("中文")
        await expect(page.get_by_role("heading", name="登录")).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
        await page.get_by_role("button", name="主题").click()
        await expect(page.locator("body")).not_to_have_css("background-color", dark)
        await page.reload()
        await expect(page.get_by_role("heading", name="登录")).to_be_visible()


async def test_phone_when_a_chat_is_opened_then_it_has_the_screen_and_back_leads_to_the_list(
    web_server: Server, browser: Browser, worlds: dict[str, World]
) -> None:
    async with someone(browser, web_server.url, size=PHONE, has_touch=True) as ming:
        await ming.log_in(worlds["zh"].me)
        await expect(ming.page.locator(".conversation")).to_have_count(0)
        await ming.row("小红").tap()
        await expect(ming.page.locator(".column")).to_be_hidden()
        box = await ming.composer.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= PHONE[1]
        await ming.page.locator(".composer").get_by_role("button", name="表情").tap()
        await ming.page.get_by_role("button", name="😀").first.tap()
        await ming.page.get_by_role("button", name="发送", exact=True).tap()
        await expect(ming.bubbles.last).to_have_text("😀")
        await ming.page.get_by_role("button", name="返回").tap()
        await expect(ming.row("小红")).to_contain_text("😀")
        await ming.page.go_back()
        await expect(ming.page.locator(".conversation h1")).to_have_text("小红")


@pytest.fixture(scope="module")
def administrator(web_server: Server, web_folder: Path) -> str:
    """The number of one."""
    options = ("--admin", "--password", PASSWORD, "--data-dir", "data")
    made = run_tinyqq(web_folder, "user", "add", "管理员", *options)
    [number] = re.findall(r"\d+", made.stdout)[:1]
    return str(number)


@pytest.mark.parametrize(("language", "theme", "size"), ADMIN_LOOKS)
async def test_admin_page_when_looked_at_then_nobody_is_kept_out(
    web_server: Server,
    browser: Browser,
    administrator: str,
    language: str,
    theme: str,
    size: tuple[int, int],
) -> None:
    name = f"{language}-{theme}-{'phone' if size == PHONE else 'wide'}"
    async with someone(browser, web_server.url, size=size) as admin:
        await prefer(admin, language, theme)
        await admin.log_in(administrator, "/admin")
        sections = ("cluster", "charts", "users", "groups")
        places = {f"admin-{section}": f"#/{section}" for section in sections}
        assert await look_round(admin, places, name) == {}
