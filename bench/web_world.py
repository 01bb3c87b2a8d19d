"""What the page is measured on: a long conversation, and somebody with very many."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinyqq.clock import SystemClock
from tinyqq.lab.population import PasswordCost
from tinyqq.lab.prepare import Script, prepare
from tinyqq.model import friendship
from tinyqq.model.ids import OperationId, Seq, UserId, direct_conversation
from tinyqq.model.message import Content, Entry, Kind
from tinyqq.ports.storage import LogWriter
from tinyqq.storage.open import open_storage
from tinyqq.wire.content import encode_content

_BATCH = 1_000
_EVERY_MS = 20_000
"""Between two messages, so that a long conversation has days."""


@dataclass(frozen=True, slots=True)
class World:
    """Numbers of people. ``one`` and ``other`` have the long conversation, ``popular`` the many."""

    one: UserId
    other: UserId
    popular: UserId
    newest_friend: UserId


async def make_world(folder: Path, *, messages: int, conversations: int) -> World:
    """A data folder for ``tinyqq serve``."""
    clock = SystemClock()
    async with open_storage(f"sqlite:///{folder / 'tinyqq.db'}") as storage:
        population = await prepare(
            accounts=storage.accounts,
            log_writer=storage.log_writer,
            clock=clock,
            people=conversations + 3,
            pairs=1,
            members=0,
            cost=PasswordCost(),
        )
        one, other, popular, *friends = (person.user_id for person in population.people)
        now_ms = clock.now_ms()
        await _befriend(storage.log_writer, popular, friends, now_ms)
        for number, friend in enumerate(friends):
            sent_ms = now_ms - (len(friends) - number) * _EVERY_MS
            await _write(
                storage.log_writer, friend, popular, [f"你好，我是第 {number} 位"], sent_ms
            )
        talk = [_line(number) for number in range(messages)]
        await _write(storage.log_writer, one, other, talk, now_ms - messages * _EVERY_MS)
    return World(one, other, popular, friends[-1])


async def _befriend(
    writer: LogWriter, user_id: UserId, friends: Iterable[UserId], now_ms: int
) -> None:
    for friend_id in friends:
        script = Script(direct_conversation(user_id, friend_id), (user_id, friend_id))
        script.play(friend_id, partial(friendship.request, asker_id=friend_id, note=""), now_ms)
        script.play(user_id, partial(friendship.accept, user_id=user_id), now_ms)
        await writer.ensure_listed(script.listings)
        await writer.append(script.entries, script.effects)


async def _write(
    writer: LogWriter, sender_id: UserId, reader_id: UserId, texts: list[str], first_ms: int
) -> None:
    """Messages of two people, in turn, in one conversation."""
    key = direct_conversation(sender_id, reader_id)
    state = (await writer.load([key]))[key]
    entries = [
        Entry(
            key,
            Seq(state.head_seq + number),
            state.head_ordinal + number,
            sender_id if number % 3 else reader_id,
            OperationId(secrets.token_bytes(16)),
            first_ms + number * _EVERY_MS,
            Kind.TEXT,
            encode_content(Content(text)),
        )
        for number, text in enumerate(texts, 1)
    ]
    for at in range(0, len(entries), _BATCH):
        await writer.append(entries[at : at + _BATCH], [])


def _line(number: int) -> str:
    """A message as people write them: mostly short, now and then long."""
    if number % 10:
        return f"第 {number} 条消息，{'哈' * (number % 7)} https://example.org/{number} 😀"
    return f"第 {number} 条，长一些：" + "今天天气不错，我们去爬山吧，记得带水和相机。" * (
        number % 8
    )
