"""Cursors on their way to the database: how far devices have received and users have read.

Cursors move with every message, so they are merged in memory and stored together: at once when
nothing was stored within the last second, else when the second is over. They are state, not events:
what is lost in a crash is marked again by the next mark.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from tinyqq.errors import InvalidRequest, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    DeviceId,
    Seq,
    SessionId,
    UserId,
    conversation_type,
    peer_of,
    users_of,
)
from tinyqq.model.message import CursorMoved, Mark
from tinyqq.ports.delivery import Delivery, Hint
from tinyqq.ports.storage import ACCOUNT_DEVICE, ConversationStore, CursorRow, LogReader

logger = logging.getLogger(__name__)

FLUSH_INTERVAL_S: Final = 1.0
MAX_PENDING: Final = 100_000
_BATCH_MARKS: Final = 5_000

_Key = tuple[DeviceId, ConversationId]


class _Marked(NamedTuple):
    """A mark that waits. ``origin``: the session that knows it already; 0 when several made it."""

    user_id: UserId
    device_id: DeviceId
    conversation_id: ConversationId
    delivered_seq: Seq
    read_seq: Seq
    origin: SessionId

    @property
    def row(self) -> CursorRow:
        """The mark as it is stored."""
        return CursorRow(*self[:5])

    @property
    def hint(self) -> CursorMoved:
        """The mark as others are told of it."""
        return CursorMoved(self.conversation_id, self.user_id, self.delivered_seq, self.read_seq)

    def cut(self, head_seq: Seq) -> _Marked:
        """Only what exists can have been received, and what was read was received."""
        read_seq = min(self.read_seq, head_seq)
        delivered_seq = max(min(self.delivered_seq, head_seq), read_seq)
        return self._replace(delivered_seq=delivered_seq, read_seq=read_seq)

    def merged(self, other: _Marked) -> _Marked:
        """The larger of both cursors."""
        return self._replace(
            delivered_seq=max(self.delivered_seq, other.delivered_seq),
            read_seq=max(self.read_seq, other.read_seq),
            origin=self.origin if self.origin == other.origin else SessionId(0),
        )


class Cursors:
    """Merges marks and stores them.

    A full memory (``max_pending`` devices' conversations) drops new marks and counts them: the
    client's next mark says the same and more.
    """

    def __init__(
        self,
        *,
        reader: LogReader,
        conversations: ConversationStore,
        delivery: Delivery,
        interval_s: float = FLUSH_INTERVAL_S,
        max_pending: int = MAX_PENDING,
    ) -> None:
        self._reader = reader
        self._conversations = conversations
        self._delivery = delivery
        self._interval_s = interval_s
        self._max_pending = max_pending
        self._marks: dict[UserId, dict[_Key, _Marked]] = {}
        self._pending = 0
        self._sent: dict[UserId, dict[ConversationId, Seq]] = {}
        self._is_awake = False
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._storing = asyncio.Lock()
        self._stored = 0
        self._dropped = 0
        self._failed = 0

    def mark(self, caller: Caller, mark: Mark) -> None:
        """Take a device's cursors. Marks of conversations that cannot be the caller's are dropped.

        Whether the caller is a member of a group is not asked: a cursor shows nothing, and is of no
        use without the group in one's list.
        """
        if (mark.delivered_seq or mark.read_seq) and _may_mark(caller, mark.conversation_id):
            self._merge(
                _Marked(
                    caller.user_id,
                    caller.device_id,
                    mark.conversation_id,
                    mark.delivered_seq,
                    mark.read_seq,
                    caller.session_id,
                )
            )
            self._wake_up()

    def note_sent(self, user_id: UserId, conversation_id: ConversationId, seq: Seq) -> None:
        """Whoever writes has read what stands above. On the path of every message: keep it short.

        Nobody is told: the message itself says it.
        """
        sent = self._sent.get(user_id)
        if sent is None:
            if len(self._sent) >= self._max_pending:
                self._dropped += 1
                return
            sent = self._sent[user_id] = {}
        sent[conversation_id] = seq
        if not self._is_awake:
            self._wake_up()

    async def settle(self, user_id: UserId) -> None:
        """Store what this user has pending, so that what is read next includes it."""
        if user_id in self._marks or user_id in self._sent or self._storing.locked():
            await self._flush(user_id)

    async def run(self) -> None:
        """Store what comes, until :meth:`stop`; then the rest."""
        while not self._stopping.is_set():
            await self._wake.wait()
            self._wake.clear()
            self._is_awake = False
            await self._flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._interval_s)
        await self._flush()

    def stop(self) -> None:
        """Let :meth:`run` come to its end."""
        self._stopping.set()
        self._wake_up()

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "cursors_stored_total": self._stored,
            "cursors_dropped_total": self._dropped,
            "cursor_flushes_failed_total": self._failed,
            "cursors_pending": self._pending,
        }

    def _wake_up(self) -> None:
        self._is_awake = True
        self._wake.set()

    async def _flush(self, user_id: UserId | None = None) -> None:
        """Store everything that is pending, or that of one user. What can't be stored waits on."""
        async with self._storing:
            marked = list(self._take(user_id))
            while marked:
                try:
                    await self._store(marked[:_BATCH_MARKS])
                except TinyQQError as exc:
                    self._failed += 1
                    logger.warning("cursors.not_stored", extra={"reason": str(exc)})
                    for one in marked:
                        self._merge(one)
                    self._wake_up()
                    return
                del marked[:_BATCH_MARKS]

    def _take(self, user_id: UserId | None) -> Iterator[_Marked]:
        """Take the pending marks out of memory."""
        users = [user_id] if user_id is not None else [*self._marks.keys() | self._sent.keys()]
        for user in users:
            for marked in self._marks.pop(user, {}).values():
                self._pending -= 1
                yield marked
            for conversation_id, seq in self._sent.pop(user, {}).items():
                yield _Marked(user, ACCOUNT_DEVICE, conversation_id, seq, seq, SessionId(0))

    async def _store(self, marked: Sequence[_Marked]) -> None:
        heads = await self._reader.read_heads(list({one.conversation_id for one in marked}))
        believed = [one.cut(heads[one.conversation_id]) for one in marked
                    if one.conversation_id in heads]  # fmt: skip
        self._dropped += len(marked) - len(believed)
        moved = _by_user(believed)
        devices = [one.row for one in believed if one.device_id != ACCOUNT_DEVICE]
        accounts = [one._replace(device_id=ACCOUNT_DEVICE).row for one in moved.values()]
        await self._conversations.merge_cursors([*devices, *accounts])
        self._stored += len(devices) + len(accounts)
        for one in _by_user(one for one in believed if one.device_id != ACCOUNT_DEVICE).values():
            users = _interested(one)
            if users:
                self._delivery.hint(Hint(users, one.hint, one.origin))

    def _merge(self, new: _Marked) -> None:
        of_user = self._marks.setdefault(new.user_id, {})
        key = (new.device_id, new.conversation_id)
        old = of_user.get(key)
        if old is not None:
            of_user[key] = old.merged(new)
        elif self._pending < self._max_pending:
            of_user[key] = new
            self._pending += 1
        else:
            self._dropped += 1


def _may_mark(caller: Caller, conversation_id: ConversationId) -> bool:
    try:
        kind = conversation_type(conversation_id)
    except InvalidRequest:
        return False
    return kind is ConversationType.GROUP or caller.user_id in users_of(conversation_id)


def _by_user(marked: Iterable[_Marked]) -> dict[tuple[UserId, ConversationId], _Marked]:
    """The maxima over a user's devices, by conversation."""
    merged: dict[tuple[UserId, ConversationId], _Marked] = {}
    for one in marked:
        key = (one.user_id, one.conversation_id)
        old = merged.get(key)
        merged[key] = old.merged(one) if old else one
    return merged


def _interested(moved: _Marked) -> tuple[UserId, ...]:
    """Who is told: the user's other devices of what was read, the peer of both."""
    kind = conversation_type(moved.conversation_id)
    user_ids: tuple[UserId, ...] = (moved.user_id,) if moved.read_seq else ()
    if kind is ConversationType.DIRECT:
        user_ids += (peer_of(moved.conversation_id, moved.user_id),)
    return user_ids
