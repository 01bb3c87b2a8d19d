"""What hostile people write is text to everybody else, wherever it is shown."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Browser, expect
from tests.e2e.processes import Server
from tests.support.browser import PASSWORD, TALL, make_friends, someone
from tests.support.eventually import eventually

from tinyqq.client import Client
from tinyqq.model.group import JoinPolicy

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]

ATTACK: Final = "<img src=x onerror=alert(1)>"
TEXTS: Final = (
    '<img src=x onerror="alert(1)">',
    "<script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "{{constructor.constructor('alert(1)')()}}",
    "javascript:alert(1)",
    "https://example.org/?<script>alert(1)</script>",
    'https://example.org/"onmouseover="alert(1)',
    "data:text/html,<script>alert(1)</script>",
    "\u202egnp.exe",
    "${alert(1)} `alert(1)` @<b>所有人</b>",
)


async def test_hostile_when_they_write_everywhere_then_it_is_all_text(
    web_server: Server, browser: Browser
) -> None:
    [ming_id] = await make_friends(web_server.url, "小明")
    async with Client(web_server.url) as eve, Client(web_server.url) as friend:
        eve_id = (await eve.register(ATTACK, PASSWORD)).user_id
        await eve.login(eve_id, PASSWORD)
        await eve.account.update_profile(signature=ATTACK)
        await eve.friends.request(ming_id, ATTACK)
        group_id = await eve.groups.create(ATTACK, join_policy=JoinPolicy.OPEN)
        await eve.groups.update(group_id, announcement=ATTACK)
        await friend.login(ming_id, PASSWORD)
        async with someone(browser, web_server.url, size=TALL) as ming:
            await ming.log_in(ming_id)
            await ming.go("#/contacts/requests")
            await expect(ming.page.locator(".content")).to_contain_text(ATTACK)
            await ming.go(f"#/contacts/{eve_id}")
            await expect(ming.page.locator(".details")).to_contain_text(
                f"对方想加你为好友：{ATTACK}"
            )
            await ming.press("同意")
            await friend.groups.join(group_id)
            for text in TEXTS:
                await eve.send(ming_id, text)
                await eve.send_group(group_id, text)
            for place in (f"#/chats/{friend.conversation_with(eve_id)}", f"#/chats/{group_id}"):
                await ming.go(place)
                await expect(ming.page.locator(".conversation h1")).to_have_text(ATTACK)
                await ming.sees(*TEXTS)
                await ming.go(f"{place}/info")
                await expect(ming.page.locator("aside")).to_contain_text(ATTACK)
                links = await ming.page.locator(".history a:not(.face)").evaluate_all(
                    "all => all.map((one) => one.protocol)"
                )
                assert set(links) == {"https:"}
            await ming.go(f"#/groups/{group_id}")
            await expect(ming.page.locator(".content")).to_contain_text(ATTACK)
            await ming.page.keyboard.press("Control+k")
            await ming.page.get_by_role("combobox").fill("<img")
            await expect(ming.page.get_by_role("option").first).to_contain_text(ATTACK)
            made = await ming.page.locator(
                "img[src=x], .history svg[onload], .history script"
            ).count()
            assert made == 0


async def test_page_when_it_would_run_what_is_not_its_own_then_the_browser_refuses(
    web_server: Server, browser: Browser
) -> None:
    """The policy itself holds, should a text ever become markup; and the watch of all tests too."""
    async with someone(browser, web_server.url) as ming:
        page = await ming.open()
        await expect(page.locator(".entry")).to_be_visible()
        await page.evaluate(
            """() => {
                const holder = document.createElement("div");
                holder.innerHTML = '<img src="/nothing.png" onerror="window.hit = 1">';
                document.body.append(holder);
                const script = document.createElement("script");
                script.textContent = "window.hit = 1";
                document.body.append(script);
                return fetch("http://127.0.0.1:9/").catch(() => undefined);
            }"""
        )
        await eventually(lambda: len(ming.faults) >= 3)
        assert await page.evaluate("window.hit") is None
        ming.faults.clear()


async def test_cookie_when_logged_in_then_no_script_reads_it(
    web_server: Server, browser: Browser
) -> None:
    [number] = await make_friends(web_server.url, "小明")
    async with someone(browser, web_server.url) as ming:
        await ming.log_in(number)
        [cookie] = await ming.context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert cookie["path"] == "/v1/session"
        secret = cookie["value"].partition(".")[2]
        seen = await ming.page.evaluate(
            """async () => {
                const kept = [document.cookie, JSON.stringify({...localStorage})];
                for (const {name} of await indexedDB.databases()) kept.push(name);
                return kept.join();
            }"""
        )
        assert len(secret) > 20
        assert secret not in seen
