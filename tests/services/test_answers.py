"""Answers: once for every draft, and what the log holds is never refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    RecordingDelivery,
    delivery,
    log,
    operation_id,
)

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable
from tinyqq.model.ids import Seq
from tinyqq.model.message import Entry, Kind, Sent
from tinyqq.ports.storage import SendKey
from tinyqq.services.answers import Answers
from tinyqq.services.numbering import Change, Draft, Numbering
from tinyqq.testing.log import MemoryLog

__all__ = ["delivery", "log"]


class World:
    """The answers of a lane that numbers nothing."""

    def __init__(self, log: MemoryLog, delivery: RecordingDelivery) -> None:
        numbering = Numbering(max_weight=1, max_recent=1)
        self.answers = Answers(log=log, numbering=numbering, delivery=delivery)
        self.outcomes: list[Change | TinyQQError] = []

    def draft(self) -> Draft:
        """One that says what becomes of it."""
        return Draft(ANN_BOB, ANN, operation_id(), self.outcomes.append, Kind.TEXT, flight=1)


@pytest.fixture
def world(log: MemoryLog, delivery: RecordingDelivery) -> World:
    return World(log, delivery)


async def written(log: MemoryLog, draft: Draft) -> Entry:
    """The draft's entry, in the log already."""
    head = len(log.entries[ANN_BOB])
    entry = Entry(ANN_BOB, Seq(head + 1), head + 1, ANN, draft.operation_id, 1, Kind.TEXT, b"")
    await log.append([entry], [])
    return entry


async def test_find_when_some_are_in_the_log_then_these_are_answered_and_pushed_again(
    world: World, log: MemoryLog, delivery: RecordingDelivery
) -> None:
    drafts = [world.draft() for _ in range(3)]
    entry = await written(log, drafts[1])
    assert await world.answers.find(drafts) == [drafts[0], drafts[2]]
    assert world.outcomes == [Change(entry, is_repeat=True)]
    assert [push.seq for push in delivery.pushes] == [entry.seq]


async def test_refuse_unless_found_when_one_was_granted_before_then_its_first_answer(
    world: World, log: MemoryLog
) -> None:
    granted, refused = world.draft(), world.draft()
    entry = await written(log, granted)
    error = Forbidden(ErrorCode.NOT_FRIENDS)
    await world.answers.refuse_unless_found([(refused, error), (granted, error)])
    assert world.outcomes == [error, Change(entry, is_repeat=True)]
    assert (world.answers.refusals, world.answers.repeats) == (1, 1)


class AwayLog(MemoryLog):
    """It cannot be read."""

    async def find_sent(self, keys: Sequence[SendKey]) -> dict[SendKey, Entry]:
        raise Unavailable(ErrorCode.UNAVAILABLE)


async def test_refuse_unless_found_when_the_log_cannot_be_read_then_to_be_sent_again(
    delivery: RecordingDelivery,
) -> None:
    world = World(AwayLog(), delivery)
    await world.answers.refuse_unless_found([(world.draft(), Forbidden(ErrorCode.NOT_FRIENDS))])
    assert [type(one) for one in world.outcomes] == [Unavailable]


def test_refuse_when_answered_before_then_not_told_again(world: World) -> None:
    draft, error = world.draft(), Forbidden(ErrorCode.NOT_FRIENDS)
    for _ in range(2):
        world.answers.refuse(draft, error)
    assert world.outcomes == [error]


def test_written_elsewhere_then_answered_with_its_entry_and_not_pushed(
    world: World, delivery: RecordingDelivery
) -> None:
    draft = world.draft()
    world.answers.written_elsewhere(draft, Sent(Seq(7), 5, 3))
    entry = Entry(ANN_BOB, Seq(7), 5, ANN, draft.operation_id, 3, Kind.TEXT, b"")
    assert (world.outcomes, delivery.pushes) == ([Change(entry, is_repeat=False)], [])
