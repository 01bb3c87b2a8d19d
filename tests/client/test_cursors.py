"""What is known of cursors, and what an overview adds to it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, text

from tinyqq.client.cursors import Cursors
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import CursorMoved, Entry, Kind, Mark
from tinyqq.model.sync import Known, Position, Summary

HERE = [Position(ANN_BOB, Seq(9))]


def summary(conversation: ConversationId = ANN_BOB, **fields: int) -> Summary:
    known: dict[str, Any] = {"read_seq": 0, "delivered_seq": 0} | fields
    return Summary(conversation, Seq(9), Seq(1), Seq(9), 0, **known)


def known(cursors: Cursors) -> tuple[int, int, int, int]:
    """Read and delivered here, read and delivered there."""
    [one] = cursors.known(HERE)
    assert (one.conversation_id, one.seq) == (ANN_BOB, 9)
    return one.read_seq, one.delivered_seq, one.peer_read_seq, one.peer_delivered_seq


def moved(user: int, delivered: int, read: int) -> CursorMoved:
    return CursorMoved(ANN_BOB, user, delivered, read)  # type: ignore[arg-type]  # plain numbers


@pytest.fixture
def cursors() -> Cursors:
    return Cursors(ANN)


def test_known_when_nothing_happened_then_only_what_was_saved() -> None:
    assert Cursors(ANN).known(HERE) == (Known(ANN_BOB, Seq(9)),)
    saved = Cursors(ANN, [Position(ANN_BOB, Seq(4))])
    assert known(saved) == (0, 4, 0, 0)


def test_mark_when_it_says_nothing_new_then_not_told_again(cursors: Cursors) -> None:
    told = [
        cursors.mark(Mark(ANN_BOB, *map(Seq, at)))
        for at in ((3, 0), (3, 0), (3, 2), (4, 0), (0, 2), (1, 1), (0, 0))
    ]
    assert told == [True, False, True, True, False, False, False]
    assert known(cursors) == (2, 4, 0, 0)


def test_mark_when_a_summary_said_so_already_then_not_told(cursors: Cursors) -> None:
    cursors.learn(summary(read_seq=3, delivered_seq=5))
    assert not cursors.mark(Mark(ANN_BOB, Seq(5), Seq(3)))
    assert cursors.mark(Mark(ANN_BOB, Seq(6)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (text(5, sender=ANN), (5, 0, 0, 0)),
        (text(5, sender=BOB), (0, 0, 5, 5)),
        (text(5, sender=ANN)._replace(kind=Kind.FRIEND_ADDED), (0, 0, 0, 0)),
        (text(5, sender=BOB)._replace(kind=Kind.FRIEND_ADDED), (0, 0, 0, 0)),
    ],
)
def test_wrote_when_a_message_then_its_sender_has_read(
    cursors: Cursors, entry: Entry, expected: tuple[int, int, int, int]
) -> None:
    cursors.wrote(entry)
    cursors.wrote(text(2, sender=entry.sender_id))
    assert max(known(cursors)) == max(*expected, 2)
    if max(expected):
        assert known(cursors) == expected


def test_wrote_when_in_a_group_then_nothing_is_known_of_others(cursors: Cursors) -> None:
    cursors.wrote(text(5, conversation=GROUP, sender=BOB))
    assert cursors.known([Position(GROUP, Seq(5))]) == (Known(GROUP, Seq(5)),)


def test_moved_when_told_then_known_and_never_backwards(cursors: Cursors) -> None:
    for one in (moved(BOB, 7, 3), moved(BOB, 6, 4), moved(ANN, 8, 5), moved(ANN, 9, 2)):
        cursors.moved(one)
    assert known(cursors) == (5, 0, 4, 7)


def test_learn_when_the_server_is_ahead_then_it_is_news_once(cursors: Cursors) -> None:
    there = summary(read_seq=4, delivered_seq=6, peer_read_seq=2, peer_delivered_seq=3)
    assert cursors.learn(there) == (None, [moved(ANN, 4, 4), moved(BOB, 3, 2)])
    assert known(cursors) == (4, 6, 2, 3)
    assert cursors.learn(there) == (None, [])


@pytest.mark.parametrize(
    "there", [summary(peer_read_seq=1), summary(peer_delivered_seq=1), summary(read_seq=1)]
)
def test_learn_when_one_of_the_cursors_moved_then_news(cursors: Cursors, there: Summary) -> None:
    assert len(cursors.learn(there)[1]) == 1


@pytest.mark.parametrize(("delivered", "read"), [(5, 0), (0, 5), (5, 5)])
def test_learn_when_the_server_is_behind_then_what_was_lost_is_told_again(
    cursors: Cursors, delivered: int, read: int
) -> None:
    mark = Mark(ANN_BOB, Seq(delivered), Seq(read))
    cursors.mark(mark)
    assert cursors.learn(summary(peer_read_seq=0)) == (mark, [])
    assert known(cursors) == (read, delivered, 0, 0)


def test_learn_when_a_push_has_overtaken_the_answer_then_the_larger_stays(
    cursors: Cursors,
) -> None:
    cursors.moved(moved(BOB, 8, 8))
    assert cursors.learn(summary(peer_read_seq=5, peer_delivered_seq=6)) == (None, [])
    assert known(cursors) == (0, 0, 8, 8)
