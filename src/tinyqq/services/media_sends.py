"""Messages that refer to files, on their way to the lane: may the sender use them?

That takes a look at the database. Meanwhile what the same sender writes to the same conversation
waits behind, so that the order of the calls stays. Messages without files, of whoever has none on
the way, never come here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId, UserId
from tinyqq.model.media import check_blob_id
from tinyqq.model.message import Kind
from tinyqq.outcomes import outcome_of
from tinyqq.ports.media import MediaApi, MediaStore
from tinyqq.ports.services import Send
from tinyqq.ports.storage import SendKey

_TIMEOUT_S: Final = 10.0
_MAX_HELD: Final = 10_000

_Place = tuple[UserId, ConversationId]


@dataclass(frozen=True, slots=True)
class _Held:
    send: Send
    blob_ids: tuple[str, ...]
    go: Callable[[], None]


class MediaSends:
    """Checks and lets through. ``async with`` it; leaving waits for what is being checked.

    Full (``max_held``, and a tenth of it for one sender in one conversation) means: refused with
    Unavailable(BUSY).

    Args:
        files: says which files a sender may see.
        media: where it is noted that a message refers to a file.
    """

    def __init__(
        self, *, files: MediaApi, media: MediaStore, clock: Clock, max_held: int = _MAX_HELD
    ) -> None:
        self._files = files
        self._media = media
        self._clock = clock
        self._max_held = max_held
        self._queues: dict[_Place, deque[_Held]] = {}
        self._held = 0
        self._tasks = asyncio.TaskGroup()
        self._checked = 0
        self._refused = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        # Not handed our caller's exception: what was taken is still answered.
        await self._tasks.__aexit__(None, None, None)

    @property
    def is_holding(self) -> bool:
        """Whether anything waits: then whatever is sent has to come by here."""
        return bool(self._queues)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "sends_checked_total": self._checked,
            "sends_refused_total": self._refused,
            "sends_waiting": self._held,
        }

    def take(self, send: Send, blob_ids: tuple[str, ...], go: Callable[[], None]) -> None:
        """Call *go* when the sender may use the files, at once where there is nothing to wait
        for; or refuse."""
        place = send.caller.user_id, send.conversation_id
        queue = self._queues.get(place)
        if queue is None and not blob_ids:
            go()
            return
        if self._held >= self._max_held or (queue and len(queue) >= self._max_held // 10):
            send.answer(Unavailable(ErrorCode.BUSY, retry_after_s=0.5))
            return
        self._held += 1
        held = _Held(send, blob_ids, go)
        if queue is not None:
            queue.append(held)
        else:
            self._queues[place] = deque((held,))
            self._tasks.create_task(self._run(place))

    async def _run(self, place: _Place) -> None:
        queue = self._queues[place]
        try:
            while queue:
                error = await self._outcome(queue[0])
                held = queue.popleft()
                self._held -= 1
                if error is None:
                    held.go()
                    continue
                self._refused += 1
                held.send.answer(error)
                if isinstance(error, Unavailable):
                    # It will come again: what is behind it must not overtake it.
                    self._refuse_all(queue, error)
        finally:
            del self._queues[place]

    def _refuse_all(self, queue: deque[_Held], error: TinyQQError) -> None:
        while queue:
            self._held -= 1
            queue.popleft().send.answer(error)

    async def _outcome(self, held: _Held) -> TinyQQError | None:
        if not held.blob_ids:
            return None
        self._checked += 1
        return await outcome_of(
            self._check_all(held), timeout_s=_TIMEOUT_S, event="media.check_failed"
        )

    async def _check_all(self, held: _Held) -> None:
        for blob_id in held.blob_ids:
            await self._check(held.send, blob_id)

    async def _check(self, send: Send, blob_id: str) -> None:
        caller = send.caller
        blob = await self._files.find(caller, blob_id)
        if send.kind == Kind.IMAGE and not blob.is_image:
            raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="not an image")
        key = SendKey(send.conversation_id, caller.user_id, send.client_message_id)
        now_ms = self._clock.now_ms()
        if not await self._media.add_reference(check_blob_id(blob_id), key, now_ms):
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
