"""The page on plain http from another machine: no secure context, and it works all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.e2e.processes import serving
from tests.support.browser import make_friends, open_browser, serve_flags, someone

from tinyqq.app.listening import lan_addresses

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


async def test_lan_address_when_opened_then_two_people_talk_in_several_tabs(tmp_path: Path) -> None:
    address = next(iter(lan_addresses()), None)
    if address is None:
        pytest.skip("this machine is in no network")
    with serving(tmp_path, *serve_flags(), "--host", "0.0.0.0") as server:
        url = f"http://{address}:{server.ports()[-1]}"
        ming_id, hong_id = await make_friends(url, "小明", "小红")
        async with (
            open_browser(address) as browser,
            someone(browser, url) as ming,
            someone(browser, url) as hong,
        ):
            await ming.log_in(ming_id)
            await hong.log_in(hong_id)
            assert await ming.page.evaluate("[isSecureContext, 'locks' in navigator]") == [
                False,
                False,
            ]
            await ming.open_chat("小红")
            await hong.open_chat("小明")
            await ming.say("从局域网")
            await hong.sees("从局域网")
            first = ming.page
            await ming.open()
            await ming.wait_inside()
            await ming.open_chat("小红")
            await ming.say("第二个标签页")
            await hong.sees("从局域网", "第二个标签页")
            await hong.say("都看到了")
            for tab in (first, ming.page):
                texts = tab.locator(".message .bubble .text")
                await expect(texts).to_have_text(["从局域网", "第二个标签页", "都看到了"])
            await ming.page.close()
            await hong.say("还在吗？")
            await expect(first.locator(".message .bubble .text").last).to_have_text("还在吗？")
