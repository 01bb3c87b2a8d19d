"""Deliveries that wait for a link: bounded in bytes and age. Pure; time is handed in.

The answer to "full": what comes is dropped and counted, the log's net delivers it. What has waited
too long is dropped as well, for the net has been there before. Orders to end sessions are few and
matter more, for no net finds them: they may use a reserve, and what was handed out shortly before a
link broke is handed out again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from tinyqq._pb import node_pb2 as pb
from tinyqq.model.account import Caller
from tinyqq.model.message import MarkMany
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.rpc.mapping import add_hint, add_kick, add_push, caller_to
from tinyqq.wire.packets import encode

_ITEM_BYTES: Final = 100
"""What an item takes besides its body, roughly."""
_USER_BYTES: Final = 8
_MARK_BYTES: Final = 20
_KICK_RESERVE_BYTES: Final = 65_536
_MAX_KICKS: Final = 1_000
"""That are remembered after they were handed out."""


class Note(NamedTuple):
    """A request that nobody waits for, on its way to the node that answers it."""

    type: int
    caller: Caller
    request: object


Item = Push | Hint | Kick | Note


class DeliveryBuffer:
    """First in, first out.

    Args:
        max_bytes: more is not taken.
        max_age_s: what is older is not handed out.
    """

    def __init__(self, *, max_bytes: int, max_age_s: float) -> None:
        self.dropped_full = 0
        self.dropped_old = 0
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._bytes = 0
        self._items: deque[tuple[float, int, Item]] = deque()
        self._kicks: deque[tuple[float, Kick]] = deque(maxlen=_MAX_KICKS)

    def __len__(self) -> int:
        return len(self._items)

    def add(self, items: Iterable[Item], now: float) -> None:
        """Take items; those for which there is no room are dropped."""
        self.expire(now)
        for item in items:
            size = _size(item)
            reserve = _KICK_RESERVE_BYTES if isinstance(item, Kick) else 0
            if self._bytes + size > self._max_bytes + reserve:
                self.dropped_full += 1
            else:
                self._bytes += size
                self._items.append((now, size, item))

    def take(self, now: float, max_bytes: int) -> pb.Deliveries | None:
        """The next batch, of at most *max_bytes* unless a single item has more; None: nothing
        waits."""
        self.expire(now)
        items = self._items
        if not items:
            return None
        batch = pb.Deliveries()
        taken = 0
        while items and (not taken or taken + items[0][1] <= max_bytes):
            _, size, item = items.popleft()
            taken += size
            _put(batch, item)
            if isinstance(item, Kick):
                self._kicks.append((now, item))
        self._bytes -= taken
        return batch

    def put_back_kicks(self, now: float) -> None:
        """What was handed out may be lost: hand kicks of the last moment out again, before all
        else. A session that has come since then may have to log in once more."""
        lately = [kick for at, kick in self._kicks if now - at <= self._max_age_s]
        self._kicks.clear()
        for kick in reversed(lately):
            self._bytes += _size(kick)
            self._items.appendleft((now, _size(kick), kick))

    def expire(self, now: float) -> None:
        """Drop what has waited too long."""
        while self._items and now - self._items[0][0] > self._max_age_s:
            self._bytes -= self._items.popleft()[1]
            self.dropped_old += 1


def _size(item: Item) -> int:
    if isinstance(item, Push):
        return len(item.body) + _ITEM_BYTES + _USER_BYTES * (len(item.joined) + len(item.gone))
    if isinstance(item, Hint):
        return _ITEM_BYTES + _USER_BYTES * len(item.user_ids)
    if isinstance(item, Note) and isinstance(item.request, MarkMany):
        return _ITEM_BYTES + _MARK_BYTES * len(item.request.marks)
    return _ITEM_BYTES


def _put(batch: pb.Deliveries, item: Item) -> None:
    if isinstance(item, Push):
        add_push(batch, item)
    elif isinstance(item, Hint):
        add_hint(batch, item)
    elif isinstance(item, Kick):
        add_kick(batch, item)
    else:
        batch.notes.add(type=item.type, body=encode(item.request), caller=caller_to(item.caller))
