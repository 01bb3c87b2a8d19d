"""``python -m bench.web``: is the page fast enough?

A real browser (the system's Chromium) and a real server on this machine, default settings. The page
must be built (``make web``). Prints a table; times hold only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from playwright.async_api import Browser, Page, Response, expect
from tests.support.browser import Someone, open_browser, someone

from bench.server import serve
from bench.web_world import World, make_world
from tinyqq.lab.prepare import PASSWORD
from tinyqq.model.ids import direct_conversation

_WHEELS: Final = 150
_FOLLOW_UP: Final = 40
_SEND: Final = """
([text, log]) => {
  const area = document.querySelector(".composer textarea");
  area.value = text;
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const key = { key: "Enter", bubbles: true, cancelable: true };
  window[log][text] = performance.timeOrigin + performance.now();
  area.dispatchEvent(new KeyboardEvent("keydown", key));
}
"""
_WATCH: Final = """
() => {
  window.shown = {};
  const look = () => {
    const last = [...document.querySelectorAll(".message .bubble .text")].slice(-3);
    for (const one of last) {
      const text = one.textContent;
      if (text.startsWith("#") && !(text in window.shown)) {
        requestAnimationFrame(() => {
          window.shown[text] ??= performance.timeOrigin + performance.now();
        });
      }
    }
  };
  new MutationObserver(look).observe(document.querySelector(".history"), {
    childList: true, subtree: true, characterData: true,
  });
}
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. ``bound``: the most it may be."""

    name: str
    value: float
    unit: str
    bound: float

    def row(self) -> str:
        """As Markdown."""
        met = "met" if self.value <= self.bound else "MISSED"
        bound = f"≤ {self.bound:g} {self.unit}"
        return f"| {self.name} | {self.value:,.1f} {self.unit} | {bound} | {met} |"


async def first_load(browser: Browser, url: str, world: World) -> list[Figure]:
    """Bytes of script, packed as they travel, until the list of conversations can be used."""
    async with someone(browser, url, service_workers="block") as one:
        scripts: list[Response] = []

        def note(response: Response) -> None:
            if response.request.resource_type == "script":
                scripts.append(response)

        one.context.on("response", note)
        await enter(one, world.one, keeps_page=False)
        await expect(one.page.locator(".column .row").first).to_be_visible()
        needed = tuple(scripts)  # more may come while their sizes are asked for
        sizes = [(await response.request.sizes())["responseBodySize"] for response in needed]
    return [Figure("script of the first load, packed", sum(sizes) / 1000, "KB", 200)]


async def enter(one: Someone, number: int, *, keeps_page: bool = True) -> float:
    """Log in; the moment of the press, by the wall clock."""
    page = await one.open()
    await page.locator("input[autocomplete=username]").fill(str(number))
    await page.locator("input[type=password]").fill(PASSWORD)
    await expect(page.locator("button[type=submit]")).to_be_enabled()
    if keeps_page:
        # Nobody types so fast that the browser still keeps the page for the next time.
        await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    pressed = time.perf_counter()
    await page.locator("button[type=submit]").click()
    return pressed


async def log_in(browser: Browser, url: str, world: World, rounds: int) -> list[Figure]:
    """From the press of the button until the newest conversation of a thousand can be opened."""
    listed: list[float] = []
    opened: list[float] = []
    for _ in range(rounds):
        async with someone(browser, url) as one:
            pressed = await enter(one, world.popular)
            newest = one.page.locator(".column .row").first
            await newest.filter(has_text=f"load{world.newest_friend}").wait_for()
            listed.append(time.perf_counter() - pressed)
            await newest.click()
            await one.page.locator(".conversation h1").wait_for()
            opened.append(time.perf_counter() - pressed)
    return [
        Figure("log-in with 1,000 conversations until one is open", median(opened), "s", 1),
        Figure("of it until the list is there", median(listed), "s", 1),
    ]


async def scroll(browser: Browser, url: str, world: World) -> list[Figure]:
    """The longest task of the page's main thread while somebody scrolls up and down."""
    async with someone(browser, url) as one:
        await enter(one, world.one)
        await one.wait_inside()
        await one.go(f"#/chats/{direct_conversation(world.one, world.other)}")
        await one.bubbles.last.wait_for()
        await one.page.mouse.move(800, 400)
        await one.page.wait_for_timeout(1000)
        await browser.start_tracing(page=one.page, categories=["toplevel", "devtools.timeline"])
        for step in range(_WHEELS + _FOLLOW_UP):
            await one.page.mouse.wheel(0, -1500 if step < _WHEELS else 2500)
            await one.page.wait_for_timeout(30)
        await one.page.wait_for_timeout(500)
        busy, wall = longest_task(json.loads(await browser.stop_tracing()))
        texts = await one.bubbles.all_inner_texts()
    assert texts, "nothing to see"
    return [
        Figure("longest task while scrolling 100,000 messages", wall, "ms", 50),
        Figure("of it on the CPU, without waiting for others", busy, "ms", 50),
    ]


def longest_task(trace: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds on the CPU and by the clock, of the page's main thread."""
    events = trace["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = [
        (event.get("tdur", event["dur"]) / 1000, event["dur"] / 1000)
        for event in events
        if event.get("ph") == "X"
        and event["name"].endswith("RunTask")
        and (event["pid"], event["tid"]) in main
    ]
    return max(tasks, key=lambda task: task[1])


async def send(browser: Browser, url: str, world: World, count: int) -> list[Figure]:
    """From the Enter of one to the frame in which the other's browser shows it."""
    place = f"#/chats/{direct_conversation(world.one, world.other)}"
    async with someone(browser, url) as one, someone(browser, url) as other:
        for person, number in ((one, world.one), (other, world.other)):
            await enter(person, number)
            await person.wait_inside()
            await person.go(place)
            await person.bubbles.last.wait_for()
        await one.page.evaluate("window.sent = {}")
        await to_end(other.page)
        await other.page.evaluate(_WATCH)
        for number in range(count):
            await one.page.evaluate(_SEND, [f"#{number}", "sent"])
            await one.page.wait_for_timeout(80)
        await expect(other.bubbles.last).to_have_text(f"#{count - 1}")
        sent: dict[str, float] = await one.page.evaluate("window.sent")
        shown: dict[str, float] = await other.page.evaluate("window.shown")
    times = [shown[text] - at for text, at in sent.items()]
    p95 = quantiles(times, n=20)[-1]
    return [
        Figure("send until shown in the other browser, p95", p95, "ms", 100),
        Figure("the same, median", median(times), "ms", 100),
    ]


async def to_end(page: Page) -> None:
    """Down to the newest message."""
    if await page.locator("button.jump").is_visible():
        await page.locator("button.jump").click()
        await expect(page.locator("button.jump")).to_be_hidden()


async def ask_all(folder: Path, *, messages: int, conversations: int, rounds: int) -> None:
    """Make the world, ask every question, print."""
    template = folder / "template"
    template.mkdir()
    world = await make_world(template, messages=messages, conversations=conversations)
    figures: list[Figure] = []
    with serve("ours", template, folder) as server:
        url = f"http://127.0.0.1:{server.http_port}"
        async with open_browser() as browser:
            figures += await first_load(browser, url, world)
            figures += await log_in(browser, url, world, rounds)
            figures += await scroll(browser, url, world)
            figures += await send(browser, url, world, count=200)
    print(f"load average {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores\n")
    print("| question | ours | must reach | |\n|---|---|---|---|")
    print("\n".join(figure.row() for figure in figures))


def main() -> None:
    """The command's entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--conversations", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3, help="of the log-in; the median counts")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinyqq-bench-") as name:
        asyncio.run(
            ask_all(
                Path(name),
                messages=given.messages,
                conversations=given.conversations,
                rounds=given.rounds,
            )
        )


if __name__ == "__main__":
    main()
