"""A log in memory, with faults on demand: the lane's other implementation of LogWriter."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.conversation import ConversationState, Effect, EraseEntry
from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.message import MEMBERSHIP_KINDS, Entry, Kind
from tinyqq.ports.storage import Added, AppendFailed, SendKey


class MemoryLog:
    """Implements :class:`tinyqq.ports.storage.LogWriter` in memory.

    Faults are queued in ``faults`` and used up by the calls of :meth:`append`, in order: ``"lost"``
    fails without writing, ``"taken"`` because another lane was first, ``"unknown"`` writes and then
    fails with an unknown outcome, ``"down"`` raises Unavailable without writing, ``""`` lets one
    call through.
    ``poison``: bodies that can never be written.

    Args:
        accounts: users that exist; ``open_to_strangers``: those whom anybody may write to.
    """

    def __init__(
        self, *, accounts: Sequence[UserId] = (), open_to_strangers: Sequence[UserId] = ()
    ) -> None:
        self.entries: defaultdict[ConversationId, list[Entry]] = defaultdict(list)
        self.listed: set[tuple[UserId, ConversationId]] = set()
        self.accounts = set(accounts)
        self.open_to_strangers = set(open_to_strangers)
        self.faults: list[str] = []
        self.poison: set[bytes] = set()
        self.loads = 0
        self.batches: list[int] = []
        self._states: dict[ConversationId, ConversationState] = {}

    def state(self, conversation_id: ConversationId) -> ConversationState:
        """The stored state, for looking at and for arranging."""
        return self._states.setdefault(conversation_id, ConversationState(conversation_id))

    async def load(
        self, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationState]:
        """Copies of the states."""
        self.loads += 1
        states = {one: copy.deepcopy(self.state(one)) for one in conversation_ids}
        for conversation_id, state in states.items():
            both = {UserId(conversation_id >> 32), UserId(conversation_id & 0xFFFFFFFF)}
            state.reachable = both & self.accounts
            state.open_to_strangers = both & self.open_to_strangers
            state.listed = {user for user, listed in self.listed if listed == conversation_id}
        return states

    async def read_after(
        self, heads: Mapping[ConversationId, Seq], limit: int
    ) -> tuple[Added, ...]:
        """The entries after each head."""
        return tuple(
            Added(entry.conversation_id, entry.seq, entry.kind)
            for key, seq in heads.items()
            for entry in self.entries[key][seq : seq + limit]
        )

    async def find_sent(self, keys: Sequence[SendKey]) -> dict[SendKey, Entry]:
        """Looks through everything."""
        return {
            key: entry
            for key in keys
            for entry in self.entries[key.conversation_id]
            if (entry.sender_id, entry.client_message_id) == key[1:]
        }

    async def ensure_listed(self, rows: Sequence[tuple[UserId, ConversationId]]) -> None:
        """Remembers the lines."""
        self.listed.update(rows)

    async def append(
        self, entries: Sequence[Entry], effects: Sequence[tuple[ConversationId, Effect]]
    ) -> None:
        """All or nothing, with the faults that were asked for."""
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise Unavailable(ErrorCode.UNAVAILABLE)
        if fault == "taken":
            raise AppendFailed(outcome_known=True, key_taken=True)
        if fault == "lost":
            raise AppendFailed(outcome_known=True)
        self._check(entries)
        self.batches.append(len(entries))
        for entry in entries:
            self._write(entry)
        for conversation_id, effect in effects:
            self._apply(conversation_id, effect)
        if fault == "unknown":
            raise AppendFailed(outcome_known=False)

    def _check(self, entries: Sequence[Entry]) -> None:
        heads: dict[ConversationId, int] = {}
        for entry in entries:
            conversation_id = entry.conversation_id
            head = heads.get(conversation_id, len(self.entries[conversation_id]))
            keys = {(one.sender_id, one.client_message_id) for one in self.entries[conversation_id]}
            if entry.seq <= head or (entry.sender_id, entry.client_message_id) in keys:
                raise AppendFailed(outcome_known=True, key_taken=True)
            if entry.seq != head + 1 or entry.body in self.poison:
                raise AppendFailed(outcome_known=True)
            heads[conversation_id] = head + 1

    def _write(self, entry: Entry) -> None:
        self.entries[entry.conversation_id].append(entry)
        state = self.state(entry.conversation_id)
        state.head_seq, state.head_ordinal = entry.seq, entry.ordinal
        if entry.kind in MEMBERSHIP_KINDS:
            state.members_seq = entry.seq

    def _apply(self, conversation_id: ConversationId, effect: Effect) -> None:
        self.state(conversation_id).apply((effect,))
        if isinstance(effect, EraseEntry):
            log = self.entries[conversation_id]
            position = Seq(effect.seq - 1)
            log[position] = log[position]._replace(kind=Kind.RECALLED, body=b"")
