"""What becomes of drafts: each is answered once, and whoever may see what was committed is told."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tinyqq.errors import TinyQQError, Unavailable
from tinyqq.model.message import Entry, Sent
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.storage import LogWriter
from tinyqq.services.numbering import Change, Draft, Numbering, Placed

logger = logging.getLogger(__name__)


class Answers:
    """The answers of one lane.

    Args:
        log: is asked for what may be there already.
        numbering: remembers outcomes.
    """

    def __init__(self, *, log: LogWriter, numbering: Numbering, delivery: Delivery) -> None:
        self.repeats = 0
        self.refusals = 0
        self._log = log
        self._numbering = numbering
        self._delivery = delivery

    def committed(self, placed: Sequence[Placed]) -> None:
        """Answer and push what was written.

        Entry by entry: so a session that both sends and receives in one conversation sees its seqs
        in order, and no client asks for a gap that is none.
        """
        push = self._delivery.push
        for one in placed:
            try:
                _tell(one.draft, Change(one.entry, is_repeat=False))
                push((self._numbering.committed(one),))
            except Exception:  # it is committed: whoever missed it finds it in the log
                logger.exception("lane.push_failed")

    def written_elsewhere(self, draft: Draft, sent: Sent) -> None:
        """Answer what another node has written and pushed."""
        entry = Entry(
            draft.conversation_id, sent.seq, sent.ordinal, draft.sender_id, draft.operation_id,
            sent.sent_at_ms, draft.kind, draft.body
        )  # fmt: skip
        _tell(draft, Change(entry, is_repeat=False))

    def repeat(self, draft: Draft, entry: Entry) -> None:
        """Answer with what was written before, and push it again."""
        self.repeats += 1
        _tell(draft, Change(entry, is_repeat=True))
        self._delivery.push((self._numbering.found(draft, entry),))

    def refuse(self, draft: Draft, error: TinyQQError) -> None:
        """Refuse a draft, and with it the rest of its flight if it may come again."""
        self.refusals += 1
        self._numbering.refused(draft, error)
        _tell(draft, error)

    async def refuse_unless_found(self, refused: Sequence[tuple[Draft, TinyQQError]]) -> None:
        """Refuse, unless the log shows that this is the repeat of something that was granted."""
        try:
            found = await self._log.find_sent([draft.key for draft, _ in refused])
        except Unavailable as unavailable:
            for draft, _ in refused:
                self.refuse(draft, unavailable)
            return
        for draft, error in refused:
            entry = found.get(draft.key)
            if entry is None:
                self.refuse(draft, error)
            else:
                self.repeat(draft, entry)

    async def find(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Answer what is in the log after all; returns the others, in their order.

        Raises:
            Unavailable: the log cannot be read; nobody was answered.
        """
        found = await self._log.find_sent([draft.key for draft in drafts])
        others: list[Draft] = []
        for draft in drafts:
            entry = found.get(draft.key)
            if entry is None:
                others.append(draft)
            else:
                self.repeat(draft, entry)
        return others


def _tell(draft: Draft, outcome: Change | TinyQQError) -> None:
    """Answer a draft, once, whatever becomes of it after that."""
    done, draft.done = draft.done, _nobody
    try:
        done(outcome)
    except Exception:  # whose answer it is must not end the lane of all others
        logger.exception("lane.answer_failed")


def _nobody(_: Change | TinyQQError) -> None:
    """Who has been answered is told nothing more."""
