"""Entries of the log as pushes: at once after the commit, and again when a push may be lost."""

from __future__ import annotations

from tinyqq.model.ids import MAX_GROUP_ID, Seq, SessionId, UserId
from tinyqq.model.message import MEMBERSHIP_KINDS, Entry, Kind
from tinyqq.ports.delivery import Push
from tinyqq.wire.content import decode_notice
from tinyqq.wire.packets import encode_entry

NOBODY = SessionId(0)

Delta = tuple[tuple[UserId, ...], tuple[UserId, ...]]
"""Users whom an entry made members, and users whom it took out."""


def push_of(
    entry: Entry, members_before: Seq, members_seq: Seq, delta: Delta, origin: SessionId
) -> Push:
    """The push of an entry of which all is known."""
    return Push(
        entry.conversation_id,
        entry.seq,
        entry.sender_id,
        entry.kind,
        encode_entry(entry),
        members_before,
        members_seq,
        delta[0],
        delta[1],
        origin,
    )


def push_again(entry: Entry, members_seq: Seq, origin: SessionId = NOBODY) -> Push:
    """The push of an entry that was found in the log.

    Args:
        members_seq: where its group stands, this entry included; 0: not known. As nobody remembers
            what was before it, a unit whose index is older reads it anew.
    """
    is_change = entry.kind in MEMBERSHIP_KINDS and entry.conversation_id <= MAX_GROUP_ID
    if not is_change:
        return push_of(entry, members_seq, members_seq, ((), ()), origin)
    members_seq = max(members_seq, entry.seq)
    return push_of(entry, members_seq, members_seq, _delta_of(entry), origin)


def _delta_of(entry: Entry) -> Delta:
    """Who comes and goes, as far as the entry itself says; a dismissal does not say who goes."""
    if entry.kind == Kind.GROUP_CREATED:
        return (entry.sender_id,), ()
    named = decode_notice(entry.body).user_ids
    return (named, ()) if entry.kind == Kind.MEMBER_JOINED else ((), named)
