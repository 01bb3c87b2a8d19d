"""Pull mode: what is told, and when pushes flow again."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.errors import ErrorCode, Forbidden, Unavailable
from tinyqq.gateway.missed import Missed, last_seq
from tinyqq.model.connection import HeadHint
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId
from tinyqq.model.message import Entry, hidden
from tinyqq.model.sync import Page, Position, Sync

ONE = ConversationId(1)
TWO = ConversationId(2)


def entry(seq: int) -> Entry:
    return Entry(ONE, Seq(seq), seq, UserId(1), OperationId(bytes(16)), 0, 1, b"")


def page(*seqs: int, head: int) -> Page:
    return Page(tuple(entry(seq) for seq in seqs), Seq(head))


def ask(after_seq: int) -> Sync:
    return Sync(ONE, Seq(after_seq))


def noted(*seqs: int) -> Missed:
    missed = Missed()
    for seq in seqs:
        missed.note(ONE, Seq(seq))
    return missed


def test_take_hint_when_pushes_were_dropped_then_tells_the_last_of_each_conversation() -> None:
    missed = noted(4, 5)
    missed.note(TWO, Seq(9))
    assert missed.take_hint() == HeadHint((Position(ONE, Seq(5)), Position(TWO, Seq(9))))


def test_take_hint_when_nothing_new_was_dropped_then_is_silent() -> None:
    missed = noted(4)
    missed.take_hint()
    assert missed.take_hint() is None
    assert ONE in missed


def test_take_hint_when_the_client_has_asked_already_then_is_silent() -> None:
    missed = noted(4)
    missed.page_asked(ask(0))
    assert missed.take_hint() is None


def test_page_read_when_it_reaches_the_head_then_pushes_flow() -> None:
    missed = noted(4)
    seq = missed.page_asked(ask(3))
    missed.page_read(ask(3), page(4, 5, head=5), seq)
    assert not missed


def test_page_read_when_it_ends_early_then_pushes_are_dropped_again_without_a_word() -> None:
    missed = noted(4)
    missed.take_hint()
    seq = missed.page_asked(ask(0))
    missed.page_read(ask(0), page(1, 2, head=4), seq)
    assert ONE in missed
    assert missed.take_hint() is None


def test_page_read_when_another_push_was_dropped_meanwhile_then_it_stays_missed() -> None:
    missed = noted(4)
    seq = missed.page_asked(ask(3))
    missed.note(ONE, Seq(6))
    missed.page_read(ask(3), page(4, 5, head=5), seq)
    assert missed.take_hint() == HeadHint((Position(ONE, Seq(6)),))


def test_page_read_when_nothing_was_missed_then_nothing_is() -> None:
    missed = Missed()
    seq = missed.page_asked(ask(0))
    missed.page_read(ask(0), page(1, head=9), seq)
    assert not missed


def test_page_refused_when_it_may_be_asked_again_then_is_told_again() -> None:
    missed = noted(4)
    missed.take_hint()
    seq = missed.page_asked(ask(3))
    missed.page_refused(ask(3), seq, Unavailable(ErrorCode.TIMED_OUT))
    assert missed.take_hint() == HeadHint((Position(ONE, Seq(4)),))


def test_page_refused_when_there_is_no_right_to_it_then_is_forgotten() -> None:
    missed = noted(4)
    seq = missed.page_asked(ask(3))
    missed.page_refused(ask(3), seq, Forbidden(ErrorCode.NOT_A_MEMBER))
    assert not missed


def test_last_seq_when_the_page_ends_hidden_then_the_end_of_the_stretch() -> None:
    stretch = hidden(ONE, Seq(5), Seq(8))
    assert last_seq(ask(4), Page((stretch,), Seq(8))) == 8
    assert last_seq(ask(4), Page((), Seq(4))) == 4


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["commit", "commit_full", "ask", "read", "read_short"])))
def test_missed_when_pushes_are_dropped_at_will_then_a_client_that_asks_has_everything(
    steps: list[str],
) -> None:
    """A log of one conversation, a client that applies pushes and pages, in any interleaving."""
    missed, has = Missed(), set[int]()
    head, asked = 0, -1
    seq = Seq(0)

    def contiguous() -> int:
        return next(number for number in range(len(has) + 1) if number + 1 not in has)

    def read(limit: int) -> None:
        nonlocal asked
        entries = range(asked + 1, min(head, asked + limit) + 1)
        missed.page_read(ask(asked), page(*entries, head=head), seq)
        has.update(entries)
        asked = -1

    for step in [*steps, "read", *["ask", "read"] * 2]:
        if step.startswith("commit"):
            head += 1
            if step == "commit_full" or ONE in missed:
                missed.note(ONE, Seq(head))
            else:
                has.add(head)
        elif step == "ask" and asked < 0 and (missed or contiguous() < len(has)):
            asked = contiguous()
            seq = missed.page_asked(ask(asked))
        elif step.startswith("read") and asked >= 0:
            read(1 if step == "read_short" else 1_000)
    assert has == set(range(1, head + 1))
    assert not missed
