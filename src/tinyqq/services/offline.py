"""Role ``offline``: what lies in the log after a device's cursors, cursors, and passing hints.

Nothing is copied per receiver: offline messages are the entries of the user's conversations that
the device has not marked yet.
"""

from __future__ import annotations

import asyncio
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest
from tinyqq.model.account import Caller
from tinyqq.model.message import Mark, MarkMany, Typing
from tinyqq.model.sync import (
    MAX_OVERVIEW_ENTRIES,
    MAX_PAGE_ENTRIES,
    GetHistory,
    GetOverview,
    History,
    Overview,
    Page,
    Sync,
)
from tinyqq.model.visibility import last_visible_seq, veil, visible_entries
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.storage import ConversationStore, LogReader
from tinyqq.services.cursors import FLUSH_INTERVAL_S, Cursors
from tinyqq.services.typing_notices import TypingNotices

DEFAULT_HISTORY_ENTRIES: Final = 50


class OfflineService:
    """Implements :class:`tinyqq.ports.services.OfflineApi`.

    ``async with service`` runs it; leaving it stores what cursors are pending.
    """

    def __init__(
        self,
        *,
        reader: LogReader,
        conversations: ConversationStore,
        delivery: Delivery,
        clock: Clock,
        flush_interval_s: float = FLUSH_INTERVAL_S,
    ) -> None:
        self._reader = reader
        self._cursors = Cursors(
            reader=reader,
            conversations=conversations,
            delivery=delivery,
            interval_s=flush_interval_s,
        )
        self._typing = TypingNotices(conversations=conversations, delivery=delivery, clock=clock)
        self._group = asyncio.TaskGroup()
        self._typing_task: asyncio.Task[None] | None = None
        self._pages = 0
        self._page_entries = 0
        self.note_sent = self._cursors.note_sent
        """``note_sent(user_id, conversation_id, seq)``: a committed message moves its sender's
        read cursor."""

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._group.create_task(self._cursors.run(), name="cursors")
        self._typing_task = self._group.create_task(self._typing.run(), name="typing")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._typing_task is not None
        self._cursors.stop()
        self._typing_task.cancel()
        # Not handed our caller's exception: pending cursors are stored all the same.
        await self._group.__aexit__(None, None, None)

    async def get_overview(self, caller: Caller, request: GetOverview) -> Overview:
        """The conversation list, with the cursors as they are now."""
        limit = _bounded(request.limit, MAX_OVERVIEW_ENTRIES, MAX_OVERVIEW_ENTRIES)
        await self._cursors.settle(caller.user_id)
        return await self._reader.read_overview(
            caller.user_id,
            caller.device_id,
            known=request.known,
            with_cursors=request.with_cursors,
            after_conversation_id=request.after_conversation_id,
            limit=limit,
        )

    async def get_page(self, caller: Caller, request: Sync) -> Page:
        """Entries after a seq, without holes."""
        limit = _bounded(request.limit, MAX_PAGE_ENTRIES, MAX_PAGE_ENTRIES)
        conversation_id = request.conversation_id
        rows = await self._reader.read_page(
            caller.user_id, conversation_id, request.after_seq, limit
        )
        if not rows.windows:
            raise Forbidden(ErrorCode.NOT_A_MEMBER, conversation_id=conversation_id)
        entries = veil(
            conversation_id,
            rows.entries,
            rows.windows,
            viewer_id=caller.user_id,
            after_seq=request.after_seq,
        )
        self._pages += 1
        self._page_entries += len(entries)
        return Page(entries, last_visible_seq(rows.windows))

    async def get_history(self, caller: Caller, request: GetHistory) -> History:
        """The last messages before a seq, with the notices between them."""
        limit = _bounded(request.limit, DEFAULT_HISTORY_ENTRIES, MAX_PAGE_ENTRIES)
        conversation_id = request.conversation_id
        rows = await self._reader.read_history(
            caller.user_id, conversation_id, request.before_seq, limit
        )
        if not rows.windows:
            raise Forbidden(ErrorCode.NOT_A_MEMBER, conversation_id=conversation_id)
        entries = visible_entries(rows.entries, rows.windows, caller.user_id)
        self._pages += 1
        self._page_entries += len(entries)
        return History(tuple(entries), rows.more)

    def mark(self, caller: Caller, request: Mark) -> None:
        """Move cursors. Never raises: a mark has no answer."""
        self._cursors.mark(caller, request)

    def mark_many(self, caller: Caller, request: MarkMany) -> None:
        """The same in many conversations."""
        for mark in request.marks:
            self._cursors.mark(caller, mark)

    def typing(self, caller: Caller, request: Typing) -> None:
        """Pass a typing notice on. Never raises: a notice has no answer."""
        self._typing.tell(caller, request.conversation_id)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "offline_pages_total": self._pages,
            "offline_page_entries_total": self._page_entries,
            **self._cursors.counters(),
            **self._typing.counters(),
        }


def _bounded(limit: int, default: int, most: int) -> int:
    """The limit asked for; 0 stands for the default.

    Raises:
        InvalidRequest: PAGE_TOO_LARGE.
    """
    if limit > most:
        raise InvalidRequest(ErrorCode.PAGE_TOO_LARGE, limit=most)
    return limit or default
