"""The people of ``tinyqq demo``: made once per data folder, with friends, a group and a bot.

They come in as everybody does, through the SDK.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tinyqq.app.build import App
from tinyqq.client import Client, JoinPolicy, Message, TinyQQError, Trust
from tinyqq.services.admin import AccountAdmin

logger = logging.getLogger(__name__)

PASSWORD: Final = "tinyqq-demo"
_FILE: Final = "demo.json"
_NAMES: Final = ("小明", "小红", "小刚")
_BOT_NAME: Final = "复读机"
_GROUP_NAME: Final = "周末爬山"


@dataclass(frozen=True, slots=True)
class Person:
    """An account to log in as."""

    user_id: int
    nickname: str
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class People:
    """Who is in the demo."""

    people: tuple[Person, ...]
    bot: Person
    bot_token: str
    group_id: int
    group_name: str = _GROUP_NAME


class Demo:
    """Makes the people, and lets the bot answer, while :meth:`attend` is open.

    Args:
        data_dir: who was made is remembered here.
    """

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / _FILE
        self.people: People | None = None

    @contextlib.asynccontextmanager
    async def attend(self, app: App) -> AsyncIterator[None]:
        """Beside a running node."""
        self.people = load_people(self._file)
        if self.people is None:
            self.people = await make_people(app)
            save_people(self._file, self.people)
        async with asyncio.TaskGroup() as group:
            bot = group.create_task(run_bot(app, self.people.bot_token), name="demo-bot")
            yield
            bot.cancel()


async def make_people(app: App) -> People:
    """Everybody, friends with everybody, in one group, in the middle of a talk."""
    people = [await _make_person(app.admin, name, is_admin=name == _NAMES[0]) for name in _NAMES]
    bot_account = await app.admin.create_account(nickname=_BOT_NAME, is_bot=True)
    bot = Person(bot_account.user_id, bot_account.nickname)
    token = await app.admin.mint_bot_token(bot_account.user_id, name="demo")
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(app)) for _ in people]
        for person, client in zip(people, clients, strict=True):
            await client.login(person.user_id, PASSWORD)
        robot = await stack.enter_async_context(_client(app, device_kind="bot"))
        await robot.login(token=token)
        await _make_friends([*clients, robot])
        group_id = await clients[0].groups.create(_GROUP_NAME, join_policy=JoinPolicy.OPEN)
        for client in (*clients[1:], robot):
            await client.groups.join(group_id)
        await _talk(clients, group_id)
    return People(tuple(people), bot, token, group_id)


async def run_bot(app: App, token: str) -> None:
    """Answer everything that people say to the bot, and in the group what mentions it, until
    somebody with the right to do so puts an end to it."""
    async with _client(app, device_kind="bot") as me:
        try:
            await me.login(token=token)
            async for message in me.messages():
                await _answer_if_it_can(me.user_id, message)
        except TinyQQError as exc:
            logger.warning("demo.bot_ended", extra={"reason": str(exc)})


async def _answer_if_it_can(bot_id: int, message: Message) -> None:
    try:
        await answer(bot_id, message)
    except TinyQQError as exc:
        logger.info("demo.bot_not_heard", extra={"reason": str(exc)})


async def answer(bot_id: int, message: Message) -> None:
    """Say back what was said."""
    if message.group_id is None or bot_id in message.content.mentions:
        await message.reply(f"你说：{message.text}")


def load_people(file: Path) -> People | None:
    """Who was made in this data folder before; None: nobody."""
    if not file.exists():
        return None
    saved = json.loads(file.read_text(encoding="utf-8"))
    saved["people"] = tuple(Person(**one) for one in saved["people"])
    saved["bot"] = Person(**saved["bot"])
    return People(**saved)


def save_people(file: Path, people: People) -> None:
    """Remember them, for the owner of the folder alone: the bot's token is in it."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(asdict(people), out, ensure_ascii=True)


def _client(app: App, device_kind: str = "cli") -> Client:
    trust = Trust(fingerprint=app.fingerprint)
    return Client(app.local_url, device_kind=device_kind, device_name="demo", trust=trust)


async def _make_person(admin: AccountAdmin, nickname: str, *, is_admin: bool) -> Person:
    account = await admin.create_account(nickname=nickname, password=PASSWORD, is_admin=is_admin)
    return Person(account.user_id, account.nickname, is_admin)


async def _make_friends(clients: list[Client]) -> None:
    for index, one in enumerate(clients):
        for other in clients[index + 1 :]:
            await one.friends.request(other.user_id)
            await other.friends.accept(one.user_id)


async def _talk(clients: list[Client], group_id: int) -> None:
    ming, hong, gang = clients
    await ming.send_group(group_id, "周六去爬香山，谁来？")
    await hong.send_group(group_id, "我来！几点集合？")
    await gang.send_group(group_id, "八点，东门见。")
    await hong.send(ming.user_id, "记得带水 😄")
