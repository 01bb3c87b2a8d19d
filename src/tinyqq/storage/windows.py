"""What a person may read of a conversation: intervals of seqs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BindParameter, Connection, bindparam, select

from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    Seq,
    UserId,
    conversation_type,
    users_of,
)
from tinyqq.storage.rows import OF_USER
from tinyqq.storage.schema import member

Windows = tuple[tuple[Seq, Seq], ...]

_CONVERSATION: Final[BindParameter[int]] = bindparam("in_conversation")
_INTERVALS: Final = (
    select(member.c.since_seq, member.c.until_seq)
    .where(member.c.conversation_id == _CONVERSATION, member.c.user_id == OF_USER)
    .order_by(member.c.since_seq)
)


def find_windows(
    conn: Connection, viewer_id: UserId, conversation_id: ConversationId, head_seq: Seq
) -> Windows:
    """Intervals that the viewer may read, ascending, cut at the head; none: no right at all."""
    if conversation_type(conversation_id) is not ConversationType.GROUP:
        return ((Seq(1), head_seq),) if viewer_id in users_of(conversation_id) else ()
    rows = conn.execute(_INTERVALS, {"in_conversation": conversation_id, "of_user_id": viewer_id})
    return tuple((since_seq, min(until_seq, head_seq)) for since_seq, until_seq in rows)
