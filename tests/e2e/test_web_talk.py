"""People who talk in browsers, with nothing going wrong."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from playwright.async_api import Browser, expect
from tests.e2e.processes import Server
from tests.support.browser import PASSWORD, PHONE, Someone, make_friends, someone
from tests.support.clients import next_texts
from tests.support.eventually import eventually
from tests.support.pictures import picture

from tinyqq.client import Client
from tinyqq.model.ids import ConversationId, UserId, direct_conversation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]

SEEN, UNREAD = 90, 70
"""More than a page of each: the page reads on at both ends."""
FRAMES = 60
_UNREAD_LINE = """() => {
  const [view, line] = [".history", ".history .unread"].map((one) => document.querySelector(one));
  return line && line.getBoundingClientRect().top - view.getBoundingClientRect().top;
}"""


async def connections(server: Server) -> int:
    """How many clients the server has."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/metrics") as answer:
        shown = await answer.text()
    [count] = re.findall(r"^tinyqq_gateway_open_connections (\S+)$", shown, re.M)
    return int(float(count))


@asynccontextmanager
async def two_in_their_chat(browser: Browser, url: str) -> AsyncIterator[tuple[Someone, Someone]]:
    """Two friends, each looking at the chat with the other."""
    ming_id, hong_id = await make_friends(url, "小明", "小红")
    async with someone(browser, url) as ming, someone(browser, url) as hong:
        await ming.log_in(ming_id)
        await hong.log_in(hong_id)
        await ming.open_chat("小红")
        await hong.open_chat("小明")
        yield ming, hong


async def is_read(client: Client, conversation_id: ConversationId) -> bool:
    """Whether nothing is unread there."""
    listed = {one.conversation_id: one for one in await client.conversations()}
    return listed[conversation_id].unread == 0


async def is_at_top(find_top: Callable[[], Awaitable[float | None]]) -> bool:
    """Whether the line above what is unread stands where one begins to read."""
    top = await find_top()
    return top is not None and abs(top) < 40


async def test_two_people_when_they_meet_then_they_become_friends_and_talk(
    web_server: Server, browser: Browser
) -> None:
    async with (
        someone(browser, web_server.url) as ming,
        someone(browser, web_server.url) as hong,
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
        await hong.row("小明").click()
        await hong.sees("你好，小红 👋🏽", "周六去爬山吗？🏔️")
        await ming.sees_mark("已读")
        await hong.say("好呀！\n几点？")
        await ming.sees("你好，小红 👋🏽", "周六去爬山吗？🏔️", "好呀！\n几点？")


async def test_three_when_one_makes_a_group_then_the_others_see_it_and_who_is_meant(
    web_server: Server, browser: Browser
) -> None:
    numbers = await make_friends(web_server.url, "小明", "小红", "小刚")
    async with (
        someone(browser, web_server.url) as ming,
        someone(browser, web_server.url) as hong,
        someone(browser, web_server.url) as gang,
    ):
        for one, number in zip((ming, hong, gang), numbers, strict=True):
            await one.log_in(number)
        # Nobody has written yet: friends are in the list all the same.
        await expect(hong.row("小明")).to_contain_text("你们已成为好友")
        await ming.go("#/groups/create")
        await ming.fill("群名称", "周末爬山")
        for friend in ("小红", "小刚"):
            await ming.page.get_by_role("checkbox", name=friend).check()
        # It is told as it comes.
        told = [one.sees_in_passing(".toast", "小明邀请你加入“周末爬山”") for one in (hong, gang)]
        create = ming.page.get_by_role("main").get_by_role("button", name="创建群聊")
        await asyncio.gather(*told, create.click())
        await expect(ming.page.locator(".conversation h1")).to_have_text("周末爬山")
        for one in (hong, gang):
            await join_invited(one)

        await ming.composer.press_sequentially("大家好 @小")
        await ming.page.get_by_role("option", name="小刚").click()
        await ming.composer.press_sequentially("带相机 📷")
        await ming.composer.press("Enter")
        await expect(gang.row("周末爬山")).to_contain_text("[有人@我]")
        await expect(hong.row("周末爬山")).to_contain_text("大家好 @小刚 带相机 📷")
        await expect(hong.row("周末爬山")).not_to_contain_text("[有人@我]")
        await gang.open_chat("周末爬山")
        await gang.sees("大家好 @小刚 带相机 📷")
        await expect(gang.page.locator(".mention.me")).to_have_text("@小刚")
        await gang.say("收到！")
        await ming.sees("大家好 @小刚 带相机 📷", "收到！")


async def test_two_tabs_when_one_talks_then_both_show_it_over_one_connection(
    web_server: Server, browser: Browser
) -> None:
    ming_id, hong_id = await make_friends(web_server.url, "小明", "小红")
    async with (
        someone(browser, web_server.url) as ming,
        someone(browser, web_server.url) as hong,
    ):
        await hong.log_in(hong_id)
        await hong.open_chat("小明")
        await ming.log_in(ming_id)
        await ming.open_chat("小红")
        first = ming.page
        second = await ming.open()
        await ming.wait_inside()
        await ming.open_chat("小红")
        assert await connections(web_server) == 2
        await ming.say("从第二个标签页")
        await hong.sees("从第二个标签页")
        await hong.say("看到了")
        for tab in (first, second):
            await expect(tab.locator(".message .bubble .text")).to_have_text(
                ["从第二个标签页", "看到了"]
            )

        await first.close()
        await hong.say("还在吗？")
        await ming.sees("从第二个标签页", "看到了", "还在吗？")
        await ming.say("在")
        await hong.sees("从第二个标签页", "看到了", "还在吗？", "在")
        await eventually(lambda: has_connections(web_server, 2))


async def has_connections(server: Server, count: int) -> bool:
    return await connections(server) == count


async def join_invited(one: Someone) -> None:
    """Accept the invitation to a group; it is no note to oneself."""
    await one.page.get_by_role("navigation").get_by_role("button", name="群聊").click()
    await one.page.get_by_role("button", name="群邀请").click()
    await one.press("同意周末爬山")
    await expect(one.page.locator(".conversation h1")).to_have_text("周末爬山")
    await expect(one.row("我的笔记")).to_have_count(0)
    await one.go("#/chats")  # who looks at it would have read what mentions them


async def test_enter_when_an_input_method_composes_then_nothing_is_sent(
    web_server: Server, browser: Browser
) -> None:
    ming_id, _ = await make_friends(web_server.url, "小明", "小红")
    async with someone(browser, web_server.url) as ming:
        await ming.log_in(ming_id)
        await ming.open_chat("小红")
        keys = await ming.context.new_cdp_session(ming.page)
        await ming.composer.focus()
        composed = {"text": "nihao", "selectionStart": 5, "selectionEnd": 5}
        await keys.send("Input.imeSetComposition", composed)
        await ming.page.keyboard.press("Enter")
        await expect(ming.composer).to_have_value(re.compile("nihao"))
        await expect(ming.bubbles).to_have_count(0)
        await keys.send("Input.insertText", {"text": "你好"})
        await ming.page.keyboard.press("Shift+Enter")
        await ming.composer.press_sequentially("second line")
        await expect(ming.bubbles).to_have_count(0)
        await ming.page.keyboard.press("Enter")
        await ming.sees("你好\nsecond line")
        await expect(ming.composer).to_have_value("")


async def test_message_when_recalled_then_gone_for_both_and_can_be_edited_again(
    web_server: Server, browser: Browser
) -> None:
    async with two_in_their_chat(browser, web_server.url) as (ming, hong):
        await ming.say("写错了", "写对了")
        await hong.sees("写错了", "写对了")
        await ming.sees_mark("已读")  # what nobody has acknowledged yet cannot be taken back
        await ming.bubbles.first.click(button="right")
        await ming.page.get_by_role("menuitem", name="撤回").click()
        await hong.sees("写对了")
        await expect(hong.page.locator(".history")).to_contain_text("小明撤回了一条消息")
        await ming.press("重新编辑")
        await expect(ming.composer).to_have_value("写错了")


async def test_reply_when_its_quote_is_pressed_then_it_leads_there(
    web_server: Server, browser: Browser
) -> None:
    async with two_in_their_chat(browser, web_server.url) as (ming, hong):
        await ming.say("几点出发？")
        await hong.bubbles.first.click(button="right")
        await hong.page.get_by_role("menuitem", name="回复").click()
        await hong.say("八点")
        quote = ming.page.locator(".message .bubble").last.get_by_role("button")
        await expect(quote).to_contain_text("几点出发？")
        stands_out = ming.sees_in_passing(".message.marked", "几点出发？")
        await asyncio.gather(stands_out, quote.click())


async def test_conversation_when_opened_with_unread_then_it_rests_at_the_first_of_them(
    web_server: Server, browser: Browser
) -> None:
    ming_id, hong_id = await make_friends(web_server.url, "小明", "小红")
    async with Client(web_server.url) as ming, Client(web_server.url) as hong:
        await ming.login(ming_id, PASSWORD)
        await hong.login(hong_id, PASSWORD)
        for number in range(SEEN):
            await ming.send(hong_id, f"{number} 看过了。" * (1 + number % 7 * 9))
        for side in (300, 700):
            await ming.send_image(hong_id, picture(size=(side, 600)), name=f"{side}.png")
        await next_texts(hong, SEEN + 2)
        chat = direct_conversation(UserId(ming_id), UserId(hong_id))
        await hong.mark_read(chat)
        await eventually(functools.partial(is_read, hong, chat))
        for number in range(UNREAD):
            await ming.send(hong_id, f"{number} 还没看。" * (1 + number % 5 * 11))
    async with someone(browser, web_server.url, size=PHONE) as reader:
        await reader.log_in(hong_id)
        await expect(reader.row("小明")).to_contain_text(f"{UNREAD} 条未读")
        await reader.row("小明").click()
        line = functools.partial(reader.page.evaluate, _UNREAD_LINE)
        await eventually(lambda: is_at_top(line))
        # What is read around it, above and below, and pictures that come, move it for no more
        # than a frame.
        for _ in range(FRAMES):
            await reader.page.evaluate("new Promise(requestAnimationFrame)")
        await eventually(lambda: is_at_top(line))
