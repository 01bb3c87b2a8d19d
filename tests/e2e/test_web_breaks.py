"""People who talk in browsers while connections, servers and pages go away and come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.e2e.processes import Server, lasting_ports, serving
from tests.support.browser import PASSWORD, TALL, make_friends, serve_flags, someone
from tests.support.clients import next_texts
from tests.support.eventually import eventually
from tests.support.relay import relay_to

from tinyqq.client import Client
from tinyqq.lab.servers.process import free_port

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_one_when_offline_for_a_while_then_nothing_is_lost_and_the_order_kept(
    browser: Browser, tmp_path: Path
) -> None:
    async with relay_to("127.0.0.1", free_port()) as wire:
        public = f"http://127.0.0.1:{wire.url.rpartition(':')[2]}"
        with serving(tmp_path, *serve_flags(listen__public_http=public)) as server:
            wire.lead_to("127.0.0.1", int(server.url.rpartition(":")[2]))
            ming_id, hong_id = await make_friends(server.url, "小明", "小红")
            async with Client(server.tcp_url) as ming, someone(browser, public) as hong:
                await ming.login(ming_id, PASSWORD)
                await hong.log_in(hong_id)
                await hong.open_chat("小明")
                await ming.send(hong_id, "之前")
                await hong.sees("之前")

                wire.lead_to("127.0.0.1", free_port())
                wire.cut()
                await hong.sees_connection(is_there=False)
                await hong.say("我在隧道里", "没有信号")
                await expect(hong.page.locator(".state.sending")).to_have_count(2)
                for text in ("一", "二", "三"):
                    await ming.send(hong_id, text)
                wire.lead_to("127.0.0.1", int(server.url.rpartition(":")[2]))

                await hong.sees("之前", "一", "二", "三", "我在隧道里", "没有信号")
                await hong.sees_connection(is_there=True)
                assert await next_texts(ming, 2, own=False) == ["我在隧道里", "没有信号"]


async def test_server_when_killed_amid_sends_then_all_arrive_once_in_order(
    browser: Browser, tmp_path: Path
) -> None:
    texts = [f"第 {number} 条 ✉️" for number in range(40)]
    ports = lasting_ports()
    with serving(tmp_path, *ports, *serve_flags()) as first:
        ming_id, hong_id = await make_friends(first.url, "小明", "小红")
        async with (
            someone(browser, first.url, size=TALL) as ming,
            someone(browser, first.url, size=TALL) as hong,
        ):
            await ming.log_in(ming_id)
            await hong.log_in(hong_id)
            await ming.open_chat("小红")
            await hong.open_chat("小明")
            await ming.wait_kept()
            await ming.say(*texts[:15])
            first.kill()
            await ming.say(*texts[15:30])
            await ming.sees_connection(is_there=False)

            async def is_all_stored() -> bool:
                stored = await ming.stored("outgoing", "place")
                return len(stored) == await ming.page.locator(".state.sending").count()

            await eventually(is_all_stored)
            # The page opens without a server after one visit, also what nobody has looked at yet;
            # and what has not been sent outlives it.
            await ming.page.reload()
            await ming.go("#/settings/notifications")
            await expect(ming.page.get_by_role("heading", name="通知")).to_be_visible()
            await ming.open_chat("小红")
            await ming.say(*texts[30:])
            await ming.sees(*texts)
            with serving(tmp_path, *ports, *serve_flags()):
                for one in (ming, hong):
                    await one.reconnect()
                    await one.sees_connection(is_there=True)
                    await one.sees(*texts)
                await ming.sees_mark("已读")
                await expect(ming.page.locator(".state.sending")).to_have_count(0)
                # What the page shows is what the server has.
                await hong.page.reload()
                await hong.sees(*texts)


async def test_page_when_reloaded_then_the_draft_and_the_place_are_still_there(
    web_server: Server, browser: Browser
) -> None:
    ming_id, _ = await make_friends(web_server.url, "小明", "小红")
    async with someone(browser, web_server.url) as ming:
        await ming.log_in(ming_id)
        await ming.open_chat("小红")
        await ming.say("已发出")
        await ming.composer.press_sequentially("写到一半……")
        await ming.go("#/chats")
        await expect(ming.row("小红")).to_contain_text("[草稿] 写到一半……")
        await ming.open_chat("小红")

        async def is_stored() -> bool:
            return "写到一半……" in await ming.stored("conversations", "draft")

        await eventually(is_stored)
        await ming.page.reload()
        await ming.sees("已发出")
        await expect(ming.composer).to_have_value("写到一半……")


async def test_account_when_another_browser_logs_in_then_the_first_says_so(
    web_server: Server, browser: Browser
) -> None:
    [number] = await make_friends(web_server.url, "小明")
    async with (
        someone(browser, web_server.url) as first,
        someone(browser, web_server.url) as second,
    ):
        await first.log_in(number)
        await second.log_in(number)
        await expect(first.page.get_by_role("dialog", name="你已下线")).to_be_visible()
        await first.press("重新登录")
        await expect(first.page.locator("input[type=password]")).to_be_visible()
        await second.sees_connection(is_there=True)
