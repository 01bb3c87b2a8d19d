"""Which node gets a call, and which a conversation. Pure: time and chance are handed in.

Calls: of two nodes drawn by chance the one with less to do (power of two choices: nearly as good as
asking all, and callers with the same stale picture do not all run to the same node). A new node is
the least loaded and so gets most calls, but at a time only as many as it has shown to bear: a
number that doubles every second. A node that failed gets nothing until its time is up, then one
call as a probe.

Conversations: the node with the highest hash of (node, conversation), so that only those of a node
that goes or comes move, and all callers agree without talking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.ports.registry import Node

FIRST_AT_A_TIME: Final = 8
"""What a new node gets at a time from each caller, in its first second."""
WARM_AFTER_S: Final = 10.0
FIRST_PENALTY_S: Final = 0.5
LAST_PENALTY_S: Final = 10.0
_LEAST_FREE: Final = 0.05
"""A node that says that it is full still counts as this much free: reports are old."""


@dataclass(slots=True)
class _Candidate:
    incarnation: str
    since: float
    load: float
    in_flight: int = 0
    failures: int = 0
    not_before: float = 0.0
    probing: bool = False

    def cost(self) -> float:
        """How busy, for comparing: own calls per free part of the node."""
        return (self.in_flight + 1) / max(1.0 - self.load, _LEAST_FREE)

    def is_open(self, now: float) -> bool:
        """Whether it may be asked at all."""
        return not self.failures or (now >= self.not_before and not self.probing)

    def has_room(self, now: float) -> bool:
        """Whether it is warm enough for one more."""
        age_s = max(now - self.since, 0.0)
        return age_s >= WARM_AFTER_S or self.in_flight < FIRST_AT_A_TIME * 2.0**age_s


@dataclass(frozen=True, slots=True)
class Pick:
    """A node that was chosen for one call."""

    unit_id: UnitId
    is_probe: bool
    candidate: _Candidate


class Selector:
    """The nodes of one role, and what this process has going with each.

    Every :meth:`pick` is followed by exactly one :meth:`done`.
    """

    def __init__(self) -> None:
        self._candidates: dict[UnitId, _Candidate] = {}
        self._has_seen_any = False

    def update(self, nodes: Iterable[Node], now: float) -> None:
        """Take the picture over: the live nodes of this role, without those that drain.

        The nodes of the first picture are warm: it is this process that is new.
        """
        before = self._candidates
        since = now if self._has_seen_any else now - WARM_AFTER_S
        self._candidates = {}
        for node in nodes:
            known = before.get(node.unit_id)
            if known is None or known.incarnation != node.incarnation:
                known = _Candidate(node.incarnation, since, node.load)
            known.load = node.load
            self._candidates[node.unit_id] = known
        self._has_seen_any = self._has_seen_any or bool(self._candidates)

    def pick(
        self, now: float, draw: Callable[[int], int], avoid: Sequence[UnitId] = ()
    ) -> Pick | None:
        """The node to ask next; None: there is none at present.

        Args:
            draw: a number from 0 up to its argument.
            avoid: nodes that this call has been to.
        """
        open_ones = [
            unit_id
            for unit_id, one in self._candidates.items()
            if unit_id not in avoid and one.is_open(now)
        ]
        choice = [one for one in open_ones if self._candidates[one].has_room(now)] or open_ones
        if not choice:
            return None
        unit_id = self._better_of_two(choice, draw)
        candidate = self._candidates[unit_id]
        candidate.in_flight += 1
        candidate.probing = bool(candidate.failures)
        return Pick(unit_id, candidate.probing, candidate)

    def done(self, pick: Pick, now: float, *, failed: bool | None) -> None:
        """A call has ended; ``failed``: the node did not answer. A refusal is an answer; None:
        nobody waited for it."""
        candidate = pick.candidate
        candidate.in_flight -= 1
        if pick.is_probe:
            candidate.probing = False
        if failed and (pick.is_probe or not candidate.failures):
            # Other calls that were on their way when it failed are the same failure.
            penalty_s = min(FIRST_PENALTY_S * 2.0**candidate.failures, LAST_PENALTY_S)
            candidate.failures += 1
            candidate.not_before = now + penalty_s
        elif failed is False and pick.is_probe:
            candidate.failures = 0
            candidate.since = now  # it may be cold again

    def figures(self, now: float) -> dict[UnitId, dict[str, float]]:
        """What the metrics show of each node."""
        return {
            unit_id: {
                "in_flight": one.in_flight,
                "load": one.load,
                "open": float(one.is_open(now)),
            }
            for unit_id, one in self._candidates.items()
        }

    def wait_s(self, now: float) -> float:
        """How long until some node may be asked; 0: now, or there is none at all."""
        return max(
            min((one.not_before - now for one in self._candidates.values()), default=0.0), 0.0
        )

    def _better_of_two(self, choice: list[UnitId], draw: Callable[[int], int]) -> UnitId:
        if len(choice) == 1:
            return choice[0]
        first = draw(len(choice))
        second = draw(len(choice) - 1)
        second += second >= first
        one, two = choice[first], choice[second]
        return one if self._candidates[one].cost() <= self._candidates[two].cost() else two


# ---- conversations -------------------------------------------------------------------------------

_MASK: Final = 2**64 - 1
LOAD_BOUND: Final = 1.5
"""A node takes no new conversation while it has more than this part of the average."""
_LEAST_BOUND: Final = 64
"""Below so many sends at a time nobody is loaded."""


def seed_of(unit_id: UnitId) -> int:
    """A node's own number in :func:`place`."""
    return int.from_bytes(hashlib.blake2b(unit_id.encode(), digest_size=8).digest(), "big")


def place(
    conversation_id: ConversationId,
    seeds: Mapping[UnitId, int],
    unanswered: Mapping[UnitId, int],
) -> UnitId | None:
    """The node that numbers a conversation: the highest hash among those that are not overloaded.

    Which node it is is a matter of speed only: the log's key keeps the order.

    Args:
        seeds: :func:`seed_of` every node that may be asked.
        unanswered: sends that are on their way to each; absent: none.
    """
    best = _highest(conversation_id, seeds)
    if best is None or unanswered.get(best, 0) <= _LEAST_BOUND:
        return best
    total = sum(unanswered.get(unit_id, 0) for unit_id in seeds)
    bound = max(LOAD_BOUND * total / len(seeds), _LEAST_BOUND)
    free = {one: seed for one, seed in seeds.items() if unanswered.get(one, 0) <= bound}
    return _highest(conversation_id, free)


def _highest(conversation_id: ConversationId, seeds: Mapping[UnitId, int]) -> UnitId | None:
    best, highest = None, -1
    for unit_id, seed in seeds.items():
        value = _mixed(conversation_id ^ seed)
        if value > highest:
            best, highest = unit_id, value
    return best


def _mixed(number: int) -> int:
    """A number whose bits all depend on all bits (the finish of splitmix64)."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & _MASK
    return number ^ number >> 31
