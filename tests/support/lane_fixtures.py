"""A lane on a log in memory, and drafts for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count

import pytest

from tinyqq.errors import TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.conversation import STILL_IN, ConversationState, PutGroup, PutMember, PutRelation
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.ids import (
    ConversationId,
    DeviceId,
    OperationId,
    Seq,
    UserId,
    direct_conversation,
)
from tinyqq.model.message import Content, Entry, Kind, Sent
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.services import Send
from tinyqq.services.lane import Change, Draft, Lane
from tinyqq.services.lanes import AnyLane
from tinyqq.testing.clock import FakeClock
from tinyqq.testing.log import MemoryLog
from tinyqq.wire.content import encode_content

ANN, BOB, EVE = UserId(10001), UserId(10002), UserId(10003)
ANN_BOB = direct_conversation(ANN, BOB)
ANN_EVE = direct_conversation(ANN, EVE)
GROUP = ConversationId(20_001)
_numbers = count(1)


class RecordingDelivery:
    """Delivery that remembers what it was asked to deliver."""

    def __init__(self) -> None:
        self.pushes: list[Push] = []
        self.hints: list[Hint] = []
        self.kicks: list[Kick] = []

    def push(self, pushes: Sequence[Push]) -> None:
        """Remember."""
        self.pushes += pushes

    def hint(self, hint: Hint) -> None:
        """Remember."""
        self.hints.append(hint)

    def kick(self, kick: Kick) -> None:
        """Remember."""
        self.kicks.append(kick)


class FakeHome:
    """Implements :class:`tinyqq.ports.services.Home`: keeps sends for the test to answer."""

    def __init__(self) -> None:
        self.is_open = True
        self.came = asyncio.Event()
        self.sends: list[Send] = []

    def find(self, conversation_id: ConversationId) -> FakeHome:
        """It is that of every conversation."""
        return self

    def send(self, send: Send) -> None:
        """Keep it."""
        self.sends.append(send)
        self.came.set()

    def answer(self, outcome: Sent | TinyQQError) -> None:
        """Answer the oldest."""
        self.sends.pop(0).answer(outcome)


def as_sent(draft: Draft) -> Draft:
    """The draft, as a client of this node sends it: it may be handed on."""
    caller = Caller(draft.sender_id, DeviceId(b"d" * 16), draft.origin)
    draft.send = Send(
        caller, draft.conversation_id, draft.operation_id, draft.kind, draft.body,
        lambda _: None, draft.flight
    )  # fmt: skip
    return draft


def operation_id(number: int | None = None) -> OperationId:
    """A new operation id, or the one of that number."""
    return OperationId((next(_numbers) if number is None else number).to_bytes(16, "big"))


def befriend(state: ConversationState, one: UserId, other: UserId) -> None:
    """Make two users friends in a stored state."""
    state.apply((PutRelation(one, is_friend=True), PutRelation(other, is_friend=True)))


def make_group(state: ConversationState, owner: UserId, *members: UserId) -> None:
    """Make a group in a stored state (without entries)."""
    state.apply((PutGroup("G", JoinPolicy.OPEN, "", 5000, 1),))
    for user_id, role in [(owner, Role.OWNER), *((one, Role.MEMBER) for one in members)]:
        state.apply((PutMember(user_id, Seq(1), STILL_IN, role, "", 1),))


class Sender:
    """Submits text messages to a lane and collects what became of them."""

    def __init__(self, lane: AnyLane) -> None:
        self.lane = lane
        self.outcomes: list[Change | TinyQQError] = []
        self._changed = asyncio.Event()

    def send(
        self,
        conversation_id: ConversationId = ANN_BOB,
        sender_id: UserId = ANN,
        *,
        text: str = "hi",
        number: int | None = None,
        flight: int = 0,
    ) -> None:
        """Submit one message; ``number``: of the operation id."""
        body, key = encode_content(Content(text)), operation_id(number)
        draft = Draft(conversation_id, sender_id, key, self._done, Kind.TEXT, body, flight=flight)
        self.lane.submit(draft)

    async def wait(self, outcomes: int) -> list[Change | TinyQQError]:
        """Wait until that many sends have an outcome."""
        async with asyncio.timeout(30):
            while len(self.outcomes) < outcomes:
                self._changed.clear()
                await self._changed.wait()
        return self.outcomes

    async def seqs(self, outcomes: int) -> list[int]:
        """The seqs of that many sends, 0 for a refused one."""
        return [
            one.entry.seq if isinstance(one, Change) else 0 for one in await self.wait(outcomes)
        ]

    def _done(self, outcome: Change | TinyQQError) -> None:
        self.outcomes.append(outcome)
        self._changed.set()


def log_of_friends() -> MemoryLog:
    """A log in which Ann and Bob are friends, Eve exists, and Ann owns a group with Bob in it."""
    log = MemoryLog(accounts=[ANN, BOB, EVE])
    befriend(log.state(ANN_BOB), ANN, BOB)
    make_group(log.state(GROUP), ANN, BOB)
    return log


@pytest.fixture
def log() -> MemoryLog:
    return log_of_friends()


@pytest.fixture
def delivery() -> RecordingDelivery:
    return RecordingDelivery()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def lane(
    log: MemoryLog, delivery: RecordingDelivery, clock: FakeClock
) -> AsyncIterator[Lane]:
    async with Lane(log=log, delivery=delivery, clock=clock) as running:
        yield running


@pytest.fixture
def sender(lane: Lane) -> Sender:
    return Sender(lane)


def assert_contiguous(entries: list[Entry]) -> None:
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
