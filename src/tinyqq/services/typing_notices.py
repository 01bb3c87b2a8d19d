"""\"Is typing\": told to the other user of a direct conversation, never stored."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import InvalidRequest, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    SessionId,
    UserId,
    conversation_type,
    peer_of,
    users_of,
)
from tinyqq.model.message import Typing
from tinyqq.ports.delivery import Delivery, Hint
from tinyqq.ports.storage import ConversationStore

logger = logging.getLogger(__name__)

MIN_INTERVAL_S: Final = 1.0
"""A notice that comes sooner after the last one says nothing new."""
FRIENDSHIP_AGE_S: Final = 5.0
"""How long it is believed that two users are friends."""
MAX_PAIRS: Final = 10_000
MAX_WAITING: Final = 1_000


@dataclass(slots=True)
class _Pair:
    """What is known of who types to whom; times are monotonic."""

    told_at_s: float
    checked_at_s: float = float("-inf")
    is_welcome: bool = False


class TypingNotices:
    """Passes notices on between friends. A full queue drops them: the next key press sends more."""

    def __init__(
        self, *, conversations: ConversationStore, delivery: Delivery, clock: Clock
    ) -> None:
        self._conversations = conversations
        self._delivery = delivery
        self._clock = clock
        self._pairs: OrderedDict[tuple[UserId, ConversationId], _Pair] = OrderedDict()
        self._unchecked: asyncio.Queue[tuple[Caller, ConversationId, _Pair]]
        self._unchecked = asyncio.Queue(MAX_WAITING)
        self._dropped = 0

    def tell(self, caller: Caller, conversation_id: ConversationId) -> None:
        """Tell the other user, unless that was done a moment ago."""
        if not _is_direct(caller, conversation_id):
            return
        now_s = self._clock.monotonic()
        key = (caller.user_id, conversation_id)
        pair = self._pairs.get(key)
        if pair is None:
            pair = self._pairs[key] = _Pair(now_s)
            if len(self._pairs) > MAX_PAIRS:
                self._pairs.popitem(last=False)
        elif now_s - pair.told_at_s < MIN_INTERVAL_S:
            return
        pair.told_at_s = now_s
        self._pairs.move_to_end(key)
        if now_s - pair.checked_at_s <= FRIENDSHIP_AGE_S:
            self._pass_on(caller, conversation_id, pair)
        elif self._unchecked.full():
            self._dropped += 1
        else:
            self._unchecked.put_nowait((caller, conversation_id, pair))

    async def run(self) -> None:
        """Ask who is friends with whom, for ever."""
        while True:
            caller, conversation_id, pair = await self._unchecked.get()
            peer_id = peer_of(conversation_id, caller.user_id)
            try:
                # The peer's side: it is the peer who may have blocked the one who types.
                contact = await self._conversations.find_contact(peer_id, caller.user_id)
            except TinyQQError as exc:
                self._dropped += 1
                logger.debug("typing.not_checked", extra={"reason": str(exc)})
                continue
            except Exception:  # a bug below must not end the node over a typing notice
                self._dropped += 1
                logger.exception("typing.check_failed")
                continue
            pair.is_welcome = contact is not None and contact.is_friend and not contact.is_blocked
            pair.checked_at_s = self._clock.monotonic()
            self._pass_on(caller, conversation_id, pair)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {"typing_dropped_total": self._dropped}

    def _pass_on(self, caller: Caller, conversation_id: ConversationId, pair: _Pair) -> None:
        if pair.is_welcome:
            peer_id = peer_of(conversation_id, caller.user_id)
            notice = Typing(conversation_id, caller.user_id)
            self._delivery.hint(Hint((peer_id,), notice, SessionId(0)))


def _is_direct(caller: Caller, conversation_id: ConversationId) -> bool:
    try:
        kind = conversation_type(conversation_id)
    except InvalidRequest:
        return False
    return kind is ConversationType.DIRECT and caller.user_id in users_of(conversation_id)
