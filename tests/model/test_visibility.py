"""Veiling: contiguous, nothing invisible leaks, nothing visible is lost."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.model.ids import (
    ConversationId,
    OperationId,
    Seq,
    UserId,
    direct_conversation,
    own_conversation,
)
from tinyqq.model.message import Entry, Kind, hidden, is_visible
from tinyqq.model.visibility import last_visible_seq, veil, visible_entries

ANN, BOB = UserId(10001), UserId(10002)
GROUP = ConversationId(20001)
Window = tuple[Seq, Seq]
KINDS = (
    Kind.TEXT,
    Kind.RECALLED,
    Kind.MEMBER_JOINED,
    Kind.JOIN_REQUESTED,
    Kind.FRIEND_REMOVED,
    Kind.BLOCKED,
)


def entry(
    seq: int, kind: int = Kind.TEXT, sender: UserId = BOB, conversation: ConversationId = GROUP
) -> Entry:
    return Entry(conversation, Seq(seq), seq, sender, OperationId(b"i" * 16), 0, kind, b"body")


def window(since: int, until: int) -> Window:
    return Seq(since), Seq(until)


def veiled(entries: list[Entry], windows: list[Window], after: int = 0) -> tuple[Entry, ...]:
    return veil(GROUP, entries, windows, viewer_id=ANN, after_seq=Seq(after))


def stretch(since: int, through: int) -> Entry:
    return hidden(GROUP, Seq(since), Seq(through))


def test_veil_when_everything_may_be_seen_then_the_rows() -> None:
    rows = [entry(seq) for seq in (1, 2, 3)]
    assert veiled(rows, [window(1, 3)]) == tuple(rows)


def test_veil_when_a_kind_is_for_nobody_then_hidden() -> None:
    rows = [entry(1), entry(2, Kind.JOIN_REQUESTED), entry(3, Kind.MEMBER_INVITED), entry(4)]
    assert veiled(rows, [window(1, 4)]) == (rows[0], stretch(2, 3), rows[3])


def test_veil_when_a_kind_is_for_its_sender_then_only_the_sender_sees_it() -> None:
    conversation = direct_conversation(ANN, BOB)
    rows = [
        entry(1, Kind.BLOCKED, ANN, conversation),
        entry(2, Kind.BLOCKED, BOB, conversation),
    ]
    page = veil(conversation, rows, [window(1, 2)], viewer_id=ANN, after_seq=Seq(0))
    assert page == (rows[0], hidden(conversation, Seq(2), Seq(2)))


def test_veil_when_it_is_ones_own_conversation_then_every_kind_is_seen() -> None:
    conversation = own_conversation(ANN)
    rows = [entry(1, Kind.JOIN_REQUESTED, BOB, conversation)]
    page = veil(conversation, rows, [window(1, 1)], viewer_id=ANN, after_seq=Seq(0))
    assert page == tuple(rows)


def test_veil_when_joined_late_then_what_was_before_is_one_stretch() -> None:
    assert veiled([entry(50)], [window(50, 50)]) == (stretch(1, 49), entry(50))


def test_veil_when_away_for_a_while_then_the_gap_and_the_unseen_melt_into_one_stretch() -> None:
    rows = [entry(5, Kind.JOIN_DECLINED), entry(9, Kind.JOIN_DECLINED), entry(10)]
    assert veiled(rows, [window(1, 5), window(9, 10)], after=4) == (stretch(5, 9), entry(10))


def test_veil_when_the_page_ends_with_the_unseen_then_it_still_reaches_there() -> None:
    rows = [entry(1), entry(2, Kind.JOIN_REQUESTED)]
    assert veiled(rows, [window(1, 99)]) == (rows[0], stretch(2, 2))


def test_veil_when_a_row_lies_behind_the_last_window_then_nothing_tells_of_it() -> None:
    assert veiled([entry(3), entry(4)], [window(1, 3)], after=2) == (entry(3),)


def test_veil_when_no_row_is_left_to_show_then_hidden_up_to_the_end() -> None:
    assert veiled([], [window(1, 7)], after=4) == (stretch(5, 7),)


def test_veil_when_at_or_beyond_the_end_then_empty() -> None:
    assert veiled([], [window(1, 7)], after=7) == ()
    assert veiled([], [window(1, 7)], after=70) == ()
    assert veiled([], [window(1, 0)]) == ()


def test_last_visible_seq_when_asked_then_the_last_windows_end() -> None:
    assert last_visible_seq([window(1, 3), window(8, 9)]) == 9
    assert last_visible_seq([]) == 0


def test_visible_entries_when_filtered_then_without_stretches() -> None:
    rows = [entry(1), entry(2), entry(3, Kind.JOIN_REQUESTED), entry(4)]
    assert visible_entries(rows, [window(2, 9)], ANN) == [rows[1], rows[3]]
    assert visible_entries([], [window(1, 9)], ANN) == []


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[Entry], list[Window], int]:
    """A log of any kinds, any windows, and a place in it."""
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=30))
    senders = draw(st.lists(st.sampled_from((ANN, BOB)), min_size=len(kinds), max_size=len(kinds)))
    rows = [
        entry(seq, kind, sender)
        for seq, (kind, sender) in enumerate(zip(kinds, senders, strict=True), start=1)
    ]
    cuts = sorted(draw(st.sets(st.integers(1, len(rows) + 1), max_size=6)))
    windows = [
        window(since, until - 1) for since, until in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return rows, windows, draw(st.integers(0, len(rows) + 1))


@given(logs(), st.booleans(), st.integers(1, 10))
@settings(max_examples=300)
def test_veil_when_given_any_log_then_contiguous_and_nothing_leaks(
    case: tuple[list[Entry], list[Window], int], bounded: bool, limit: int
) -> None:
    log, windows, after = case

    def in_windows(seq: int) -> bool:
        return any(since <= seq <= until for since, until in windows)

    # What a reader may hand in: all rows, or only those within the windows.
    rows = [one for one in log if one.seq > after and (in_windows(one.seq) or not bounded)]
    page = veiled(rows[:limit], windows, after)

    expected = after + 1
    for one in page:
        assert one.seq == expected
        expected = (one.through_seq or one.seq) + 1
    assert expected - 1 <= max(after, last_visible_seq(windows))
    shown = [one for one in page if one.kind != Kind.HIDDEN]
    assert shown == [
        one
        for one in rows[:limit]
        if in_windows(one.seq) and is_visible(one.kind, one.sender_id, ANN)
    ]
    assert not any(one.kind == other.kind == Kind.HIDDEN for one, other in pairwise(page))
