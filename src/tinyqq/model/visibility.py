"""What a reader may see of a stretch of the log."""

from __future__ import annotations

from collections.abc import Sequence

from tinyqq.model.ids import ConversationId, ConversationType, Seq, UserId, conversation_type
from tinyqq.model.message import Entry, hidden, is_visible

Windows = Sequence[tuple[Seq, Seq]]
"""Intervals [since, until] of seqs that somebody may read, ascending and apart."""


def last_visible_seq(windows: Windows) -> Seq:
    """The last seq that the reader may know of; 0 without windows."""
    return windows[-1][1] if windows else Seq(0)


def visible_entries(entries: Sequence[Entry], windows: Windows, viewer_id: UserId) -> list[Entry]:
    """The entries that the viewer may see, in their order."""
    if not entries:
        return []
    is_own = conversation_type(entries[0].conversation_id) is ConversationType.OWN
    return [
        entry
        for entry in entries
        if any(since <= entry.seq <= until for since, until in windows)
        and (is_own or is_visible(entry.kind, entry.sender_id, viewer_id))
    ]


def veil(
    conversation_id: ConversationId,
    entries: Sequence[Entry],
    windows: Windows,
    *,
    viewer_id: UserId,
    after_seq: Seq,
) -> tuple[Entry, ...]:
    """A page without holes: every seq after *after_seq* stands in it once, up to the last row's.

    What the viewer may not see — rows outside the windows, rows of kinds that are not for the
    viewer, and rows that were not read for these reasons — becomes HIDDEN stretches, as long as
    possible. Nothing is said about seqs beyond the windows.

    Args:
        entries: rows of one conversation, ascending seq, all after *after_seq*.
    """
    last = last_visible_seq(windows)
    # Rows end a page that is full; a page without rows has nothing left to show up to the end.
    through = min(entries[-1].seq, last) if entries else last
    page: list[Entry] = []
    expected = Seq(after_seq + 1)
    for entry in visible_entries(entries, windows, viewer_id):
        if entry.seq > expected:
            page.append(hidden(conversation_id, expected, Seq(entry.seq - 1)))
        page.append(entry)
        expected = Seq(entry.seq + 1)
    if expected <= through:
        page.append(hidden(conversation_id, expected, through))
    return tuple(page)
