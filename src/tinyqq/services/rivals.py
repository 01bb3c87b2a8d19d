"""Other processes that write the same conversations: who stands aside for them, and comes back.

Conversations whose head had moved stand aside for a moment (contention.py says for how long), and
hold up nobody else (waiting.py). One that comes second again and again is handed to the one node
where all gather it (gathering.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.services.answers import Answers
from tinyqq.services.contention import Contention
from tinyqq.services.gathering import Gathering
from tinyqq.services.numbering import Draft, Numbering
from tinyqq.services.waiting import Waiting

GATHER_AFTER: Final = 3
"""Losses in a conversation after which it is handed over: two people who once write at the same
moment are no reason."""


class Rivals:
    """The rivals of one lane.

    Args:
        give_up_s: how long a conversation may come second every time before it is refused.
        wake: called when something may go on.
    """

    def __init__(
        self,
        *,
        waiting: Waiting,
        numbering: Numbering,
        contention: Contention,
        answers: Answers,
        gathering: Gathering,
        clock: Clock,
        give_up_s: float,
        wake: Callable[[], None],
    ) -> None:
        self.stood_aside = 0
        self._waiting = waiting
        self._numbering = numbering
        self._contention = contention
        self._answers = answers
        self._gathering = gathering
        self._clock = clock
        self._give_up_s = give_up_s
        self._wake = wake

    def __len__(self) -> int:
        """Conversations that somebody else has written lately."""
        return len(self._contention)

    def part(self, drafts: Sequence[Draft], believed: Mapping[ConversationId, Seq]) -> list[Draft]:
        """After a failure: who of *drafts* goes on at once, because nobody else has written there.

        Args:
            believed: the heads under which they were numbered.
        """
        moved: dict[ConversationId, list[Draft]] = {}
        others: list[Draft] = []
        for draft in drafts:  # all of them: the order of a conversation is kept
            conversation_id = draft.conversation_id
            head = self._numbering.head(conversation_id)
            if head is None or believed.get(conversation_id, head) == head:
                others.append(draft)
            else:
                moved.setdefault(conversation_id, []).append(draft)
        for conversation_id, its_drafts in moved.items():
            self._numbering.doubt(conversation_id)  # it will have moved again
            self.lost(conversation_id, its_drafts)
        return others

    def lost(self, conversation_id: ConversationId, drafts: Sequence[Draft]) -> None:
        """Somebody else was first: *drafts*, all of it that was taken, wait or are refused."""
        now_s = self._clock.monotonic()
        pause_s = self._contention.lost(conversation_id, now_s)
        since_s = self._contention.losing_since_s(conversation_id)
        if since_s is not None and now_s - since_s > self._give_up_s:
            for draft in (*drafts, *self._waiting.withdraw(conversation_id)):
                self._answers.refuse(draft, Unavailable(ErrorCode.BUSY, retry_after_s=0.5))
            return
        if self._contention.losses(conversation_id) >= GATHER_AFTER:
            drafts = self._hand_over(conversation_id, drafts)
        if drafts:
            self.stood_aside += 1
            self._stand_aside(conversation_id, drafts, pause_s)

    def won(self, written: Collection[ConversationId], took_s: float) -> None:
        """After a commit: pause where somebody else writes, or may want to."""
        now_s = self._clock.monotonic()
        for conversation_id, pause_s in self._contention.won(written, now_s, took_s):
            self._stand_aside(conversation_id, (), pause_s)

    def trim(self) -> None:
        """Forget those of whom nothing was seen for long."""
        self._contention.trim(self._clock.monotonic())
        self._gathering.trim()

    def _hand_over(
        self, conversation_id: ConversationId, drafts: Sequence[Draft]
    ) -> Sequence[Draft]:
        """Gather a conversation elsewhere, with all that waits of it; returns what stays."""
        home = self._gathering.find_home(conversation_id)
        if home is None:
            return drafts
        drafts = (*drafts, *self._waiting.withdraw(conversation_id))
        # Behind a change and in a broken flight the order is this lane's to keep.
        if any(draft.rule or self._numbering.find_break(draft) for draft in drafts):
            return drafts
        leaving = [draft for draft in drafts if draft.send is not None]
        if leaving:
            self._gathering.begin(conversation_id, home, leaving)
        return [draft for draft in drafts if draft.send is None]

    def _stand_aside(
        self, conversation_id: ConversationId, drafts: Sequence[Draft], pause_s: float
    ) -> None:
        self._waiting.stand_aside(conversation_id, drafts)
        asyncio.get_running_loop().call_later(pause_s, self._come_back, conversation_id)

    def _come_back(self, conversation_id: ConversationId) -> None:
        self._waiting.come_back(conversation_id)
        self._wake()
