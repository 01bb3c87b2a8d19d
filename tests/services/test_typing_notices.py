"""Typing notices: between friends, not too often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from tests.support.accounts import caller_of
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, EVE, GROUP, RecordingDelivery

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.friend import Contact
from tinyqq.model.ids import ConversationId, UserId, direct_conversation, own_conversation
from tinyqq.model.message import Typing
from tinyqq.ports.delivery import Hint
from tinyqq.ports.storage import ConversationStore
from tinyqq.services.typing_notices import MAX_WAITING, TypingNotices
from tinyqq.testing.clock import FakeClock


class Contacts:
    """Contact lists by owner."""

    def __init__(self) -> None:
        self.of: dict[UserId, tuple[Contact, ...]] = {BOB: (Contact(ANN, is_friend=True),)}
        self.asked = 0
        self.failure: Exception | None = None
        self.answered = asyncio.Event()

    async def find_contact(self, user_id: UserId, peer_id: UserId) -> Contact | None:
        self.asked += 1
        self.answered.set()
        if self.failure is not None:
            raise self.failure
        return next((one for one in self.of.get(user_id, ()) if one.user_id == peer_id), None)


class Bench:
    """Running notices of ANN."""

    def __init__(self) -> None:
        self.contacts = Contacts()
        self.delivery = RecordingDelivery()
        self.clock = FakeClock()
        self.notices = TypingNotices(
            conversations=cast("ConversationStore", self.contacts),
            delivery=self.delivery,
            clock=self.clock,
        )

    async def tell(self, conversation_id: ConversationId = ANN_BOB) -> list[Hint]:
        """What is delivered for one notice."""
        self.delivery.hints.clear()
        self.notices.tell(caller_of(ANN), conversation_id)
        # The one who asks has nothing to wait for but the queue and a store that answers at once.
        for _ in range(5):
            await asyncio.sleep(0)
        return self.delivery.hints


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bench.notices.run())
        yield bench
        task.cancel()


async def test_tell_when_they_are_friends_then_the_other_is_told(bench: Bench) -> None:
    hints = await bench.tell()
    assert [(hint.user_ids, hint.record) for hint in hints] == [((BOB,), Typing(ANN_BOB, ANN))]


@pytest.mark.parametrize(
    "contacts",
    [
        (),
        (Contact(EVE, is_friend=True),),
        (Contact(ANN, request_received_at_ms=5),),
        (Contact(ANN, is_friend=True, is_blocked=True),),
    ],
)
async def test_tell_when_it_is_not_welcome_then_nobody_is_told(
    bench: Bench, contacts: tuple[Contact, ...]
) -> None:
    bench.contacts.of[BOB] = contacts
    assert await bench.tell() == []
    bench.clock.advance(2)
    assert await bench.tell() == []


@pytest.mark.parametrize(
    "conversation_id", [GROUP, own_conversation(ANN), direct_conversation(BOB, EVE), 7]
)
async def test_tell_when_it_is_no_talk_of_two_with_the_caller_then_nothing_is_even_asked(
    bench: Bench, conversation_id: ConversationId
) -> None:
    assert await bench.tell(ConversationId(conversation_id)) == []
    assert bench.contacts.asked == 0


async def test_tell_when_too_soon_then_said_once(bench: Bench) -> None:
    assert len(await bench.tell()) == 1
    bench.clock.advance(0.9)
    assert await bench.tell() == []
    bench.clock.advance(0.2)
    assert len(await bench.tell()) == 1


async def test_tell_when_going_on_then_the_friendship_is_asked_for_every_five_seconds(
    bench: Bench,
) -> None:
    for _ in range(11):
        assert len(await bench.tell()) == 1
        bench.clock.advance(1)
    assert bench.contacts.asked == 2


async def test_tell_when_no_longer_friends_then_silent_within_five_seconds(bench: Bench) -> None:
    await bench.tell()
    bench.contacts.of.clear()
    bench.clock.advance(5.1)
    assert await bench.tell() == []


@pytest.mark.parametrize("failure", [Unavailable(ErrorCode.BUSY), RuntimeError("a bug")])
async def test_tell_when_the_store_fails_then_dropped_and_asked_again(
    bench: Bench, failure: Exception
) -> None:
    bench.contacts.failure = failure
    assert await bench.tell() == []
    bench.contacts.failure = None
    bench.clock.advance(1)
    assert len(await bench.tell()) == 1
    assert bench.notices.counters() == {"typing_dropped_total": 1}


async def test_tell_when_too_many_wait_then_dropped(bench: Bench) -> None:
    for number in range(MAX_WAITING + 5):
        peer = UserId(20_000 + number)
        bench.notices.tell(caller_of(ANN), direct_conversation(ANN, peer))
    assert bench.notices.counters() == {"typing_dropped_total": 5}
