"""Pictures and files that people send each other in browsers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, expect
from tests.e2e.processes import Server
from tests.support.browser import Someone, make_friends, someone, take_picture
from tests.support.pictures import photo

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
]


async def save(one: Someone, name: str) -> bytes:
    """What somebody gets who saves a file of the open conversation."""
    async with one.page.expect_download() as saving:
        await one.press(f"保存 {name}")
    path = await (await saving.value).path()
    return await asyncio.to_thread(path.read_bytes)


async def test_files_when_sent_then_the_other_sees_the_picture_and_saves_the_file(
    web_server: Server, browser: Browser
) -> None:
    ming_id, hong_id = await make_friends(web_server.url, "小明", "小红")
    files: list[FilePayload] = [
        {"name": "海边.jpg", "mimeType": "image/jpeg", "buffer": photo((800, 400))},
        {
            "name": "<b>路线</b>.html",
            "mimeType": "text/html",
            "buffer": b"<script>alert(1)</script>",
        },
    ]
    async with (
        someone(browser, web_server.url) as ming,
        someone(browser, web_server.url) as hong,
    ):
        await ming.log_in(ming_id)
        await hong.log_in(hong_id)
        await ming.open_chat("小红")
        await hong.open_chat("小明")
        await ming.page.locator(".composer input[type=file]").set_input_files(files)
        await ming.say("看！")
        await hong.sees("看！")
        shown = hong.page.locator(".message .picture img")
        await expect(shown).to_have_js_property("complete", True)
        assert await shown.evaluate("one => one.naturalHeight > one.naturalWidth"), "not upright"
        await hong.press("图片 海边.jpg")
        large = hong.page.get_by_role("dialog").locator("img")
        await expect(large).to_have_js_property("naturalHeight", 800)
        await take_picture(hong.page, "lightbox")
        await hong.page.keyboard.press("Escape")
        await expect(large).to_have_count(0)
        assert await save(hong, "<b>路线</b>.html") == b"<script>alert(1)</script>"
        await ming.page.locator(".composer input[type=file]").set_input_files(
            {"name": "原图.jpg", "mimeType": "image/jpeg", "buffer": photo((300, 200))}
        )
        await ming.page.get_by_role("checkbox").check()
        await ming.press("发送")
        assert await save(hong, "原图.jpg") == photo((300, 200))
        await hong.page.locator(".message .bubble.picture").click(button="right")
        await hong.page.get_by_role("menuitem", name="转发").click()
        await hong.page.get_by_role("combobox").fill("我的笔记")
        await hong.page.keyboard.press("Enter")
        await expect(hong.row("我的笔记")).to_contain_text("[图片]")
        await ming.sees_mark("已读")
        await ming.page.evaluate("location.hash = '#/settings/storage'")
        kept = ming.page.locator("main li")
        await expect(kept).to_have_count(3)
        await take_picture(ming.page, "storage")
        await ming.press("删除 海边.jpg")
        await ming.page.get_by_role("dialog").get_by_role("button", name="删除").click()
        await expect(kept).to_have_count(2)
    # What she has seen her browser may keep; another one has it no more.
    async with someone(browser, web_server.url) as hong:
        await hong.log_in(hong_id)
        await hong.open_chat("小明")
        await expect(hong.page.locator(".message button.picture")).to_contain_text("文件已被删除")
        await take_picture(hong.page, "removed")


async def test_file_when_changed_since_it_was_chosen_then_it_says_so_and_the_rest_goes(
    web_server: Server, browser: Browser, tmp_path: Path
) -> None:
    ming_id, _ = await make_friends(web_server.url, "小明", "小红")
    chosen = tmp_path / "会议.txt"
    chosen.write_text("昨天", "utf-8")
    written_ns = chosen.stat().st_mtime_ns
    async with someone(browser, web_server.url) as ming:
        await ming.log_in(ming_id)
        await ming.open_chat("小红")
        await ming.page.locator(".composer input[type=file]").set_input_files(chosen)
        chosen.write_text("明天", "utf-8")
        await ming.say("看！")
        why = ming.page.locator(".message .why")
        await expect(why).to_contain_text("无法再读取这个文件")
        await ming.sees("看！")
        await ming.sees_mark("已发送")
        await take_picture(ming.page, "unreadable")
        # As it was when it was chosen.
        chosen.write_text("昨天", "utf-8")
        os.utime(chosen, ns=(written_ns, written_ns))
        await ming.press("未发出，查看操作")
        await ming.page.get_by_role("menuitem", name="重新发送").click()
        await expect(why).to_have_count(0)
        await expect(ming.page.locator(".message.own .state")).to_have_count(2)


async def test_profile_when_changed_then_a_friend_sees_it_without_a_reload(
    web_server: Server, browser: Browser
) -> None:
    ming_id, hong_id = await make_friends(web_server.url, "小明", "小红")
    async with (
        someone(browser, web_server.url) as ming,
        someone(browser, web_server.url) as hong,
    ):
        await ming.log_in(ming_id)
        await hong.log_in(hong_id)
        await hong.open_chat("小明")
        await hong.say("在吗")
        face = hong.page.locator(".conversation header img")
        await expect(face).to_have_count(0)
        await ming.go("#/settings/profile")
        await ming.page.locator(".picture input[type=file]").set_input_files(
            {"name": "我.jpg", "mimeType": "image/jpeg", "buffer": photo((300, 300))}
        )
        await expect(face).to_have_count(1)
        await ming.press("修改昵称")
        await ming.fill("昵称", "大明")
        await ming.page.keyboard.press("Enter")
        await expect(hong.page.locator(".conversation h1")).to_have_text("大明")
        await expect(hong.row("大明")).to_have_count(1)
