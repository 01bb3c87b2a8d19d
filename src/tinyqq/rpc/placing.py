"""Sends on their way to the node that numbers their conversation."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from tinyqq.errors import ErrorCode, RateLimited, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId, UnitId
from tinyqq.model.message import Sent
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import Answer, Send
from tinyqq.rpc.links import Links
from tinyqq.rpc.select import place, seed_of
from tinyqq.rpc.status import NodeFailed

_RETRY_AFTER_S = 0.5
_SOON_S = 0.05
"""When a node has failed and another takes its sends: the id makes it safe to send again."""
MAX_HELD = 1_000
"""Sends of one conversation that wait until they may go to another node; more are refused."""
ROLE = "chat"


class Placing:
    """Picks a node of role ``chat`` for each conversation.

    As long as a send of a conversation is unanswered, later ones go where it went: otherwise one
    sender's messages could overtake each other. When that node leaves they wait here instead, for
    a conversation that is never quiet would keep it busy to its end.

    Args:
        own: this node; nothing is sent to it.
    """

    def __init__(self, *, own: UnitId, registry: Registry, links: Links) -> None:
        self._own = own
        self._links = links
        self._seeds: dict[UnitId, int] = {}
        self._busy: dict[ConversationId, _Busy] = {}
        self._unanswered: dict[UnitId, int] = {}
        registry.watch(self._see)
        self._see(registry.nodes())

    def send(self, send: Send) -> None:
        """Hand a send to its node; Unavailable when there is none."""
        conversation_id = send.conversation_id
        busy = self._busy.get(conversation_id)
        if busy is not None and busy.unit_id not in self._seeds:
            busy.hold(send)
            return
        unit_id = self._place(conversation_id) if busy is None else busy.unit_id
        peer = None if unit_id is None else self._links.peer(unit_id)
        if unit_id is None or peer is None:
            send.answer(Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S))
            return
        if busy is None:
            busy = self._busy[conversation_id] = _Busy(unit_id)
        busy.sends += 1
        self._unanswered[unit_id] = self._unanswered.get(unit_id, 0) + 1
        send.answer = partial(self._answered, conversation_id, busy, send.answer)
        peer.sends.send(send)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"busy_conversations": len(self._busy)}

    def _place(self, conversation_id: ConversationId) -> UnitId | None:
        usable: UnitId | None = None
        seeds = self._seeds
        while (unit_id := place(conversation_id, seeds, self._unanswered)) is not None:
            peer = self._links.peer(unit_id)
            if peer is not None and peer.sends.is_well:
                return unit_id
            if usable is None and peer is not None and peer.sends.is_usable:
                usable = unit_id
            seeds = {one: seed for one, seed in seeds.items() if one != unit_id}
        return usable

    def _answered(
        self,
        conversation_id: ConversationId,
        busy: _Busy,
        answer: Answer,
        outcome: Sent | TinyQQError,
    ) -> None:
        busy.sends -= 1
        if not busy.sends:
            del self._busy[conversation_id]
        self._unanswered[busy.unit_id] -= 1
        if not self._unanswered[busy.unit_id]:
            del self._unanswered[busy.unit_id]
        if isinstance(outcome, NodeFailed) and self._place(conversation_id) is not None:
            outcome = Unavailable(outcome.code, retry_after_s=_SOON_S)
        answer(outcome)
        if busy.held:
            self._let_go(busy, outcome)

    def _let_go(self, busy: _Busy, outcome: Sent | TinyQQError) -> None:
        """What waits goes on when nothing is unanswered any more. Behind a send that was refused
        for now it is refused too: it must not overtake it."""
        is_refused = isinstance(outcome, Unavailable | RateLimited)
        if busy.sends and not is_refused:
            return
        held, busy.held = busy.held, []
        for send in held:
            if is_refused:
                send.answer(Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_SOON_S))
            else:
                self.send(send)

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._seeds = seeds_of(nodes)
        self._seeds.pop(self._own, None)


def seeds_of(nodes: Iterable[Node]) -> dict[UnitId, int]:
    """The nodes that may number a conversation."""
    return {
        node.unit_id: seed_of(node.unit_id)
        for node in nodes
        if ROLE in node.roles and node.internal and not node.draining
    }


class _Busy:
    """A conversation with sends that are unanswered."""

    __slots__ = ("held", "sends", "unit_id")

    def __init__(self, unit_id: UnitId) -> None:
        self.unit_id = unit_id
        self.sends = 0
        self.held: list[Send] = []

    def hold(self, send: Send) -> None:
        """Let a send wait until the others are answered, which has an end."""
        if len(self.held) < MAX_HELD:
            self.held.append(send)
        else:
            send.answer(Unavailable(ErrorCode.BUSY, retry_after_s=_RETRY_AFTER_S))
