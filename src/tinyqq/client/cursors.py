"""How far conversations were received and read, as far as this client knows. Pure.

Cursors only move forward. What is told (marks), what is heard (pushes, overviews) and what follows
from messages (who writes has read what is above) is merged by max. So what was missed between two
connections shows as a difference in the next overview: what the server has and this client had not
is news, what this client has told and the server has not was lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyqq.model.ids import MAX_GROUP_ID, ConversationId, Seq, UserId, peer_of
from tinyqq.model.message import CursorMoved, Entry, Mark, is_countable
from tinyqq.model.sync import Known, Position, Summary


@dataclass(slots=True)
class _Cursors:
    read_seq: Seq = Seq(0)
    delivered_seq: Seq = Seq(0)
    peer_read_seq: Seq = Seq(0)
    peer_delivered_seq: Seq = Seq(0)


class Cursors:
    """See the module's docstring.

    Args:
        user_id: whose client this is.
        positions: what this device got in earlier runs.
    """

    def __init__(self, user_id: UserId, positions: Iterable[Position] = ()) -> None:
        self._user_id = user_id
        self._cursors = {one.conversation_id: _Cursors(delivered_seq=one.seq) for one in positions}

    def known(self, positions: Iterable[Position]) -> tuple[Known, ...]:
        """What to ask the overview with."""
        return tuple(
            Known(
                one.conversation_id,
                one.seq,
                at.read_seq,
                at.delivered_seq,
                at.peer_read_seq,
                at.peer_delivered_seq,
            )
            for one in positions
            for at in (self._at(one.conversation_id),)
        )

    # ---- what moves them -------------------------------------------------------------------------

    def mark(self, mark: Mark) -> bool:
        """This device got or read something; False: the server has been told already."""
        at = self._at(mark.conversation_id)
        if mark.read_seq <= at.read_seq and mark.delivered_seq <= at.delivered_seq:
            return False
        at.read_seq = max(at.read_seq, mark.read_seq)
        at.delivered_seq = max(at.delivered_seq, mark.delivered_seq)
        return True

    def wrote(self, entry: Entry) -> None:
        """Who writes a message has read what is above; the server tells nobody."""
        if not is_countable(entry.kind):
            return
        if entry.sender_id == self._user_id:
            at = self._at(entry.conversation_id)
            at.read_seq = max(at.read_seq, entry.seq)
        elif entry.conversation_id > MAX_GROUP_ID:
            self._peer(entry.conversation_id, entry.seq, entry.seq)

    def moved(self, moved: CursorMoved) -> None:
        """The server has told of a cursor."""
        if moved.user_id == self._user_id:
            at = self._at(moved.conversation_id)
            at.read_seq = max(at.read_seq, moved.read_seq)
        else:
            self._peer(moved.conversation_id, moved.delivered_seq, moved.read_seq)

    def learn(self, summary: Summary) -> tuple[Mark | None, list[CursorMoved]]:
        """Take over what an overview says.

        Returns:
            What was marked here and is not there, to be told again; what is news here.
        """
        key = summary.conversation_id
        at = self._at(key)
        lost = None
        if at.read_seq > summary.read_seq or at.delivered_seq > summary.delivered_seq:
            lost = Mark(key, at.delivered_seq, at.read_seq)
        news = []
        if summary.read_seq > at.read_seq:
            news.append(CursorMoved(key, self._user_id, summary.read_seq, summary.read_seq))
        theirs = summary.peer_delivered_seq, summary.peer_read_seq
        if theirs[0] > at.peer_delivered_seq or theirs[1] > at.peer_read_seq:
            news.append(CursorMoved(key, peer_of(key, self._user_id), *theirs))
            self._peer(key, *theirs)
        at.read_seq = max(at.read_seq, summary.read_seq)
        at.delivered_seq = max(at.delivered_seq, summary.delivered_seq)
        return lost, news

    # ---- inside ----------------------------------------------------------------------------------

    def _at(self, conversation_id: ConversationId) -> _Cursors:
        at = self._cursors.get(conversation_id)
        if at is None:
            at = self._cursors[conversation_id] = _Cursors()
        return at

    def _peer(self, conversation_id: ConversationId, delivered_seq: Seq, read_seq: Seq) -> None:
        at = self._at(conversation_id)
        at.peer_read_seq = max(at.peer_read_seq, read_seq)
        at.peer_delivered_seq = max(at.peer_delivered_seq, delivered_seq, at.peer_read_seq)
