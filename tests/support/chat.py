"""A person at the terminal of the chat client, and the server they talk to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.clients import logged_in
from tests.support.entries import ANN, BOB, GROUP
from tests.support.fake_server import FakeServer

from tinyqq.cli.chat_commands import Chat
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.model.account import Profile
from tinyqq.model.friend import Contact, ContactList
from tinyqq.model.group import GroupInfo, GroupList, JoinPolicy, Role
from tinyqq.model.ids import GroupId
from tinyqq.wire.packets import PacketType

NAMES = {ANN: "小安", BOB: "小波"}
INFO = GroupInfo(GroupId(GROUP), "小组", JoinPolicy.OPEN, members=2, role=Role.OWNER)


class Person:
    """A terminal: types what the test says, remembers what was shown."""

    def __init__(self, *lines: str) -> None:
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.shown: list[str] = []
        self.prompts: list[str] = []
        self._changed = asyncio.Event()
        for line in lines:
            self.lines.put_nowait(line)

    def type(self, line: str | None) -> None:
        """Type a line; None: end of input."""
        self.lines.put_nowait(line)

    async def read_line(self, prompt: str) -> str | None:
        self.prompts.append(prompt)
        self._changed.set()
        return await self.lines.get()

    async def read_password(self, prompt: str) -> str | None:
        return await self.read_line(prompt)

    def show(self, text: str) -> None:
        self.shown.append(text)
        self._changed.set()

    async def sees(self, part: str) -> str:
        """Wait until something with *part* in it is shown; returns all of it."""
        async with asyncio.timeout(30):
            while True:
                for text in self.shown:
                    if part in text:
                        return text
                self._changed.clear()
                await self._changed.wait()

    async def prompted(self, times: int) -> None:
        """Wait until so many lines have been asked for: the earlier ones are dealt with."""
        async with asyncio.timeout(30):
            while len(self.prompts) < times:
                self._changed.clear()
                await self._changed.wait()


def furnish(server: FakeServer) -> None:
    """Give a server the people and the group of these tests."""
    contacts = ContactList((Contact(BOB, NAMES[BOB], is_friend=True, online=True),))
    server.members[GROUP] = {ANN, BOB}

    def profile(link: Any, request: Any) -> Profile:
        return Profile(request.user_id, NAMES.get(request.user_id, "somebody"))

    server.handlers |= {
        PacketType.LIST_CONTACTS: lambda link, request: contacts,
        PacketType.LIST_GROUPS: lambda link, request: GroupList((INFO,)),
        PacketType.GET_GROUP: lambda link, request: INFO,
        PacketType.GET_PROFILE: profile,
    }


@asynccontextmanager
async def chatting(
    server: FakeServer, *lines: str, store: Path | None = None
) -> AsyncIterator[Person]:
    """Ann at her terminal; she leaves at the end of the block."""
    person = Person(*lines)
    async with logged_in(server.url, store=store) as me, asyncio.TaskGroup() as tasks:
        chat = Chat(me=me, terminal=person, say=ChatTexts("en"))
        running = tasks.create_task(chat.run())
        yield person
        person.type("/quit")
        await asyncio.wait([running])
        person.type(None)


async def finished(me: Any, person: Person) -> bool:
    """Let somebody who is logged in talk until it ends; how it ended."""
    async with asyncio.timeout(30):
        return await Chat(me=me, terminal=person, say=ChatTexts("en")).run()
