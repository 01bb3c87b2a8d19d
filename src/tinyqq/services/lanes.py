"""Several lanes, one for each shard of the log: a shard that is away holds up its conversations
alone, and no statement names two shards."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Self

from tinyqq.model.conversation import Rule
from tinyqq.model.ids import ConversationId, OperationId, UserId
from tinyqq.ports.delivery import Push
from tinyqq.services.lane import Change, Draft, Lane


class Lanes:
    """Takes what a lane takes, and hands it to the lane of its conversation.

    Args:
        lanes: one for each shard, in their order. Every bound of a lane holds for each.
        shard_of: the shard of a conversation.
    """

    def __init__(self, *, lanes: Sequence[Lane], shard_of: Callable[[ConversationId], int]) -> None:
        self._lanes = tuple(lanes)
        self._shard_of = shard_of
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        for lane in self._lanes:
            await self._stack.enter_async_context(lane)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def counters(self) -> dict[str, int | float]:
        """The sums over all lanes."""
        total: Counter[str] = Counter()
        for lane in self._lanes:
            total.update(lane.counters())
        return dict(total)

    def submit(self, draft: Draft) -> None:
        """See :meth:`Lane.submit`."""
        self._lanes[self._shard_of(draft.conversation_id)].submit(draft)

    def hear(self, pushes: Sequence[Push]) -> None:
        """See :meth:`Lane.hear`."""
        for push in pushes:
            self._lanes[self._shard_of(push.conversation_id)].hear((push,))

    async def change(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        operation_id: OperationId,
        rule: Rule,
    ) -> Change:
        """See :meth:`Lane.change`."""
        lane = self._lanes[self._shard_of(conversation_id)]
        return await lane.change(conversation_id, sender_id, operation_id, rule)


AnyLane = Lane | Lanes
"""What services write through: one lane, or one for each shard."""
