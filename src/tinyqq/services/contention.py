"""Conversations that another process writes too: who waits how long, so that both get their turns.
Pure.

Whoever has just written knows the head, and needs one round trip for the next batch; whoever came
second has to read first. So the first would win every time, for seconds on end. Therefore both
pause: the second for a short, random time, the first after every batch for long enough that the
other can read and write. The first may not know of the other, who has never written anything: so
now and then it pauses in a conversation that it writes without a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from tinyqq.model.ids import ConversationId

TRUST_S: Final = 1.0
"""How long a conversation counts as contended after the last sign of another writer."""
LOST_S: Final = 0.004
"""Upper end of the pause of who came second."""
YIELD_S: Final = 0.010
"""Upper end of the pause of who came first, at least; the lower end is half of it."""
YIELD_APPENDS: Final = 4
"""The same in appends: where these are slow, the other's read and append are slow too."""
LONGEST_YIELD_S: Final = 0.5
LOOK_SHARE: Final = 10
"""Pauses where nobody has been seen take at most this part of the time."""


@dataclass(slots=True)
class _Contest:
    seen_s: float
    losing_since_s: float | None = None
    losses: int = 0


class Contention:
    """See the module's docstring.

    Args:
        draw: a random number in [0, 1).
        look_every_s: how often to pause where nobody else has been seen; 0: never.
    """

    def __init__(self, *, draw: Callable[[], float], look_every_s: float) -> None:
        self._draw = draw
        self._look_every_s = look_every_s
        self._look_at_s = 0.0
        self._last: Collection[ConversationId] = ()
        self._contests: dict[ConversationId, _Contest] = {}

    def lost(self, conversation_id: ConversationId, now_s: float) -> float:
        """Somebody else was first; returns for how long to stand aside, in seconds."""
        contest = self._contests.pop(conversation_id, None) or _Contest(now_s)
        if contest.losing_since_s is None:
            contest.losing_since_s = now_s
        contest.seen_s = now_s
        contest.losses += 1
        self._contests[conversation_id] = contest  # at the end: ordered by seen_s
        return self._draw() * LOST_S

    def losing_since_s(self, conversation_id: ConversationId) -> float | None:
        """Since when this process has come second there every time."""
        contest = self._contests.get(conversation_id)
        return None if contest is None else contest.losing_since_s

    def losses(self, conversation_id: ConversationId) -> int:
        """How often this process came second there, since nobody else had been seen."""
        contest = self._contests.get(conversation_id)
        return 0 if contest is None else contest.losses

    def won(
        self, written: Collection[ConversationId], now_s: float, took_s: float = 0.0
    ) -> list[tuple[ConversationId, float]]:
        """A batch was written, which took so long; returns where to pause now, and for how many
        seconds."""
        yield_s = min(max(YIELD_S, YIELD_APPENDS * took_s), LONGEST_YIELD_S)
        last, self._last = self._last, written
        chosen: set[ConversationId] = set()
        if self._contests:
            chosen.update(one for one in written if one in self._contests)
            for conversation_id in chosen:
                self._contests[conversation_id].losing_since_s = None
        if self._look_every_s and now_s >= self._look_at_s:
            self._look_at_s = now_s + max(self._look_every_s, LOOK_SHARE * yield_s)
            chosen.update(one for one in written if one in last)
        return [(one, yield_s * (1 + self._draw()) / 2) for one in sorted(chosen)]

    def trim(self, now_s: float) -> None:
        """Forget the contests that are over."""
        while self._contests:
            oldest = next(iter(self._contests))
            if self._contests[oldest].seen_s + TRUST_S >= now_s:
                return
            del self._contests[oldest]

    def __len__(self) -> int:
        return len(self._contests)
