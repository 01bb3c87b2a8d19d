"""Pictures of every screen, in both languages and themes, wide and narrow, without a server.

    npm run build
    python tools/screenshots.py --out /tmp/shots [--only conversation,settings] [--quick]

Needs Playwright for Python and the system's Chromium; the page is the built one at ``?demo``.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import itertools
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

BUILT = Path(__file__).resolve().parents[2] / "src" / "tinyqq" / "_web"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
SIZES = {"wide": (1280, 800), "narrow": (360, 740)}
FRIEND = str(10001 << 32 | 10002)
SELF = str(10001 << 32 | 10001)
STRANGER = str(10001 << 32 | 10006)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the built files without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def go(place: str) -> Callable[[Page], None]:
    """A scene that is only a place of the page."""

    def scene(page: Page) -> None:
        page.evaluate("place => { location.hash = place }", place)
        page.wait_for_timeout(700)

    return scene


def write(page: Page, text: str) -> None:
    """Send a message in the open conversation."""
    page.locator(".composer textarea").fill(text)
    page.locator(".composer .send").click()


def sent(page: Page) -> None:
    """Own messages in all states."""
    go(f"#/chats/{FRIEND}")(page)
    write(page, "周六八点见！🎒")
    page.wait_for_timeout(1500)
    write(page, "/fail 这条发不出去")
    page.wait_for_timeout(900)
    write(page, "/slow 这条还在路上")
    page.wait_for_timeout(500)


def menu(page: Page) -> None:
    """What can be done with a message."""
    go(f"#/chats/{FRIEND}")(page)
    page.locator(".message .bubble").last.click(button="right")
    page.wait_for_timeout(300)


def reply(page: Page) -> None:
    """An answer being written."""
    menu(page)
    page.locator("[role=menuitem]").first.click()
    write(page, "好的，带上相机 📷")
    page.wait_for_timeout(800)
    page.locator(".message .bubble").last.click(button="right")
    page.locator("[role=menuitem]").first.click()
    page.wait_for_timeout(300)


def emoji(page: Page) -> None:
    """The emoji picker."""
    go(f"#/chats/{FRIEND}")(page)
    page.locator(".composer .line .icon-button").nth(1).click()
    page.wait_for_timeout(600)


def mention(page: Page) -> None:
    """Completing a name."""
    go("#/chats/20001")(page)
    page.locator(".composer textarea").press_sequentially("@")
    page.wait_for_timeout(500)


def group(page: Page) -> None:
    """A group with what is new in it."""
    go("#/chats/20001")(page)


def recalled(page: Page) -> None:
    """A message taken back."""
    go(f"#/chats/{SELF}")(page)
    write(page, "写错了的一句")
    page.wait_for_timeout(700)
    page.locator(".message .bubble").last.click(button="right")
    page.locator("[role=menuitem]").last.click()
    page.wait_for_timeout(600)


def away(page: Page) -> None:
    """Without a connection."""
    go(f"#/chats/{FRIEND}")(page)
    write(page, "/drop")
    page.wait_for_timeout(2300)


def kicked(page: Page) -> None:
    """Logged out by another log-in."""
    go(f"#/chats/{FRIEND}")(page)
    write(page, "/kick")
    page.wait_for_timeout(700)


def switcher(page: Page) -> None:
    """Ctrl+K."""
    page.keyboard.press("Control+k")
    page.wait_for_timeout(500)


def search(page: Page) -> None:
    """People found."""
    go("#/contacts/add")(page)
    page.locator("form input").first.fill("a")
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)


def join(page: Page) -> None:
    """A group found."""
    go("#/groups/join")(page)
    page.locator("form input").first.fill("20002")
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)


def question(page: Page) -> None:
    """Something grave is asked twice."""
    go("#/groups/20001")(page)
    page.locator(".grave .button").last.click()
    page.wait_for_timeout(400)


def invite(page: Page) -> None:
    """Choosing friends."""
    go("#/groups/20001")(page)
    page.locator(".actions .button").last.click()
    page.wait_for_timeout(500)


def log_in_error(page: Page) -> None:
    """A refused log-in."""
    page.locator("input").nth(0).fill("10001")
    page.locator("input").nth(1).fill("wrong-password")
    page.keyboard.press("Enter")
    page.wait_for_timeout(600)


def sign_up(page: Page) -> None:
    """The form of a new account."""
    page.locator(".others .link").first.click()
    page.wait_for_timeout(200)


def signed_up(page: Page) -> None:
    """The new number and its recovery code."""
    sign_up(page)
    page.locator("input").nth(0).fill("小满")
    page.locator("input").nth(1).fill("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_timeout(700)


def recover(page: Page) -> None:
    """A forgotten password."""
    page.locator(".others .link").last.click()
    page.wait_for_timeout(200)


def stay(page: Page) -> None:
    """What is there at first."""
    page.wait_for_timeout(100)


OUTSIDE: dict[str, Callable[[Page], None]] = {
    "log-in": stay,
    "log-in-error": log_in_error,
    "sign-up": sign_up,
    "signed-up": signed_up,
    "recover": recover,
}
INSIDE: dict[str, Callable[[Page], None]] = {
    "chats": stay,
    "conversation": go(f"#/chats/{FRIEND}"),
    "conversation-info": go(f"#/chats/{FRIEND}/info"),
    "conversation-sent": sent,
    "conversation-menu": menu,
    "conversation-reply": reply,
    "conversation-emoji": emoji,
    "conversation-self": recalled,
    "conversation-stranger": go(f"#/chats/{STRANGER}"),
    "group": group,
    "group-info": go("#/chats/20001/info"),
    "group-mention": mention,
    "group-muted": go("#/chats/20002"),
    "away": away,
    "kicked": kicked,
    "switcher": switcher,
    "contacts": go("#/contacts"),
    "person": go("#/contacts/10003"),
    "person-hostile": go("#/contacts/10008"),
    "requests": go("#/contacts/requests"),
    "blocked": go("#/contacts/blocked"),
    "add-friend": search,
    "groups": go("#/groups"),
    "group-page": go("#/groups/20001"),
    "group-create": go("#/groups/create"),
    "group-join": join,
    "group-dismiss": question,
    "group-invite": invite,
    "settings": go("#/settings"),
    "settings-profile": go("#/settings/profile"),
    "settings-look": go("#/settings/look"),
    "settings-notifications": go("#/settings/notifications"),
    "settings-devices": go("#/settings/devices"),
    "settings-password": go("#/settings/password"),
    "settings-account": go("#/settings/account"),
}


def complain(scene: str, error: object) -> None:
    """An error of the page is worth more than its picture."""
    sys.stderr.write(f"{scene}: {error}\n")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--built", type=Path, default=BUILT)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="scenes, by comma")
    parser.add_argument("--quick", action="store_true", help="each language in one theme only")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(Quiet, directory=str(arguments.built))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wanted = set(filter(None, arguments.only.split(",")))
    looks = (
        [("zh", "light"), ("en", "dark")]
        if arguments.quick
        else list(itertools.product(("zh", "en"), ("light", "dark")))
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for (language, theme), size in itertools.product(looks, SIZES):
            width, height = SIZES[size]
            context = browser.new_context(
                viewport={"width": width, "height": height},
                has_touch=size == "narrow",
                device_scale_factor=1 if size == "wide" else 2,
                timezone_id="Asia/Shanghai",
            )
            preferences = json.dumps({"language": language, "theme": theme})
            context.add_init_script(f"localStorage.setItem('tinyqq.preferences', '{preferences}')")
            for name, scene in [*OUTSIDE.items(), *INSIDE.items()]:
                if wanted and name not in wanted:
                    continue
                page = context.new_page()
                page.on("pageerror", functools.partial(complain, name))
                demo = "demo" if name in OUTSIDE else "demo=in"
                page.goto(f"http://127.0.0.1:{server.server_port}/?{demo}")
                page.wait_for_timeout(900)
                scene(page)
                page.screenshot(path=arguments.out / f"{name}-{language}-{theme}-{size}.png")
                page.close()
            context.close()
        browser.close()
    server.shutdown()


if __name__ == "__main__":
    main()
