"""The inbox: everything once and in order, gaps named."""

from __future__ import annotations

from tests.support.entries import ANN_BOB, GROUP, gap, recall, text

from tinyqq.client.inbox import Inbox
from tinyqq.model.ids import Seq
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import Page, Position


def inbox_at(seq: int, *, max_held: int = 100) -> Inbox:
    return Inbox([Position(ANN_BOB, Seq(seq))], max_held=max_held)


def seqs(entries: list[Entry]) -> list[int]:
    return [entry.seq for entry in entries]


def page(*entries: Entry, head: int) -> Page:
    return Page(entries, Seq(head))


def test_apply_when_next_in_line_then_ready() -> None:
    inbox = inbox_at(4)
    assert inbox.apply(text(5)) == [text(5)]
    assert inbox.position(ANN_BOB) == 5
    assert not inbox.is_behind


def test_apply_when_repeated_then_dropped() -> None:
    inbox = inbox_at(4)
    inbox.apply(text(5))
    assert inbox.apply(text(5)) == []
    assert inbox.apply(text(3)) == []


def test_apply_when_early_then_held_back_until_the_gap_closes() -> None:
    inbox = inbox_at(4)
    assert inbox.apply(text(7)) == []
    assert inbox.apply(text(6)) == []
    assert seqs(inbox.apply(text(5))) == [5, 6, 7]
    assert inbox.next_sync() is None


def test_apply_when_early_twice_then_held_once() -> None:
    inbox = inbox_at(4, max_held=2)
    inbox.apply(text(6))
    inbox.apply(text(6))
    inbox.apply(text(7))
    assert seqs(inbox.apply(text(5))) == [5, 6, 7]


def test_apply_when_hidden_stretch_then_position_moves_and_nothing_is_ready() -> None:
    inbox = inbox_at(4)
    assert inbox.apply(gap(5, 9)) == []
    assert inbox.position(ANN_BOB) == 9


def test_apply_when_hidden_stretch_overlaps_then_the_rest_of_it_counts() -> None:
    inbox = inbox_at(6)
    inbox.apply(text(10))
    assert seqs(inbox.apply(gap(5, 9))) == [10]


def test_apply_when_hidden_stretch_overtakes_held_entries_then_they_are_forgotten() -> None:
    inbox = inbox_at(4, max_held=2)
    inbox.apply(text(6))
    inbox.apply(gap(5, 7))
    inbox.apply(text(10))
    inbox.apply(text(11))
    assert seqs(inbox.apply(gap(8, 9))) == [10, 11]


def test_apply_when_recall_is_ready_with_its_target_then_target_is_erased() -> None:
    inbox = inbox_at(4)
    inbox.apply(recall(6, target=5))
    erased, notice = inbox.apply(text(5))
    assert (erased.kind, erased.body) == (Kind.RECALLED, b"")
    assert notice.kind == Kind.RECALL


def test_apply_when_recall_body_is_broken_then_still_handed_out() -> None:
    inbox = inbox_at(4)
    inbox.apply(recall(6, target=5)._replace(body=b"\xff"))
    assert seqs(inbox.apply(text(5))) == [5, 6]


def test_apply_when_more_is_held_than_allowed_then_dropped_and_synced() -> None:
    inbox = inbox_at(0, max_held=2)
    for seq in (3, 4, 5):
        inbox.apply(text(seq))
    assert inbox.next_sync() == Position(ANN_BOB, Seq(0))
    assert seqs(inbox.apply_page(ANN_BOB, page(text(1), text(2), head=5))) == [1, 2]
    assert inbox.next_sync() == Position(ANN_BOB, Seq(2))


def test_start_when_unknown_then_held_entries_after_it_are_ready() -> None:
    inbox = Inbox()
    assert inbox.apply(text(8)) == []
    assert inbox.apply(text(6)) == []
    assert seqs(inbox.start(ANN_BOB, Seq(7))) == [8]


def test_start_when_known_then_no_effect() -> None:
    inbox = inbox_at(4)
    assert inbox.start(ANN_BOB, Seq(9)) == []
    assert inbox.position(ANN_BOB) == 4


def test_settle_when_conversation_is_new_then_it_starts_at_its_beginning() -> None:
    inbox = Inbox()
    assert inbox.apply(text(1)) == []
    assert seqs(inbox.settle()) == [1]
    assert seqs(inbox.apply(text(1, conversation=GROUP))) == [1]


def test_next_sync_when_not_started_then_none() -> None:
    inbox = Inbox()
    inbox.apply(text(6))
    inbox.learn_head(ANN_BOB, Seq(9))
    assert inbox.next_sync() is None
    inbox.start(ANN_BOB, Seq(2))
    assert inbox.next_sync() == Position(ANN_BOB, Seq(2))


def test_next_sync_when_one_is_outstanding_then_none_for_that_conversation() -> None:
    inbox = inbox_at(4)
    inbox.learn_head(ANN_BOB, Seq(9))
    assert inbox.next_sync() == Position(ANN_BOB, Seq(4))
    inbox.learn_head(ANN_BOB, Seq(12))
    assert inbox.next_sync() is None


def test_learn_head_when_reached_already_then_no_sync() -> None:
    inbox = inbox_at(4)
    inbox.learn_head(ANN_BOB, Seq(4))
    assert not inbox.is_behind


def test_apply_page_when_short_of_the_head_then_the_next_page_is_wanted() -> None:
    inbox = inbox_at(0)
    inbox.learn_head(ANN_BOB, Seq(1))
    inbox.next_sync()
    assert seqs(inbox.apply_page(ANN_BOB, page(text(1), head=2))) == [1]
    assert inbox.next_sync() == Position(ANN_BOB, Seq(1))


def test_apply_page_when_pushes_were_faster_then_they_are_not_repeated() -> None:
    inbox = inbox_at(0)
    inbox.learn_head(ANN_BOB, Seq(2))
    inbox.next_sync()
    inbox.apply(text(1))
    assert seqs(inbox.apply_page(ANN_BOB, page(text(1), text(2), head=2))) == [2]


def test_apply_page_when_it_brings_nothing_then_given_up_until_something_new() -> None:
    inbox = inbox_at(4)
    inbox.apply(text(7))
    inbox.next_sync()
    assert inbox.apply_page(ANN_BOB, page(head=4)) == []
    assert inbox.next_sync() is None
    inbox.apply(text(8))
    assert inbox.next_sync() == Position(ANN_BOB, Seq(4))


def test_apply_page_when_empty_but_more_came_meanwhile_then_asked_again() -> None:
    inbox = inbox_at(4)
    inbox.learn_head(ANN_BOB, Seq(5))
    inbox.next_sync()
    inbox.apply(text(7))
    inbox.apply_page(ANN_BOB, page(head=4))
    assert inbox.next_sync() == Position(ANN_BOB, Seq(4))


def test_sync_failed_when_for_now_then_wanted_again() -> None:
    inbox = inbox_at(4)
    inbox.learn_head(ANN_BOB, Seq(5))
    inbox.next_sync()
    inbox.sync_failed(ANN_BOB, for_good=False)
    assert inbox.next_sync() == Position(ANN_BOB, Seq(4))


def test_sync_failed_when_for_good_then_left_alone() -> None:
    inbox = inbox_at(4, max_held=1)
    inbox.apply(text(7))
    inbox.next_sync()
    inbox.sync_failed(ANN_BOB, for_good=True)
    assert not inbox.is_behind
    inbox.apply(text(9))  # there is room for it: what was held is forgotten
    assert seqs(inbox.apply(gap(5, 8))) == [9]


def test_positions_when_asked_then_only_started_conversations() -> None:
    inbox = inbox_at(4)
    inbox.apply(text(3, conversation=GROUP))
    assert inbox.positions() == (Position(ANN_BOB, Seq(4)),)
    assert inbox.position(GROUP) is None
