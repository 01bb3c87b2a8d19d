"""The one stream in which a client hands out what happens, in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from tinyqq.errors import TinyQQError

_Item = TypeVar("_Item")

MAX_WEIGHT: Final = 4 * 1024 * 1024
"""Bytes of what waits to be taken, roughly; some ten thousand short messages."""


class Stream(Generic[_Item]):
    """A queue with one reader, a bound and an end.

    The bound is asked and not enforced: whoever puts something in looks at :attr:`is_full` first
    and leaves out what may be left out. What is numbered is fetched again when there is room.

    Args:
        on_room: called when the queue was full and is half empty again.
    """

    def __init__(self, *, on_room: Callable[[], None], max_weight: int = MAX_WEIGHT) -> None:
        self._items: deque[tuple[_Item, int]] = deque()
        self._weight = 0
        self._max_weight = max_weight
        self._was_full = False
        self._on_room = on_room
        self._waiting: asyncio.Future[None] | None = None
        self._ended = False
        self._error: TinyQQError | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be put in for now."""
        if self._weight >= self._max_weight:
            self._was_full = True
        return self._was_full

    def put(self, item: _Item, weight: int) -> None:
        """Add an item of about *weight* bytes; nothing happens after the end."""
        if not self._ended:
            self._items.append((item, weight))
            self._weight += weight
            self._wake()

    def end(self, error: TinyQQError | None) -> None:
        """Nothing more comes: after what is still there the reader gets *error*, or just stops."""
        if not self._ended:
            self._ended, self._error = True, error
            self._wake()

    def clear(self) -> None:
        """Forget what waits to be taken."""
        self._items.clear()
        self._weight = 0

    async def take(self) -> _Item:
        """The next item; waits for it without end, for only the program itself can know when it has
        waited long enough.

        Raises:
            StopAsyncIteration: the stream has ended.
            TinyQQError: why it has ended, if that was an error; every time.
            RuntimeError: somebody else waits already.
        """
        if self._waiting is not None:
            raise RuntimeError("messages() and events() read one stream: use one of them at a time")
        while not self._items:
            if self._ended:
                if self._error is not None:
                    raise self._error
                raise StopAsyncIteration
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
        item, weight = self._items.popleft()
        self._weight -= weight
        if self._was_full and self._weight <= self._max_weight // 2:
            self._was_full = False
            self._on_room()
        return item

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
