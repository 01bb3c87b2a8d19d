"""People who talk in browsers, with nothing going wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.e2e.processes import Server, serving
from tests.support.browser import open_browser, serve_flags, someone

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), *serve_flags()) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as made:
        yield made


async def test_two_people_when_they_meet_then_they_become_friends_and_talk(
    server: Server, browser: Browser
) -> None:
    async with (
        someone(browser, server.url) as ming,
        someone(browser, server.url) as hong,
    ):
        await ming.sign_up("小明")
        await hong.sign_up("小红")
        await ming.go("#/contacts/add")
        await ming.fill("输入号码或昵称", hong.number)
        await ming.press("查找")
        await ming.press("查看")
        await ming.press("加好友")
        await ming.press("发送请求")
        await hong.go("#/contacts/requests")
        await hong.press("同意小明")

        await ming.press("发消息")
        await ming.say("你好，小红 👋🏽", "周六去爬山吗？🏔️")
        await hong.go("#/chats")
        await expect(hong.row("小明")).to_contain_text("周六去爬山吗？🏔️")
        await expect(hong.row("小明")).to_contain_text("2 条未读")
        await ming.sees_mark("已送达")
        await hong.open_chat("小明")
        await hong.sees("你好，小红 👋🏽", "周六去爬山吗？🏔️")
        await ming.sees_mark("已读")
        await hong.say("好呀！\n几点？")
        await ming.sees("你好，小红 👋🏽", "周六去爬山吗？🏔️", "好呀！\n几点？")
