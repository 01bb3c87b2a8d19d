"""Sends on their way to the node that numbers their conversation."""

from __future__ import annotations

from collections.abc import Callable

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.model.message import Sent
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import Answer, Send
from tinyqq.rpc.links import Links
from tinyqq.rpc.select import place, seed_of

_RETRY_AFTER_S = 0.5
ROLE = "chat"


class Placing:
    """Picks a node of role ``chat`` for each conversation.

    As long as a send of a conversation is unanswered, later ones go where it went: otherwise one
    sender's messages could overtake each other.

    Args:
        own: this node; nothing is sent to it.
    """

    def __init__(self, *, own: UnitId, registry: Registry, links: Links) -> None:
        self._own = own
        self._links = links
        self._seeds: dict[UnitId, int] = {}
        self._busy: dict[ConversationId, _Busy] = {}
        registry.watch(self._see)
        self._see(registry.nodes())

    def send(self, send: Send) -> None:
        """Hand a send to its node; Unavailable when there is none."""
        conversation_id = send.conversation_id
        busy = self._busy.get(conversation_id)
        if busy is None:
            unit_id = self._place(conversation_id)
            if unit_id is None:
                send.answer(Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S))
                return
            busy = self._busy[conversation_id] = _Busy(unit_id)
        peer = self._links.peer(busy.unit_id)
        if peer is None:
            send.answer(Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S))
            if not busy.sends:
                del self._busy[conversation_id]
            return
        busy.sends += 1
        send.answer = self._answering(conversation_id, busy, send.answer)
        peer.sends.send(send)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"busy_conversations": len(self._busy)}

    def _place(self, conversation_id: ConversationId) -> UnitId | None:
        usable = {
            unit_id: peer.sends
            for unit_id in self._seeds
            if (peer := self._links.peer(unit_id)) is not None and peer.sends.is_usable
        }
        seeds = {unit_id: self._seeds[unit_id] for unit_id in usable}
        return place(conversation_id, seeds, {one: len(sends) for one, sends in usable.items()})

    def _answering(
        self, conversation_id: ConversationId, busy: _Busy, answer: Answer
    ) -> Callable[[Sent | TinyQQError], None]:
        def answered(outcome: Sent | TinyQQError) -> None:
            busy.sends -= 1
            if not busy.sends and self._busy.get(conversation_id) is busy:
                del self._busy[conversation_id]
            answer(outcome)

        return answered

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._seeds = {
            node.unit_id: seed_of(node.unit_id)
            for node in nodes
            if ROLE in node.roles
            and node.internal
            and not node.draining
            and node.unit_id != self._own
        }


class _Busy:
    """A conversation with sends that are unanswered."""

    __slots__ = ("sends", "unit_id")

    def __init__(self, unit_id: UnitId) -> None:
        self.unit_id = unit_id
        self.sends = 0
