"""Waiting: batches in order, bounds, and conversations that stand aside."""

from __future__ import annotations

from tests.support.lane_fixtures import ANN, ANN_BOB, GROUP, operation_id

from tinyqq.model.ids import ConversationId
from tinyqq.services.numbering import Draft
from tinyqq.services.waiting import Waiting, cost

BYTES = 150


def waiting(*drafts: Draft, max_batch_entries: int = 10, max_batch_bytes: int = 10_000) -> Waiting:
    lines = Waiting(
        max_batch_entries=max_batch_entries,
        max_batch_bytes=max_batch_bytes,
        max_entries=5,
        max_bytes=5 * BYTES,
    )
    for one in drafts:
        lines.append(one)
    return lines


def draft(conversation_id: ConversationId = ANN_BOB, body: bytes = bytes(50)) -> Draft:
    return Draft(conversation_id, ANN, operation_id(), lambda _: None, 1, body)


def drafts(count: int) -> list[Draft]:
    return [draft() for _ in range(count)]


def test_take_then_in_order_and_bounded_in_entries_and_bytes() -> None:
    some = drafts(5)
    assert cost(some[0]) == BYTES
    assert waiting(*some, max_batch_entries=2).take() == some[:2]
    assert waiting(*some, max_batch_bytes=3 * BYTES).take() == some[:3]


def test_take_when_the_first_is_too_large_then_it_alone() -> None:
    some = drafts(2)
    assert waiting(*some, max_batch_bytes=10).take() == some[:1]


def test_has_room_when_full_in_entries_or_bytes_then_not() -> None:
    assert waiting(*drafts(4)).has_room(draft())
    assert not waiting(*drafts(4)).has_room(draft(body=bytes(51)))
    assert not waiting(*drafts(5)).has_room(draft(body=b""))


def test_counts_then_what_waits_also_aside() -> None:
    one = draft()
    lines = waiting(one, draft(GROUP))
    lines.take()
    assert (len(lines), lines.size_bytes) == (0, 0)
    lines.stand_aside(ANN_BOB, [one])
    assert (len(lines), lines.size_bytes) == (1, BYTES)


def test_take_while_one_stands_aside_then_the_others() -> None:
    mine, other = draft(), draft(GROUP)
    lines = waiting(mine, other)
    lines.stand_aside(ANN_BOB)
    assert lines.take() == [other]
    assert lines.take() == []
    assert len(lines) == 1


def test_come_back_then_alone_and_in_order() -> None:
    first, second, third, other = draft(), draft(), draft(), draft(GROUP)
    lines = waiting(first, second)
    lines.stand_aside(ANN_BOB, lines.take())
    for one in (third, other):
        lines.append(one)
    assert lines.take() == [other]
    lines.come_back(ANN_BOB)
    assert lines.take() == [first, second, third]
    lines.append(first)
    assert lines.take() == [first]


def test_come_back_when_more_than_a_batch_then_by_turns_with_the_others() -> None:
    some, other = drafts(3), draft(GROUP)
    lines = waiting(*some, other, max_batch_entries=2)
    lines.stand_aside(ANN_BOB)
    assert lines.take() == [other]
    lines.come_back(ANN_BOB)
    late = draft(GROUP)
    lines.append(late)
    assert [lines.take(), lines.take(), lines.take()] == [some[:2], [late], some[2:]]


def test_stand_aside_after_coming_back_then_aside_again() -> None:
    lines = waiting(draft())
    lines.stand_aside(ANN_BOB)
    lines.take()
    lines.come_back(ANN_BOB)
    lines.stand_aside(ANN_BOB)
    assert lines.take() == []


def test_come_back_when_nobody_stands_aside_then_nothing() -> None:
    lines = waiting()
    lines.come_back(ANN_BOB)
    assert lines.take() == []


def test_withdraw_then_everything_of_the_conversation() -> None:
    first, second, other = draft(), draft(), draft(GROUP)
    lines = waiting(second, other)
    lines.stand_aside(ANN_BOB, [first])
    assert lines.withdraw(ANN_BOB) == [first, second]
    assert len(lines) == 1
    assert lines.take() == [other]


def test_clear_then_everything_and_who_stands_aside_still_does() -> None:
    first, second, later = draft(), draft(GROUP), draft()
    lines = waiting(second)
    lines.stand_aside(ANN_BOB, [first])
    assert lines.clear() == [first, second]
    assert (len(lines), lines.size_bytes) == (0, 0)
    lines.append(later)
    assert lines.take() == []
    lines.come_back(ANN_BOB)
    assert lines.take() == [later]
