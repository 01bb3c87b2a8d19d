"""Numbering: which drafts may be written, and under which seq. No I/O; the lane does that.

Holds the heads and grants of hot conversations and the outcomes of recent sends. What was handed
out is the truth only once it is committed: after any failure the lane calls
:meth:`Numbering.forget`.
"""

from __future__ import annotations

import logging
import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.conversation import (
    ConversationState,
    Effect,
    Rule,
)
from tinyqq.model.flights import Flights
from tinyqq.model.ids import (
    MAX_GROUP_ID,
    ConversationId,
    OperationId,
    Seq,
    SessionId,
    UserId,
)
from tinyqq.model.membership import membership_delta
from tinyqq.model.message import LAST_CLIENT_KIND, MEMBERSHIP_KINDS, Entry, is_countable
from tinyqq.model.speaking import check_may_speak
from tinyqq.ports.delivery import Push
from tinyqq.ports.services import Send
from tinyqq.ports.storage import Added, SendKey
from tinyqq.services.pushes import Delta, push_again, push_of
from tinyqq.wire.content import encode_notice

logger = logging.getLogger(__name__)

REFUSAL_TRUST_S: Final = 1.0
"""How long a refusal is remembered that a fresh read has confirmed."""
_NOBODY: Final[Delta] = ((), ())
STRANGER_TRUST_S: Final = 5.0
"""How long account settings ("no strangers", "deleted") are believed."""
MAX_ADDED: Final = 500
"""Entries of others that are read one by one; after more of them the state is read anew."""


class Change(NamedTuple):
    """The outcome of a draft: its entry, and whether an earlier call of the operation wrote it."""

    entry: Entry
    is_repeat: bool


@dataclass(slots=True)
class Draft:
    """An entry on its way into the log.

    ``rule`` decides whether it may be written and what it is (kind, notice, effects). Without a
    rule it is a message: ``kind`` and ``body`` are its own, and ``speaking.check_may_speak``
    decides.
    """

    conversation_id: ConversationId
    sender_id: UserId
    operation_id: OperationId
    done: Callable[[Change | TinyQQError], None]
    kind: int = 0
    body: bytes = b""
    mentions_all: bool = False
    origin: SessionId = SessionId(0)
    rule: Rule | None = None
    flight: int = 0
    """Of the session's messages to this conversation; see :mod:`tinyqq.model.flights`."""
    send: Send | None = None
    """As it came, if it may be handed to another node."""

    @property
    def key(self) -> SendKey:
        """What makes this draft the same as an earlier one."""
        return SendKey(self.conversation_id, self.sender_id, self.operation_id)


class Placed(NamedTuple):
    """A draft that got its number."""

    draft: Draft
    entry: Entry
    effects: tuple[Effect, ...]
    members_before: Seq
    members_seq: Seq


@dataclass(slots=True)
class Round:
    """What one pass over a batch came to.

    ``refused`` were refused by fresh state, ``deferred`` need a fresh one (or stand behind one that
    does, or behind an equal draft), ``repeats`` are in the log already.
    """

    placed: list[Placed] = field(default_factory=list)
    repeats: list[tuple[Draft, Entry]] = field(default_factory=list)
    refused: list[tuple[Draft, TinyQQError]] = field(default_factory=list)
    deferred: list[Draft] = field(default_factory=list)
    listings: list[tuple[UserId, ConversationId]] = field(default_factory=list)
    """Lines of conversation lists that must be there before the batch is written."""


class Numbering:
    """See the module's docstring.

    Args:
        max_weight: bound of the state cache, in rows (heads and members).
        max_recent: how many outcomes of recent sends are remembered.
    """

    def __init__(self, *, max_weight: int, max_recent: int) -> None:
        self._states: OrderedDict[ConversationId, ConversationState] = OrderedDict()
        self._heard: dict[ConversationId, Seq] = {}
        """Entries of other lanes that are known to be there, beyond the head that is known."""
        self._weight = 0
        self._max_weight = max_weight
        self._flights: Flights[tuple[SessionId, ConversationId]] = Flights()
        self._recent: OrderedDict[SendKey, Entry] = OrderedDict()
        self._max_recent = max_recent

    # ---- the cache -------------------------------------------------------------------------------

    def missing(self, drafts: Iterable[Draft], now_s: float) -> list[ConversationId]:
        """Conversations of *drafts* whose state is not here, or no longer to be trusted."""
        wanted: dict[ConversationId, None] = {}
        states = self._states
        for draft in drafts:
            state = states.get(draft.conversation_id)
            if state is None or state.expires_at_s <= now_s:
                wanted[draft.conversation_id] = None
        return list(wanted)

    def learn(self, states: Iterable[ConversationState], now_s: float) -> None:
        """Take over states that were just read."""
        for state in states:
            self._drop(state.conversation_id)
            state.loaded_at_s = now_s
            if state.conversation_id > MAX_GROUP_ID and not _are_friends(state):
                state.expires_at_s = now_s + STRANGER_TRUST_S
            self._states[state.conversation_id] = state
            self._weight += state.weight

    def forget(self, conversation_ids: Iterable[ConversationId]) -> None:
        """Drop what is believed of these: it has to be read again."""
        for conversation_id in conversation_ids:
            self._drop(conversation_id)

    def hear(self, conversation_id: ConversationId, seq: Seq, kind: int) -> None:
        """Another lane has committed an entry: learn the head from it, so that the next batch need
        not come second to find out.

        A message changes no grants: who knows it has seen everything up to it. After anything else
        the state is to be read again.
        """
        state = self._states.get(conversation_id)
        if state is None or seq <= state.head_seq:
            return
        if kind > LAST_CLIENT_KIND:
            state.expires_at_s = -math.inf
        elif seq == state.head_seq + 1:
            state.head_seq = seq
            state.head_ordinal += is_countable(kind)
            if self._heard and self._heard.get(conversation_id, seq) <= seq:
                self._heard.pop(conversation_id, None)
        else:  # those between are on their way here from elsewhere, or were lost
            self._moved(conversation_id, seq)

    def take_back(self, placed: Iterable[Placed]) -> None:
        """None of these was written, because other lanes have written: the heads are again what
        they were, and that of each conversation may have moved."""
        seen: set[ConversationId] = set()
        for one in placed:
            conversation_id, seq = one.entry.conversation_id, one.entry.seq
            state = self._states.get(conversation_id)
            if one.effects:  # the state has them already
                self._drop(conversation_id)
            elif state is not None and conversation_id not in seen:
                state.head_seq = Seq(seq - 1)
                state.head_ordinal = one.entry.ordinal - is_countable(one.entry.kind)
                self._moved(conversation_id, seq)
            seen.add(conversation_id)

    def doubt(self, conversation_id: ConversationId) -> None:
        """Somebody else writes there: by now the head may be another."""
        state = self._states.get(conversation_id)
        if state is not None:
            self._moved(conversation_id, Seq(state.head_seq + 1))

    def behind(self, drafts: Iterable[Draft]) -> dict[ConversationId, Seq]:
        """Of the conversations of *drafts* those in which there is more than is known, and the head
        that is known."""
        if not self._heard:
            return {}
        wanted = {draft.conversation_id for draft in drafts}.intersection(self._heard)
        return {one: self._states[one].head_seq for one in wanted}

    def catch_up(self, asked: Mapping[ConversationId, Seq], added: Sequence[Added]) -> None:
        """What has been read after the heads that :meth:`behind` has told.

        Args:
            added: at most MAX_ADDED of each; as many are taken for too many.
        """
        for conversation_id in asked:
            self._heard.pop(conversation_id, None)
        for one in added:
            self.hear(*one)
        numbers = Counter(one.conversation_id for one in added)
        self.forget(one for one, number in numbers.items() if number >= MAX_ADDED)

    def _moved(self, conversation_id: ConversationId, seq: Seq) -> None:
        self._heard[conversation_id] = max(self._heard.get(conversation_id, seq), seq)

    def head(self, conversation_id: ConversationId) -> Seq | None:
        """The last seq that is known or handed out; None: the state is not here."""
        state = self._states.get(conversation_id)
        return None if state is None else state.head_seq

    def trim(self) -> None:
        """Drop the least recently used states and outcomes beyond the bounds."""
        while self._weight > self._max_weight and self._states:
            self._drop(next(iter(self._states)))
        while len(self._recent) > self._max_recent:
            self._recent.popitem(last=False)

    def _drop(self, conversation_id: ConversationId) -> None:
        state = self._states.pop(conversation_id, None)
        self._heard.pop(conversation_id, None)
        if state is not None:
            self._weight -= state.weight

    # ---- numbering -------------------------------------------------------------------------------

    def place(
        self,
        drafts: Sequence[Draft],
        *,
        fresh: Container[ConversationId],
        now_s: float,
        now_ms: int,
    ) -> Round:
        """Number the drafts that may be written, in their order; every state must be here.

        A refusal never comes from cache, because the grant may have been given through another
        node: it stands only if its conversation is in *fresh* (just read for these drafts), or was
        refused by a fresh read at most REFUSAL_TRUST_S ago; otherwise the draft is deferred.
        Per sender and conversation the order is kept: what stands behind a deferred draft is
        deferred, and the rest of a flight of which something was :meth:`refused` is refused.
        """
        outcome = Round()
        in_batch: set[SendKey] = set()
        waiting: set[ConversationId] = set()
        for draft in drafts:
            key = draft.key
            earlier = self._recent.get(key)
            if earlier is not None:
                outcome.repeats.append((draft, earlier))
                continue
            if key in in_batch or draft.conversation_id in waiting:
                outcome.deferred.append(draft)
                waiting.add(draft.conversation_id)
                continue
            if self._flights and (broken := self.find_break(draft)) is not None:
                outcome.refused.append((draft, broken))
                continue
            state = self._states[draft.conversation_id]
            try:
                outcome.placed.append(self._place_one(draft, state, outcome, now_ms))
                in_batch.add(key)
            except TinyQQError as error:
                if draft.conversation_id in fresh:
                    state.refused_at_s = now_s
                if now_s - state.refused_at_s <= REFUSAL_TRUST_S:
                    outcome.refused.append((draft, error))
                else:
                    outcome.deferred.append(draft)
                    waiting.add(draft.conversation_id)
            except Exception:  # a rule's bug must not stop everybody else's messages
                logger.exception("numbering.rule_failed")
                broken = Unavailable(ErrorCode.INTERNAL)
                self.refused(draft, broken)
                outcome.refused.append((draft, broken))
        return outcome

    def refused(self, draft: Draft, error: TinyQQError) -> None:
        """A draft was refused: if it may come again, the rest of its flight must not overtake
        it."""
        self._flights.refused((draft.origin, draft.conversation_id), draft.flight, error)

    def find_break(self, draft: Draft) -> TinyQQError | None:
        """Why a draft is to be refused as the rest of a broken flight; None: it is not."""
        try:
            self._flights.check((draft.origin, draft.conversation_id), draft.flight)
        except Unavailable as broken:
            return broken
        return None

    def _place_one(
        self, draft: Draft, state: ConversationState, outcome: Round, now_ms: int
    ) -> Placed:
        self._states.move_to_end(draft.conversation_id)
        effects: tuple[Effect, ...] = ()
        kind, body = draft.kind, draft.body
        if draft.rule is None:
            check_may_speak(state, draft.sender_id, draft.mentions_all)
            if len(state.listed) < 2 and draft.conversation_id > MAX_GROUP_ID:
                self._list(state, _both(draft.conversation_id), outcome)
        else:
            plan = draft.rule(state, now_ms)
            kind, body, effects = plan.kind, encode_notice(plan.notice), plan.effects
            self._list(state, plan.lists, outcome)
        seq = Seq(state.head_seq + 1)
        ordinal = state.head_ordinal + 1 if is_countable(kind) else state.head_ordinal
        members_before = state.members_seq
        if effects:
            weight = state.weight
            state.apply(effects)
            self._weight += state.weight - weight
            if not _are_friends(state) and draft.conversation_id > MAX_GROUP_ID:
                state.expires_at_s = min(state.expires_at_s, state.loaded_at_s + STRANGER_TRUST_S)
            if kind in MEMBERSHIP_KINDS:
                state.members_seq = seq
        state.head_seq, state.head_ordinal = seq, ordinal
        entry = Entry(
            draft.conversation_id, seq, ordinal, draft.sender_id, draft.operation_id, now_ms, kind,
            body
        )  # fmt: skip
        return Placed(draft, entry, effects, members_before, state.members_seq)

    @staticmethod
    def _list(state: ConversationState, users: Iterable[UserId], outcome: Round) -> None:
        for user_id in users:
            if user_id not in state.listed:
                state.listed.add(user_id)
                outcome.listings.append((user_id, state.conversation_id))

    # ---- after the commit ------------------------------------------------------------------------

    def committed(self, placed: Placed) -> Push:
        """Remember the outcome; returns the push that tells everybody."""
        draft, entry, effects, members_before, members_seq = placed
        self._recent[draft.key] = entry
        delta = membership_delta(effects, entry.seq) if effects else _NOBODY
        return push_of(entry, members_before, members_seq, delta, draft.origin)

    def found(self, draft: Draft, entry: Entry) -> Push:
        """Remember an outcome that the log holds already; its first writer may have died before it
        pushed, so it is pushed again."""
        self._recent[draft.key] = entry
        state = self._states.get(draft.conversation_id)
        return push_again(entry, state.members_seq if state else Seq(0), draft.origin)


def _both(conversation_id: ConversationId) -> tuple[UserId, UserId]:
    return UserId(conversation_id >> 32), UserId(conversation_id & 0xFFFFFFFF)


def _are_friends(state: ConversationState) -> bool:
    lo, hi = _both(state.conversation_id)
    return lo == hi or (state.relation(lo).is_friend and state.relation(hi).is_friend)
