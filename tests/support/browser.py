"""People with a real browser: what they do in the page, and what must never happen there.

The browser is the system's Chromium, driven by Playwright; none is ever fetched. Whatever a test
looks at, no page may break its content security policy, open a dialog or throw.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    TimeoutError,
    WebError,
    async_playwright,
    expect,
)

import tinyqq
from tinyqq.client import Client
from tinyqq.lab.servers.packages import program

PASSWORD: Final = "correct horse"
TIMEOUT_MS: Final = 30_000
WIDE: Final = (1280, 800)
TALL: Final = (1280, 2400)
"""High enough that a conversation of some fifty messages is wholly in the page."""
PHONE: Final = (360, 740)
FLAGS: Final = (
    "--no-sandbox",  # does not start as root otherwise
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
)
PICTURES: Final = Path(tempfile.gettempdir()) / "tinyqq-pictures"
"""Pictures of what tests saw; those of the last run stay."""
_PICKY: Final = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""
_SHOWN: Final = """([selector, text]) => new Promise((resolve) => {
  const look = () => {
    for (const one of document.querySelectorAll(selector)) {
      if (one.textContent.includes(text)) resolve();
    }
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, attributes: true,
  });
  look();
})"""
_STORED: Final = """async ([name, table, field]) => {
  const answer = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const database = await answer(indexedDB.open(name));
  const rows = await answer(database.transaction(table).objectStore(table).getAll());
  database.close();
  return rows.map((row) => row[field]);
}"""
_EXPECTED: Final = re.compile(
    "Failed to load resource|WebSocket connection to|net::ERR_"
    "|Cross-Origin-Opener-Policy header has been ignored"
)
"""What a browser says by itself: a server is away or refuses; plain http is not trusted."""
_BUILT: Final = Path(tinyqq.__file__).with_name("_web") / "index.html"

expect.set_options(timeout=TIMEOUT_MS)


@asynccontextmanager
async def open_browser(*hosts: str) -> AsyncIterator[Browser]:
    """A browser that reaches this machine and nothing else. *hosts*: other names of it."""
    assert _BUILT.is_file(), "the page is not built: make web"
    known = ("127.0.0.1", "localhost", *hosts)
    rules = ", ".join(("MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in known)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program("chromium"),
            args=[*FLAGS, f"--host-resolver-rules={rules}"],
        )
        async with browser:
            yield browser


class Someone:
    """A person with a browser of their own, and the tab they look at."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.url = url
        self.number = ""
        self.faults: list[str] = []
        self._page: Page | None = None

    @property
    def page(self) -> Page:
        """The newest tab."""
        assert self._page is not None, "no tab is open"
        return self._page

    # ---- tabs ------------------------------------------------------------------------------------

    async def open(self, path: str = "/") -> Page:
        """The page in a new tab, which is looked at from now on."""
        self._page = await self.context.new_page()
        await self._page.goto(f"{self.url}{path}")
        return self._page

    async def go(self, place: str) -> None:
        """To a place of the page, as ``#/contacts/add``."""
        await self.page.evaluate("place => { location.hash = place }", place)

    # ---- the door --------------------------------------------------------------------------------

    async def sign_up(self, nickname: str) -> str:
        """Make an account and come in; returns the number."""
        await self.open()
        await self.press("注册账号")
        await self.fill("昵称", nickname)
        await self.fill("密码", PASSWORD)
        await self.press("注册")
        self.number = await self.page.locator("dl .digits").first.inner_text()
        await self.press("我已记下，进入聊天")
        await self.wait_inside()
        return self.number

    async def log_in(self, number: int | str, path: str = "/") -> None:
        """Come in."""
        self.number = str(number)
        await self.open(path)
        await self.page.locator("input[autocomplete=username]").fill(self.number)
        await self.page.locator("input[type=password]").fill(PASSWORD)
        await self.page.locator("button[type=submit]").click()
        await self.wait_inside()

    async def wait_inside(self) -> None:
        """Until the page is usable."""
        await expect(self.page.locator(".shell")).to_be_visible()

    async def wait_kept(self) -> None:
        """Until the page opens without a server too."""
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")

    async def stored(self, table: str, field: str) -> list[Any]:
        """A field of what the page has in its own store, by row: what a reload finds again."""
        asked = [f"tinyqq-{self.number}", table, field]
        rows: list[Any] = await self.page.evaluate(_STORED, asked)
        return rows

    # ---- what people do --------------------------------------------------------------------------

    async def press(self, name: str, *, exact: bool = True) -> None:
        """A button."""
        await self.page.get_by_role("button", name=name, exact=exact).click()

    async def reconnect(self) -> None:
        """Sooner than the page would by itself; it may have come back meanwhile."""
        with contextlib.suppress(TimeoutError):
            await self.page.locator(".banner .now").click(timeout=2_000)

    async def fill(self, label: str, text: str) -> None:
        """A field."""
        await self.page.get_by_label(label, exact=True).fill(text)

    async def open_chat(self, title: str) -> None:
        """A conversation, by its name and the keyboard."""
        await self.page.keyboard.press("Control+k")
        await self.page.get_by_role("combobox").fill(title)
        await expect(self.page.get_by_role("option").first).to_contain_text(title)
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".conversation h1")).to_have_text(title)

    async def say(self, *texts: str) -> None:
        """Write and press Enter."""
        for text in texts:
            await self.composer.fill(text)
            await self.composer.press("Enter")

    # ---- what people see -------------------------------------------------------------------------

    def row(self, title: str) -> Locator:
        """Of the list of conversations."""
        return self.page.locator(".column .row").filter(
            has=self.page.locator(".title", has_text=re.compile(f"^{re.escape(title)}$"))
        )

    @property
    def composer(self) -> Locator:
        """Where one writes."""
        return self.page.locator(".composer textarea")

    @property
    def bubbles(self) -> Locator:
        """The messages of the open conversation that are in the page."""
        return self.page.locator(".message .bubble .text")

    async def sees(self, *texts: str) -> None:
        """Wait until these are the messages of the open conversation, in this order."""
        await expect(self.bubbles).to_have_text(list(texts))

    async def sees_mark(self, mark: str) -> None:
        """Wait until the newest own message got that far: 已发送, 已送达, 已读."""
        await expect(self.page.locator(".message.own .state").last).to_have_attribute(
            "aria-label", mark
        )

    async def sees_line(self, line: str | re.Pattern[str]) -> None:
        """Wait until this stands under the name of the open conversation."""
        await expect(self.page.locator(".conversation header .words p")).to_have_text(line)

    async def sees_connection(self, *, is_there: bool) -> None:
        """Wait until the page says that the connection is away, or no longer says it."""
        banner = self.page.locator(".banner .bar")
        await (expect(banner).to_be_hidden() if is_there else expect(banner).to_be_visible())

    async def sees_in_passing(self, selector: str, text: str) -> None:
        """Wait until the page shows this, however shortly; begin before it may come."""
        async with asyncio.timeout(TIMEOUT_MS / 1_000):
            await self.page.evaluate(_SHOWN, [selector, text])

    def check(self) -> None:
        """Nothing forbidden has happened so far."""
        assert not self.faults, "\n".join(self.faults)


@asynccontextmanager
async def someone(
    browser: Browser,
    url: str,
    *,
    language: str = "zh-CN",
    size: tuple[int, int] = WIDE,
    **options: Any,
) -> AsyncIterator[Someone]:
    """A person; at the end no page of theirs may have done what none may."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=language,
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",
        **options,
    )
    async with context:
        context.set_default_timeout(TIMEOUT_MS)
        await context.add_init_script(_PICKY)
        person = Someone(context, url)
        _watch(context, person.faults)
        try:
            yield person
        except Exception as error:
            for number, page in enumerate(context.pages):
                path = await take_picture(page, f"failed-{id(person):x}-{number}")
                error.add_note(f"The page of {person.number or 'nobody'}: {path}")
            for fault in person.faults:
                error.add_note(f"Said by the page: {fault}")
            raise
        person.check()


def _watch(context: BrowserContext, faults: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not _EXPECTED.search(message.text):
            faults.append(message.text)

    def on_error(error: WebError) -> None:
        faults.append(error.error.stack or str(error.error))

    async def on_dialog(dialog: Dialog) -> None:
        faults.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    context.on("console", on_console)
    context.on("weberror", on_error)
    context.on("dialog", on_dialog)


async def make_friends(url: str, *nicknames: str) -> list[int]:
    """Accounts of which each is everybody's friend, made without a browser; their numbers."""
    numbers: list[int] = []
    for nickname in nicknames:
        async with Client(url) as me:
            numbers.append((await me.register(nickname, PASSWORD)).user_id)
    for at, number in enumerate(numbers):
        async with Client(url) as me:
            await me.login(number, PASSWORD)
            for earlier in numbers[:at]:
                await me.friends.accept(earlier)
            for later in numbers[at + 1 :]:
                await me.friends.request(later, "你好")
    return numbers


async def take_picture(page: Page, name: str) -> Path:
    """Keep what a tab shows now."""
    path = PICTURES / f"{name}.png"
    await page.screenshot(path=path, animations="disabled")
    return path


def serve_flags(**settings: object) -> Sequence[str]:
    """Flags of ``tinyqq serve`` for tests: nobody is counted, and nobody greets."""
    all_settings = {
        "accounts.registrations_per_address_per_hour": 0,
        "accounts.log_ins_per_address_per_minute": 0,
        "helper.enabled": "false",
        **{name.replace("__", "."): value for name, value in settings.items()},
    }
    return [flag for name, value in all_settings.items() for flag in ("--set", f"{name}={value}")]
