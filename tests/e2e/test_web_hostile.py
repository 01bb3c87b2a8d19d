"""What hostile people write is text to everybody else, wherever it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect
from tests.e2e.processes import Server
from tests.support.browser import PASSWORD, TALL, make_friends, someone
from tests.support.eventually import eventually
from tests.support.pictures import photo
from tests.support.wire import HELLO, code_of, decode, frame, parse

from tinyqq.client import Client
from tinyqq.errors import ErrorCode
from tinyqq.model.account import DeviceKind, LogIn, Register
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import DeviceId, OperationId, UserId
from tinyqq.wire.packets import PacketType

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
            await expect(ming.page.get_by_role("button", name="发消息", exact=True)).to_be_visible()
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
                return import("http://127.0.0.1:9/script.js").catch(() => undefined);
            }"""
        )
        # Of each the browser tells, and so does the watch of all tests.
        await eventually(lambda: len(ming.faults) == 6)
        assert await page.evaluate("window.hit") is None
        ming.faults.clear()


@asynccontextmanager
async def hostile_site() -> AsyncIterator[int]:
    """The port at which this machine serves an empty page of somebody else."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        assert server.port is not None
        yield server.port


ASK: Final = """async ([url, init]) => {
    try {
        return (await fetch(url, init)).status;
    } catch {
        return "unreadable";
    }
}"""
SAY: Final = """([url, packets]) => new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    const heard = [];
    socket.onopen = () => packets.forEach((packet) => socket.send(new Uint8Array(packet)));
    socket.onmessage = ({data}) => {
        heard.push([...new Uint8Array(data)]);
        if (heard.length === packets.length) resolve(heard);
    };
    socket.onclose = () => reject(new Error("closed"));
})"""


async def test_page_of_another_site_when_somebody_is_logged_in_then_it_gets_nothing(
    web_server: Server, browser: Browser
) -> None:
    ming_id, hong_id = await make_friends(web_server.url, "小明", "小红")
    async with Client(web_server.url) as hong, someone(browser, web_server.url) as ming:
        await hong.login(hong_id, PASSWORD)
        await hong.send_image(ming_id, photo(), name="海边.jpg")
        await ming.log_in(ming_id)
        async with ming.page.expect_request("**/thumbnail") as asking:
            await ming.open_chat("小红")
        asked = await asking.value
        await expect(ming.page.locator(".message .picture img")).to_have_js_property(
            "complete", True
        )
        async with hostile_site() as port:
            page = await ming.context.new_page()
            # The same site, by which browsers tell cookies and caches apart, and another one.
            for host in ("127.0.0.1", "localhost"):
                await page.goto(f"http://{host}:{port}")

                async def ask(page: Page, url: str, **init: object) -> object:
                    return await page.evaluate(ASK, [url, init])

                # What the browser has kept for the page is not for this one.
                for cache in ("default", "force-cache"):
                    assert await ask(page, asked.url, cache=cache) == 401
                assert await ask(page, asked.url, credentials="include") == "unreadable"
                for path, method in {
                    "/v1/session/resume": "POST",
                    "/v1/session": "DELETE",
                    "/v1/token": "POST",
                    "/v1/admin/me": "GET",
                }.items():
                    how = {"method": method, "credentials": "include"}
                    assert await ask(page, f"{web_server.url}{path}", **how) == "unreadable"

            socket = f"{web_server.url.replace('http', 'ws', 1)}/ws"
            log_in = LogIn(UserId(ming_id), PASSWORD, DeviceId(bytes(16)), DeviceKind.WEB)
            for request in (
                frame(PacketType.LOG_IN, 2, log_in),
                frame(PacketType.REGISTER, 2, Register(OperationId(bytes(16)), "Eve", PASSWORD)),
            ):
                heard = await page.evaluate(SAY, [socket, [list(HELLO), list(request)]])
                answers = [decode(one) for packet in heard for one in parse(bytes(packet))]
                assert code_of(answers[-1][2]) is ErrorCode.FORBIDDEN
        assert all("blocked by CORS policy" in fault for fault in ming.faults)
        ming.faults.clear()
        # Nothing of it has logged anybody out.
        await ming.page.reload()
        await ming.wait_inside()


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
