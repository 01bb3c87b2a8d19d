"""Cursors on their way to the database: how far devices have received and users have read.

Cursors move with every message, so they are merged in memory and stored together: at once when
nothing was stored within the last second, else when the second is over. They are state, not events:
what is lost in a crash is marked again by the next mark.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tinyqq.errors import InvalidRequest, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import (
    MAX_GROUP_ID,
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
_BATCH_MARKS: Final = 250
"""Stored at a time; the event loop is held up no longer than for these."""

_SILENT: Final = SessionId(-1)
"""Origin of what nobody need be told."""

_Key = tuple[DeviceId, ConversationId]
_Whose = tuple[UserId, DeviceId, ConversationId]


@dataclass(slots=True)
class _Cursor:
    """Where cursors stand. ``origin``: the session that knows it already; 0: several moved it."""

    delivered_seq: Seq
    read_seq: Seq
    origin: SessionId

    def merge(self, delivered_seq: Seq, read_seq: Seq, origin: SessionId) -> None:
        """Take over what is larger."""
        if delivered_seq > self.delivered_seq:
            self.delivered_seq = delivered_seq
        if read_seq > self.read_seq:
            self.read_seq = read_seq
        if origin != self.origin and origin != _SILENT:
            self.origin = origin if self.origin == _SILENT else SessionId(0)

    def cut(self, head_seq: Seq) -> None:
        """Only what exists can have been received, and what was read was received."""
        self.read_seq = min(self.read_seq, head_seq)
        self.delivered_seq = max(min(self.delivered_seq, head_seq), self.read_seq)


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
        self._marks: dict[UserId, dict[_Key, _Cursor]] = {}
        self._pending = 0
        self._sent: dict[UserId, dict[ConversationId, Seq]] = {}
        self._is_awake = False
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._storing = asyncio.Lock()
        self._stored = 0
        self._dropped = 0
        self._failed = 0
        self._is_failing = False

    def mark(self, caller: Caller, mark: Mark) -> None:
        """Take a device's cursors. Marks of conversations that cannot be the caller's are dropped.

        Whether the caller is a member of a group is not asked: a cursor shows nothing, and is of no
        use without the group in one's list.
        """
        conversation_id, session_id = mark.conversation_id, caller.session_id
        known = self._marks.get(caller.user_id, {}).get((caller.device_id, conversation_id))
        if known is not None:
            known.merge(mark.delivered_seq, mark.read_seq, session_id)
        elif (mark.delivered_seq or mark.read_seq) and _may_mark(caller, conversation_id):
            self._add(
                (caller.user_id, caller.device_id, conversation_id),
                _Cursor(mark.delivered_seq, mark.read_seq, session_id),
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
            pending = list(self._take(user_id))
            while pending:
                try:
                    await self._store(pending[:_BATCH_MARKS])
                except TinyQQError as exc:
                    self._failed += 1
                    # Once until it works again: it is tried every second.
                    level = logging.DEBUG if self._is_failing else logging.WARNING
                    logger.log(level, "cursors.not_stored", extra={"reason": str(exc)})
                    self._is_failing = True
                    for whose, cursor in pending:
                        self._add(whose, cursor)
                    self._wake_up()
                    return
                self._is_failing = False
                del pending[:_BATCH_MARKS]

    def _take(self, user_id: UserId | None) -> Iterator[tuple[_Whose, _Cursor]]:
        """Take what is pending out of memory."""
        users = [user_id] if user_id is not None else [*self._marks.keys() | self._sent.keys()]
        for user in users:
            for (device_id, conversation_id), cursor in self._marks.pop(user, {}).items():
                self._pending -= 1
                yield (user, device_id, conversation_id), cursor
            for conversation_id, seq in self._sent.pop(user, {}).items():
                yield (user, ACCOUNT_DEVICE, conversation_id), _Cursor(seq, seq, _SILENT)

    async def _store(self, pending: Sequence[tuple[_Whose, _Cursor]]) -> None:
        heads = await self._reader.read_heads(list({whose[2] for whose, _ in pending}))
        rows: list[CursorRow] = []
        accounts: dict[tuple[UserId, ConversationId], _Cursor] = {}
        for (user_id, device_id, conversation_id), cursor in pending:
            head_seq = heads.get(conversation_id)
            if head_seq is None:
                self._dropped += 1
                continue
            cursor.cut(head_seq)
            at = cursor.delivered_seq, cursor.read_seq
            if device_id != ACCOUNT_DEVICE:
                rows.append(CursorRow(user_id, device_id, conversation_id, *at))
            account = accounts.get((user_id, conversation_id))
            if account is None:
                accounts[user_id, conversation_id] = _Cursor(*at, cursor.origin)
            else:
                account.merge(*at, cursor.origin)
        rows += [
            CursorRow(user_id, ACCOUNT_DEVICE, conversation_id, one.delivered_seq, one.read_seq)
            for (user_id, conversation_id), one in accounts.items()
        ]
        await self._conversations.merge_cursors(rows)
        self._stored += len(rows)
        for (user_id, conversation_id), account in accounts.items():
            if account.origin != _SILENT:
                self._tell(user_id, conversation_id, account)

    def _tell(self, user_id: UserId, conversation_id: ConversationId, moved: _Cursor) -> None:
        """The user's other devices have use for what was read, the peer for both."""
        user_ids: tuple[UserId, ...] = (user_id,) if moved.read_seq else ()
        if conversation_id > MAX_GROUP_ID:
            peer_id = peer_of(conversation_id, user_id)
            user_ids += (peer_id,) if peer_id != user_id else ()
        if user_ids:
            record = CursorMoved(conversation_id, user_id, moved.delivered_seq, moved.read_seq)
            self._delivery.hint(Hint(user_ids, record, moved.origin))

    def _add(self, whose: _Whose, cursor: _Cursor) -> None:
        user_id, device_id, conversation_id = whose
        of_user = self._marks.setdefault(user_id, {})
        known = of_user.get((device_id, conversation_id))
        if known is not None:
            known.merge(cursor.delivered_seq, cursor.read_seq, cursor.origin)
        elif self._pending < self._max_pending:
            of_user[device_id, conversation_id] = cursor
            self._pending += 1
        else:
            self._dropped += 1


def _may_mark(caller: Caller, conversation_id: ConversationId) -> bool:
    try:
        kind = conversation_type(conversation_id)
    except InvalidRequest:
        return False
    return kind is ConversationType.GROUP or caller.user_id in users_of(conversation_id)
