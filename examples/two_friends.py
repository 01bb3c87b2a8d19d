"""Two people meet: register, become friends, talk; one leaves, and later reads what came meanwhile.

Prints what each of them sees, and ends with 1 when anything is missing, doubled or out of order.

    python examples/two_friends.py --url http://127.0.0.1:7080
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tinyqq.client import Change, Client, Event, Kind, Message

PASSWORD = "correct horse battery"
TIMEOUT_S = 30.0


async def until(me: Client, name: str, wanted: Callable[[Event], bool]) -> Event:
    """Show what happens to *me* until what is wanted has happened."""
    async with asyncio.timeout(TIMEOUT_S):
        async for event in me.events():
            show(name, event)
            if wanted(event):
                return event
    raise SystemExit(f"{name}: the stream ended")


async def texts(me: Client, name: str, peer: int, count: int) -> list[str]:
    """The next *count* messages that *peer* wrote to *me*."""
    found: list[str] = []
    async with asyncio.timeout(TIMEOUT_S):
        async for message in me.messages():
            show(name, message)
            if message.sender == peer:
                found.append(message.text)
            if len(found) == count:
                return found
    raise SystemExit(f"{name}: the stream ended")


def show(name: str, event: Event) -> None:
    if isinstance(event, Message):
        print(f"  {name} sees #{event.seq} by {event.sender}: {event.text}")
    elif isinstance(event, Change):
        print(f"  {name} sees #{event.seq} by {event.actor}: {Kind(event.kind).name}")


def check(what: str, seen: object, expected: object) -> None:
    """Go on only if what was seen is what must be."""
    if seen != expected:
        sys.exit(f"DEVIATION in {what}: expected {expected!r}, saw {seen!r}")
    print(f"ok: {what}")


async def main(url: str, folder: Path) -> None:
    async with Client(url, store=folder / "ming.db") as ming:
        mei_store = folder / "mei.db"
        async with Client(url, store=mei_store) as mei:
            await join(ming, "小明")
            await join(mei, "小美")
            await become_friends(ming, mei)
            await talk(ming, mei)
            mei_id = mei.user_id
        print("小美 has left.")

        meanwhile = [f"你不在的时候 {number}" for number in range(1, 21)]
        for text in meanwhile:
            await ming.send(mei_id, text)

        # The store remembers who she is and where she was.
        async with Client(url, store=mei_store) as mei:
            check("小美 is logged in by her store", mei.user_id, mei_id)
            offline = await texts(mei, "小美", ming.user_id, len(meanwhile))
            check("the offline messages, in order, once", offline, meanwhile)
            await ming.send(mei_id, "欢迎回来")
            check("then what is new", await texts(mei, "小美", ming.user_id, 1), ["欢迎回来"])
            page = await mei.history(mei.conversation_with(ming.user_id), limit=500)
            said = [entry.text for entry in page.entries if isinstance(entry, Message)]
            check("all of it in the history", said, ["你好", "你好呀", *meanwhile, "欢迎回来"])
    print("Everything arrived, in order, once.")


async def join(me: Client, nickname: str) -> None:
    registered = await me.register(nickname, PASSWORD)
    await me.login(registered.user_id, PASSWORD)
    print(f"{nickname} is {me.user_id}")


async def become_friends(ming: Client, mei: Client) -> None:
    def is_change(event: Event, kind: Kind, actor: int) -> bool:
        return isinstance(event, Change) and (event.kind, event.actor) == (kind, actor)

    await ming.friends.request(mei.user_id, "我是小明")
    asked = await until(
        mei, "小美", lambda one: is_change(one, Kind.FRIEND_REQUESTED, ming.user_id)
    )
    assert isinstance(asked, Change)
    check("the note that came with the request", asked.notice.note, "我是小明")
    await mei.friends.accept(ming.user_id)
    await until(ming, "小明", lambda one: is_change(one, Kind.FRIEND_ADDED, mei.user_id))
    friends = [one.user_id for one in await ming.friends.list() if one.is_friend]
    check("they are friends", mei.user_id in friends, True)


async def talk(ming: Client, mei: Client) -> None:
    await ming.send(mei.user_id, "你好")
    check("小美 hears 小明", await texts(mei, "小美", ming.user_id, 1), ["你好"])
    await mei.send(ming.user_id, "你好呀")
    check("小明 hears 小美", await texts(ming, "小明", mei.user_id, 1), ["你好呀"])


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--url",
        "--tcp",
        "--ws",
        default="http://127.0.0.1:7080",
        help="any address: http://host:7080, tinyqq://host:7001, ws://host:7080/ws",
    )
    url = parser.parse_args().url
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(url, Path(folder)))


if __name__ == "__main__":
    run()
