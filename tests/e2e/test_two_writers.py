"""Two units write into one conversation at once, thousands of times."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack

import aiohttp
import pytest
from tests.e2e.test_cluster import befriend, person
from tests.e2e.test_schedules import log_of

from tinyqq.app.build import App
from tinyqq.client import Client, Message
from tinyqq.model.ids import Seq, UserId

pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs("mariadb", "redis", "zookeeper"),
]

MESSAGES = 1_500
WINDOW = 48
TIMEOUT_S = 200.0
END = "end"


class Writer:
    """Sends into one conversation, WINDOW at a time, until everybody has sent MESSAGES: who comes
    second for ever lets it run into the time limit."""

    def __init__(self, me: Client, peer: UserId) -> None:
        self.me = me
        self.seqs: list[Seq] = []
        self._peer = peer

    async def write(self, writers: Sequence[Writer]) -> None:
        places = asyncio.Semaphore(WINDOW)

        async def send(number: int) -> None:
            self.seqs.append((await self.me.send(self._peer, f"#{number}")).seq)
            places.release()

        async with asyncio.TaskGroup() as group:
            number = 0
            while min(len(writer.seqs) for writer in writers) < MESSAGES:
                await places.acquire()
                group.create_task(send(number))
                number += 1
        await self.me.send(self._peer, END)


async def hear(me: Client, ends: int) -> list[tuple[Seq, UserId, str]]:
    """All messages of the storm, one's own too."""
    heard = []
    async for message in me.messages(own=True):
        if message.text.startswith("#"):
            heard.append((message.seq, message.sender, message.text))
        ends -= message.text == END
        if not ends:
            return heard
    raise AssertionError("the stream ended")


async def counter(unit: App, name: str) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"{unit.http_url}/metrics") as answer:
        [value] = re.findall(rf"^tinyqq_{name} (.*)$", await answer.text(), re.M)
        return float(value)


async def test_conversation_when_two_units_write_it_at_once_then_one_order_and_nobody_starves(
    units: tuple[App, App],
) -> None:
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        ming, hong = await enter(person(units[0], "小明")), await enter(person(units[1], "小红"))
        await befriend(ming, hong)
        writers = [Writer(ming, hong.user_id), Writer(hong, ming.user_id)]
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(hear(one, len(writers))) for one in (ming, hong)]
            for writer in writers:
                group.create_task(writer.write(writers))
        entries = [
            one
            for one in await log_of(ming, ming.conversation_with(hong.user_id))
            if isinstance(one, Message) and (one.text.startswith("#") or one.text == END)
        ]
        first = entries[0].seq
        assert [one.seq for one in entries] == list(range(first, first + len(entries)))
        log = [(one.seq, one.sender, one.text) for one in entries if one.text != END]
        assert [one.result() for one in hearing] == [log, log]
        handed_over = [await counter(unit, "lane_handed_over_total") for unit in units]
        assert min(handed_over) == 0 < max(handed_over)  # gathered at one of them
        for writer in writers:
            assert writer.seqs == [seq for seq, who, _ in log if who == writer.me.user_id]
            own = [text for _, who, text in log if who == writer.me.user_id]
            assert own == [f"#{number}" for number in range(len(own))]


async def test_people_on_two_units_when_they_write_by_turns_then_no_append_fails(
    units: tuple[App, App],
) -> None:
    async with person(units[0], "小明") as ming, person(units[1], "小红") as hong:
        await befriend(ming, hong)
        failures = [await counter(unit, "lane_failures_total") for unit in units]
        told = {one: one.messages() for one in (ming, hong)}
        for number in range(50):
            for one, other in ((ming, hong), (hong, ming)):
                await one.send(other.user_id, f"#{number}")
                while (await anext(told[other])).text != f"#{number}":
                    """The helper's greeting comes first."""
        assert [await counter(unit, "lane_failures_total") for unit in units] == failures
