"""Pull mode: what a client must be told because pushes to it were dropped.

The rule, per conversation: from the first push that is dropped, pushes of that conversation are
dropped, and the client is told its head, at most once a second. When the client asks for a page of
it while there is room again, pushes flow from that moment on; if the page does not reach the head,
they are dropped again until one does.

Nothing is lost: an entry that was committed before the page was read is in the page, and one that
was committed later is pushed after pushes flow again. An entry in both is the client's to drop, by
its seq. A mark that no page takes away (the client had the entry already) costs nothing until the
next push of that conversation, which is then told as a head.
"""

from __future__ import annotations

from tinyqq.errors import RateLimited, TinyQQError, Unavailable
from tinyqq.model.connection import HeadHint
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.sync import Page, Position, Sync


class Missed:
    """Conversations of which one client missed pushes, with the last seq that it missed."""

    __slots__ = ("_heads", "_is_news")

    def __init__(self) -> None:
        self._heads: dict[ConversationId, Seq] = {}
        self._is_news = False

    def __len__(self) -> int:
        return len(self._heads)

    def __contains__(self, conversation_id: ConversationId) -> bool:
        return conversation_id in self._heads

    def note(self, conversation_id: ConversationId, seq: Seq) -> None:
        """A push was dropped."""
        self._heads[conversation_id] = max(seq, self._heads.get(conversation_id, Seq(0)))
        self._is_news = True

    def page_asked(self, request: Sync) -> Seq:
        """A page of a conversation is about to be read: its pushes flow again.

        Returns what :meth:`page_read` or :meth:`page_refused` wants; 0: nothing was missed.
        """
        return self._heads.pop(request.conversation_id, Seq(0))

    def page_read(self, request: Sync, page: Page, missed: Seq) -> None:
        """The page is there; the client knows by itself that it must go on when it ends early."""
        if missed and last_seq(request, page) < page.head_seq:
            self._restore(request.conversation_id, max(missed, page.head_seq))

    def page_refused(self, request: Sync, missed: Seq, error: TinyQQError) -> None:
        """There was no page: told again if there may be one later, else there is nothing to see."""
        if missed and isinstance(error, Unavailable | RateLimited):
            self.note(request.conversation_id, missed)

    def take_hint(self) -> HeadHint | None:
        """What to tell the client, if anything was missed since it was told last."""
        if not self._is_news:
            return None
        self._is_news = False
        if not self._heads:
            return None
        return HeadHint(tuple(Position(*one) for one in self._heads.items()))

    def _restore(self, conversation_id: ConversationId, seq: Seq) -> None:
        self._heads[conversation_id] = max(seq, self._heads.get(conversation_id, Seq(0)))


def last_seq(request: Sync, page: Page) -> Seq:
    """The seq up to which a client knows the log after a page."""
    if not page.entries:
        return request.after_seq
    last = page.entries[-1]
    return max(last.seq, last.through_seq)
