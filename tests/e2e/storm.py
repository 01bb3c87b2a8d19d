"""A storm: people who write all the time, two by two and in a group, while something breaks.

Afterwards every acknowledged message must be in the log exactly once and in its sender's order, and
everybody must have been handed it, in the order of the log, by just listening.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.e2e.test_power_cut import make_friends, newcomer

from tinyqq.client import Client, Message
from tinyqq.model.group import JoinPolicy
from tinyqq.model.ids import ConversationId, GroupId, Seq, UserId, group_conversation

PAUSE_S = 0.01
"""Between two sends of one person in one conversation."""
WINDOW = 16
"""Sends of one person in one conversation that wait for their acknowledgement."""
SETTLE_S = 60.0


@dataclass
class Voice:
    """One person's sends into one conversation."""

    client: Client
    conversation_id: ConversationId
    sent: list[str] = field(default_factory=list)
    acknowledged: dict[str, Seq] = field(default_factory=dict)
    """Text → seq."""


class Storm:
    """People, what they sent, and what they heard.

    Args:
        pairs: friends who write to each other, both ways.
        group_id: everybody is in it; the first of each pair writes there, too.
    """

    def __init__(self, pairs: Sequence[tuple[Client, Client]], group_id: GroupId) -> None:
        self.people = [one for pair in pairs for one in pair]
        self._group = group_conversation(group_id)
        self._voices = [
            Voice(one, one.conversation_with(other.user_id))
            for pair in pairs
            for one, other in (pair, pair[::-1])
        ] + [Voice(one, self._group) for one, _ in pairs]
        self._sent_at: dict[str, float] = {}
        self._heard: dict[UserId, dict[ConversationId, list[str]]] = {
            one.user_id: defaultdict(list) for one in self.people
        }
        self.longest_ack_s = 0.0
        self.longest_delivery_s = 0.0
        self._acknowledged = 0
        self._news = asyncio.Event()
        self._calm = asyncio.Event()

    async def reaches(self, more: int) -> None:
        """Wait until that many more messages are acknowledged."""
        goal = self._acknowledged + more
        while self._acknowledged < goal:
            await self._wait_news()

    def forget_times(self) -> None:
        """Count the longest times from now on."""
        self.longest_ack_s = self.longest_delivery_s = 0.0

    def report(self, what: str) -> None:
        """Say how long the longest gap was."""
        print(  # noqa: T201 - shown by pytest -s and -rP
            f"\n{what}: {self._acknowledged} messages; at most {self.longest_ack_s:.2f} s to the"
            f" acknowledgement, {self.longest_delivery_s:.2f} s to a receiver"
        )

    @asynccontextmanager
    async def raging(self) -> AsyncIterator[None]:
        """Everybody writes and listens until the end of the block, and until everything sent is
        acknowledged and heard."""
        async with asyncio.TaskGroup() as listening:
            ears = [listening.create_task(self._listen(one)) for one in self.people]
            async with asyncio.TaskGroup() as speaking:
                for voice in self._voices:
                    speaking.create_task(self._speak(voice))
                try:
                    yield
                finally:
                    self._calm.set()
            async with asyncio.timeout(SETTLE_S):
                while not self._is_all_heard():
                    await self._wait_news()
            for ear in ears:
                ear.cancel()

    async def check(self) -> None:
        """Compare the log with what was acknowledged and heard.

        Raises:
            AssertionError: something is lost, doubled or out of order.
        """
        for conversation_id in {voice.conversation_id for voice in self._voices}:
            voices = [one for one in self._voices if one.conversation_id == conversation_id]
            log = await _read_log(voices[0].client, conversation_id)
            by_seq = {one.seq: one.text for one in log}
            for voice in voices:
                me = voice.client.user_id
                assert sorted(voice.acknowledged) == sorted(voice.sent)
                assert [one.text for one in log if one.sender == me] == voice.sent
                assert all(by_seq[seq] == text for text, seq in voice.acknowledged.items())
            for one in self.people:
                if conversation_id == self._group or one in [voice.client for voice in voices]:
                    others = [entry.text for entry in log if entry.sender != one.user_id]
                    assert self._heard[one.user_id][conversation_id] == others

    async def _speak(self, voice: Voice) -> None:
        places = asyncio.Semaphore(WINDOW)
        async with asyncio.TaskGroup() as group:
            for number in count():
                await places.acquire()
                if self._calm.is_set():
                    return
                text = f"#{voice.conversation_id} {voice.client.user_id} {number}"
                voice.sent.append(text)
                self._sent_at[text] = time.monotonic()
                group.create_task(self._send(voice, text, places))
                await asyncio.sleep(PAUSE_S)

    async def _send(self, voice: Voice, text: str, places: asyncio.Semaphore) -> None:
        sent = await voice.client.send_to(voice.conversation_id, text)
        voice.acknowledged[text] = sent.seq
        self._acknowledged += 1
        self.longest_ack_s = max(self.longest_ack_s, self._age_s(text))
        places.release()
        self._news.set()

    async def _listen(self, me: Client) -> None:
        heard = self._heard[me.user_id]
        async for message in me.messages():
            if message.text.startswith("#"):
                heard[message.conversation].append(message.text)
                self.longest_delivery_s = max(self.longest_delivery_s, self._age_s(message.text))
                self._news.set()

    def _age_s(self, text: str) -> float:
        return time.monotonic() - self._sent_at[text]

    def _is_all_heard(self) -> bool:
        members = len(self.people) - 1
        expected = sum(
            len(one.sent) * (members if one.conversation_id == self._group else 1)
            for one in self._voices
        )
        heard = sum(len(texts) for one in self._heard.values() for texts in one.values())
        return heard >= expected

    async def _wait_news(self) -> None:
        self._news.clear()
        await self._news.wait()


@asynccontextmanager
async def gathering(urls: Sequence[str], folder: Path, *, pairs: int = 3) -> AsyncIterator[Storm]:
    """Friends two by two, and a group of all of them.

    Args:
        urls: where they come in, in turn.
    """
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(
                newcomer(urls[number % len(urls)], folder / f"person{number}.db")
            )
            for number in range(2 * pairs)
        ]
        group_id = await people[0].groups.create("群", join_policy=JoinPolicy.OPEN)
        for one in people[1:]:
            await one.groups.join(group_id)
        couples = list(zip(people[::2], people[1::2], strict=True))
        for one, other in couples:
            await make_friends(one, other)
        yield Storm(couples, group_id)


async def _read_log(me: Client, conversation_id: ConversationId) -> list[Message]:
    """All that was sent in a storm, in the order of the log."""
    found: list[Message] = []
    before = 0
    while True:
        page = await me.history(conversation_id, before=before, limit=500)
        messages = [one for one in page.entries if isinstance(one, Message)]
        found[:0] = [one for one in messages if one.text.startswith("#")]
        if not page.more:
            return found
        before = messages[0].seq
