"""Catching up and staying up: overview, pages and pushes, through one inbox into the stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from tinyqq.client.cursors import Cursors
from tinyqq.client.inbox import Inbox
from tinyqq.client.store import Store
from tinyqq.client.stream import Stream
from tinyqq.errors import (
    Forbidden,
    InvalidRequest,
    NotFound,
    RateLimited,
    TinyQQError,
    Unavailable,
)
from tinyqq.model.connection import HeadHint
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import CursorMoved, Entry, Mark
from tinyqq.model.sync import MAX_PAGE_ENTRIES, GetOverview, Overview, Page, Position, Summary, Sync
from tinyqq.wire.packets import PacketType

logger = logging.getLogger(__name__)

GAP_GRACE_S: Final = 0.05
"""A gap is asked for only after this time: the answer to one's own send may overtake the push of
the entry before it, which is then already on its way."""
SYNCS_AT_ONCE: Final = 4
_MAX_KNOWN: Final = 10_000
"""The longest list that a server takes in a request."""


class Call(Protocol):
    """Asks the server something as the user who is logged in."""

    async def __call__(self, packet_type: PacketType, record: object) -> Any:
        """The answer's record; raises what the server answered."""
        ...


class Receiver:
    """See the module's docstring. :meth:`run` must be running.

    Args:
        inbox: starts where the store was.
        stream: when it is full nothing more is handed out.
        hand_out: gets every entry once, in the order of its conversation.
        on_lost: gets marks that the server does not have although they were told.
        on_moved: gets cursors that moved while this client was away. Not those of the first
            overview: how things stand at its start a program asks.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        cursors: Cursors,
        stream: Stream[Any],
        store: Store,
        call: Call,
        hand_out: Callable[[Entry], None],
        on_lost: Callable[[Mark], None],
        on_moved: Callable[[CursorMoved], None],
    ) -> None:
        self._inbox = inbox
        self._cursors = cursors
        self._on_lost = on_lost
        self._on_moved = on_moved
        self._stream = stream
        self._hand_out = hand_out
        self._store = store
        self._call = call
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._overview_is_due = False
        self._was_here = False
        self._gap_timer: asyncio.TimerHandle | None = None
        self._caught_up = asyncio.Event()
        self._ended: TinyQQError | None = None
        """Why it will never be caught up."""

    # ---- what happens ----------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Something may have been missed: after log-in, and when pushes were lost."""
        self._overview_is_due = True
        self._caught_up.clear()
        self._wake.set()

    def take(self, entry: Entry) -> None:
        """A push, or the answer to one's own send."""
        if self._stream.is_full:
            # It lies in the log: it is fetched when the program has taken what waits.
            self._room.clear()
            last = max(entry.seq, entry.through_seq)
            self._inbox.learn_head(entry.conversation_id, last)
        else:
            self._hand_on(self._inbox.apply(entry))
        if self._inbox.is_behind and self._gap_timer is None:
            loop = asyncio.get_running_loop()
            self._gap_timer = loop.call_later(GAP_GRACE_S, self._gap_is_old)

    def hint(self, hint: HeadHint) -> None:
        """In pull mode: there is something to fetch."""
        for head in hint.heads:
            self._inbox.learn_head(head.conversation_id, head.seq)
        self._wake.set()

    def room(self) -> None:
        """The program has taken what waited."""
        self._room.set()

    async def wait_caught_up(self) -> None:
        """Wait until all that the last overview told of is in the stream, or as much of it as that
        holds.

        Raises:
            TinyQQError: why that will never be.
        """
        if not self._stream.is_full:
            await self._caught_up.wait()
        if self._ended is not None:
            raise self._ended

    def end(self, error: TinyQQError) -> None:
        """Nothing is fetched any more: whoever waits for it gets *error*."""
        if not self._caught_up.is_set():
            self._ended = error
            self._caught_up.set()

    def position(self, conversation_id: ConversationId) -> Seq:
        """Up to where everything has arrived; 0 for a conversation that is not known."""
        return self._inbox.position(conversation_id) or Seq(0)

    # ---- fetching --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Fetch what is missing, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._fetch()
            except (Unavailable, RateLimited) as exc:
                logger.debug("sync.postponed", extra={"code": exc.code.name})
                await asyncio.sleep(max(exc.retry_after_s, GAP_GRACE_S))
                self._wake.set()
            except TinyQQError as exc:
                # Logged out, or the password must be changed first: the next log-in starts anew.
                logger.info("sync.stopped", extra={"code": exc.code.name})

    async def _fetch(self) -> None:
        if self._overview_is_due:
            self._overview_is_due = False
            try:
                await self._read_overview()
            except TinyQQError:
                self._overview_is_due = True
                raise
        failures: list[TinyQQError] = []
        async with asyncio.TaskGroup() as tasks:
            for _ in range(SYNCS_AT_ONCE):
                tasks.create_task(self._sync_all(failures))
        if failures:
            raise failures[0]
        if not self._overview_is_due:
            self._caught_up.set()

    async def _read_overview(self) -> None:
        known = self._cursors.known(self._inbox.positions()[:_MAX_KNOWN])
        after = ConversationId(0)
        while True:
            overview: Overview = await self._call(
                PacketType.GET_OVERVIEW,
                GetOverview(known=known, after_conversation_id=after, with_cursors=True),
            )
            for summary in overview.conversations:
                self._note(summary)
            if not overview.more or not overview.conversations:
                break
            after = overview.conversations[-1].conversation_id
        self._was_here = True
        self._hand_on(self._inbox.settle())

    def _note(self, summary: Summary) -> None:
        conversation_id = summary.conversation_id
        if self._inbox.position(conversation_id) is None:
            # For a device that is new to the conversation the server puts the account's read
            # cursor there.
            start = max(summary.delivered_seq, Seq(summary.since_seq - 1))
            self._store.save_positions([Position(conversation_id, start)])
            self._hand_on(self._inbox.start(conversation_id, start))
        self._inbox.learn_head(conversation_id, min(summary.head_seq, summary.until_seq))
        lost, moved = self._cursors.learn(summary)
        if lost is not None:
            self._on_lost(lost)
        if self._was_here:
            for one in moved:
                self._on_moved(one)

    async def _sync_all(self, failures: list[TinyQQError]) -> None:
        """Read pages until nothing is missing; several of these share the work."""
        while not failures:
            if self._stream.is_full:
                self._room.clear()
                self._caught_up.set()
            await self._room.wait()
            wanted = self._inbox.next_sync()
            if wanted is None:
                return
            try:
                page: Page = await self._call(
                    PacketType.SYNC, Sync(wanted.conversation_id, wanted.seq, MAX_PAGE_ENTRIES)
                )
            except (Forbidden, NotFound, InvalidRequest):
                self._inbox.sync_failed(wanted.conversation_id, for_good=True)
            except TinyQQError as exc:
                self._inbox.sync_failed(wanted.conversation_id, for_good=False)
                failures.append(exc)
            else:
                self._hand_on(self._inbox.apply_page(wanted.conversation_id, page))

    def _gap_is_old(self) -> None:
        self._gap_timer = None
        if self._inbox.is_behind:
            self._wake.set()

    def _hand_on(self, ready: Iterable[Entry]) -> None:
        for entry in ready:
            self._hand_out(entry)
