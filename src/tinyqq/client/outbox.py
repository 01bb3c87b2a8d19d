"""What was sent and is not yet acknowledged: order, repeats and flights. Pure.

A message leaves the outbox when its answer is there, never before: it is put on every new
connection again, under the same ``client_message_id``, so that the server can tell a repeat.

Flights keep a sender's order through a refusal in the middle. Sends of a conversation carry its
flight number; when one is refused for now, the server refuses the later ones of that flight too,
and all that are unacknowledged go out again, in order, in the next flight.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId, OperationId

MAX_MESSAGES: Final = 1_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way up."""

    conversation_id: ConversationId
    client_message_id: OperationId
    kind: int
    content: bytes


class Departure(NamedTuple):
    """A message to put on the connection now, and its flight."""

    outgoing: Outgoing
    flight: int


@dataclass(slots=True)
class _Lane:
    """One conversation's part: all that is unacknowledged, and what of it is to be put out."""

    flight: int = 1
    unacknowledged: dict[OperationId, Outgoing] = field(default_factory=dict)
    due: deque[Outgoing] = field(default_factory=deque)
    is_paused: bool = False


class Outbox:
    """Unacknowledged sends of one client.

    Args:
        left_over: what a client that was here before had not seen acknowledged, in order.
        max_messages: bound; beyond it :meth:`add` refuses.
    """

    def __init__(
        self, left_over: Iterable[Outgoing] = (), *, max_messages: int = MAX_MESSAGES
    ) -> None:
        self._max_messages = max_messages
        self._lanes: dict[ConversationId, _Lane] = {}
        self._where: dict[OperationId, ConversationId] = {}
        self._ready: dict[ConversationId, None] = {}
        for outgoing in left_over:
            self._append(outgoing)

    def __len__(self) -> int:
        return len(self._where)

    def add(self, outgoing: Outgoing) -> None:
        """Take a new message.

        Raises:
            Unavailable: BUSY when the outbox is full.
        """
        if len(self._where) >= self._max_messages:
            raise Unavailable(ErrorCode.BUSY, reason="outbox full", messages=len(self._where))
        self._append(outgoing)

    def next(self) -> Departure | None:
        """The next message to put on the connection; conversations take turns."""
        while self._ready:
            conversation_id = next(iter(self._ready))
            del self._ready[conversation_id]
            lane = self._lanes[conversation_id]
            while lane.due:
                outgoing = lane.due.popleft()
                if lane.due:
                    self._ready[conversation_id] = None
                if outgoing.client_message_id in lane.unacknowledged:
                    return Departure(outgoing, lane.flight)
        return None

    def acknowledge(self, client_message_id: OperationId) -> Outgoing | None:
        """It is in the log (or was refused for good): take it out. None: it is not here."""
        conversation_id = self._where.pop(client_message_id, None)
        if conversation_id is None:
            return None
        return self._lanes[conversation_id].unacknowledged.pop(client_message_id)

    def refuse_for_now(self, client_message_id: OperationId, flight: int) -> bool:
        """A send of *flight* was refused for now.

        Returns True for the first of a flight: its conversation is paused until :meth:`go_on`, then
        everything unacknowledged goes out in the next flight. Later refusals of the same flight say
        nothing new.
        """
        conversation_id = self._where.get(client_message_id)
        if conversation_id is None:
            return False
        lane = self._lanes[conversation_id]
        if flight != lane.flight:
            return False
        lane.flight += 1
        lane.is_paused = True
        self._ready.pop(conversation_id, None)
        return True

    def go_on(self, conversation_id: ConversationId) -> None:
        """The pause is over."""
        lane = self._lanes[conversation_id]
        if lane.is_paused:
            self._repeat(conversation_id, lane)

    def start_over(self) -> None:
        """There is a new connection: everything unacknowledged goes out again."""
        for conversation_id, lane in self._lanes.items():
            self._repeat(conversation_id, lane)

    def _repeat(self, conversation_id: ConversationId, lane: _Lane) -> None:
        lane.is_paused = False
        lane.due = deque(lane.unacknowledged.values())
        if lane.due:
            self._ready[conversation_id] = None

    def _append(self, outgoing: Outgoing) -> None:
        lane = self._lanes.setdefault(outgoing.conversation_id, _Lane())
        lane.unacknowledged[outgoing.client_message_id] = outgoing
        self._where[outgoing.client_message_id] = outgoing.conversation_id
        if not lane.is_paused:
            lane.due.append(outgoing)
            self._ready[outgoing.conversation_id] = None
