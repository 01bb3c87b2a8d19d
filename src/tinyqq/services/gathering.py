"""Conversations that several nodes write at once, gathered at one of them.

Lanes that write one conversation at the same time come second to each other again and again. So a
lane to which that happens hands what its own clients send there to the node that all of them find
for it. That is a hint: whoever has a send may number it. As soon as one of them is refused for now
(the link is broken, the node has gone, its lane is full) the lane takes back all that have no
answer, in their order, and writes them itself; what the other has written after all it finds under
the client's id. No I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import RateLimited, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Sent
from tinyqq.ports.services import FindHome, Home
from tinyqq.services.answers import Answers
from tinyqq.services.numbering import Draft

GATHER_S: Final = 30.0
"""For how long; then the lane tries by itself again: the others may have stopped."""


def nowhere(_: ConversationId) -> Home | None:
    """There are no other nodes."""
    return None


@dataclass(slots=True, eq=False)
class _Away:
    """A conversation that is handed over."""

    home: Home
    until_s: float
    last_number: int = 0
    unanswered: dict[int, Draft] = field(default_factory=dict)
    """In their order."""
    held: list[Draft] = field(default_factory=list)
    """Behind the unanswered, when it is to end."""
    is_ending: bool = False

    def add(self, draft: Draft) -> int:
        self.last_number += 1
        self.unanswered[self.last_number] = draft
        return self.last_number


class Gathering:
    """What one lane has handed over. Its length is that of the conversations.

    Order: drafts of one sender to one conversation are numbered in the order in which they were
    handed in, here or there.

    Args:
        take_back: called with drafts that the lane is to write itself.
        rest_s: how long after that a conversation is not handed over again.
    """

    def __init__(
        self,
        *,
        find_home: FindHome,
        answers: Answers,
        clock: Clock,
        take_back: Callable[[Sequence[Draft]], None],
        rest_s: float,
    ) -> None:
        self._find_home = find_home
        self._answers = answers
        self._clock = clock
        self._take_back = take_back
        self._rest_s = rest_s
        self._away: dict[ConversationId, _Away] = {}
        self._resting: dict[ConversationId, float] = {}
        self._is_closed = False
        self._handed_over = 0
        self._taken_back = 0

    def __len__(self) -> int:
        return len(self._away)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "lane_handed_over_total": self._handed_over,
            "lane_taken_back_total": self._taken_back,
            "lane_gathered_conversations": len(self._away),
        }

    def find_home(self, conversation_id: ConversationId) -> Home | None:
        """Where a conversation may be handed over now; None: nowhere."""
        now_s = self._clock.monotonic()
        if self._is_closed or conversation_id in self._away:
            return None
        if self._resting.get(conversation_id, now_s) > now_s:
            return None
        return self._find_home(conversation_id)

    def begin(self, conversation_id: ConversationId, home: Home, drafts: Sequence[Draft]) -> None:
        """Hand a conversation over.

        Args:
            drafts: all that the lane has of it and that may leave, in their order.
        """
        until_s = self._clock.monotonic() + GATHER_S
        away = self._away[conversation_id] = _Away(home, until_s)
        for number, draft in [(away.add(draft), draft) for draft in drafts]:
            if number in away.unanswered:  # not taken back already
                self._hand_over(away, number, draft)

    def take(self, draft: Draft) -> bool:
        """Take what belongs to a conversation that is handed over; False: it is the lane's."""
        away = self._away.get(draft.conversation_id)
        if away is None or (draft.send is None and draft.rule is None):
            return False
        if (
            draft.rule is not None
            or self._clock.monotonic() >= away.until_s
            or not away.home.is_open
        ):
            away.is_ending = True  # a change does not overtake its actor's messages
        if not away.is_ending:
            self._hand_over(away, away.add(draft), draft)
        elif away.unanswered:
            away.held.append(draft)
        else:
            del self._away[draft.conversation_id]
            return False
        return True

    def trim(self) -> None:
        """Forget what was handed over for long and is quiet."""
        now_s = self._clock.monotonic()
        while self._away:
            conversation_id, away = next(iter(self._away.items()))
            if away.unanswered or away.until_s > now_s:
                return
            del self._away[conversation_id]

    def close(self) -> None:
        """Hand nothing over any more; the length is 0 when all is answered."""
        self._is_closed = True
        for conversation_id, away in list(self._away.items()):
            away.is_ending = True
            if not away.unanswered:
                del self._away[conversation_id]

    def _hand_over(self, away: _Away, number: int, draft: Draft) -> None:
        assert draft.send is not None
        self._handed_over += 1
        draft.send.answer = partial(self._answered, away, number)
        away.home.send(draft.send)

    def _answered(self, away: _Away, number: int, outcome: Sent | TinyQQError) -> None:
        draft = away.unanswered.get(number)
        if draft is None:
            return  # it was taken back
        if isinstance(outcome, Unavailable | RateLimited):
            self._fall_back(draft.conversation_id, away)
            return
        del away.unanswered[number]
        if isinstance(outcome, Sent):
            self._answers.written_elsewhere(draft, outcome)
        else:
            self._answers.refuse(draft, outcome)
        if away.is_ending and not away.unanswered:
            self._end(draft.conversation_id, away)

    def _fall_back(self, conversation_id: ConversationId, away: _Away) -> None:
        now_s = self._clock.monotonic()
        self._resting = {one: until_s for one, until_s in self._resting.items() if until_s > now_s}
        self._resting[conversation_id] = now_s + self._rest_s
        self._taken_back += len(away.unanswered)
        away.held = [*away.unanswered.values(), *away.held]
        away.unanswered.clear()
        self._end(conversation_id, away)

    def _end(self, conversation_id: ConversationId, away: _Away) -> None:
        if self._away.get(conversation_id) is away:
            del self._away[conversation_id]
        self._take_back(away.held)
