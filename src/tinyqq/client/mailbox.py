"""All that belongs to one user who is logged in: what comes, what goes, and how far things got."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from tinyqq.client.connection import Connection
from tinyqq.client.cursors import Cursors
from tinyqq.client.inbox import Inbox
from tinyqq.client.marks import Marks
from tinyqq.client.messages import Connected, Desk, Disconnected, Event, SendRefused, to_event
from tinyqq.client.outbox import Outbox, Outgoing
from tinyqq.client.receiving import Call, Receiver
from tinyqq.client.sending import Sender
from tinyqq.client.store import Store
from tinyqq.client.stream import Stream
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError
from tinyqq.model.account import ProfileChanged
from tinyqq.model.connection import HeadHint
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, Seq, UserId, conversation_type
from tinyqq.model.message import CursorMoved, Entry, Mark, MarkMany, Typing
from tinyqq.model.sync import Position
from tinyqq.wire.packets import PacketType

_HINT_WEIGHT: Final = 128
_ENTRY_WEIGHT: Final = 256
"""What an entry takes in memory besides its body, roughly."""
_MAX_SEQ: Final = 2**63 - 1


class Mailbox:
    """See the module's docstring.

    Args:
        call: asks the server as this user.
        desk: what messages that are handed out ask of their client.
        reads_at_once: whether handing out a message is reading it (bots).
    """

    def __init__(
        self,
        *,
        user_id: UserId,
        store: Store,
        random: Random,
        tasks: asyncio.TaskGroup,
        call: Call,
        desk: Desk,
        reads_at_once: bool,
    ) -> None:
        saved = store.load()
        self._user_id = user_id
        self._store = store
        self._desk = desk
        self._reads_at_once = reads_at_once
        self._connection: Connection | None = None
        self._handed_out: dict[ConversationId, Seq] = {}
        self._stream: Stream[Entry | Event] = Stream(on_room=self._on_room)
        self._marks = Marks(self._tell)
        self._cursors = Cursors(user_id, saved.positions)
        self._receiver = Receiver(
            inbox=Inbox(saved.positions),
            cursors=self._cursors,
            on_lost=self._marks.move,
            on_moved=self._hint,
            stream=self._stream,
            store=store,
            call=call,
            hand_out=self._put,
        )
        self.sender = Sender(
            outbox=Outbox(saved.outgoing),
            store=store,
            random=random,
            user_id=user_id,
            on_sent=self._receiver.take,
            on_refused=self._on_refused,
        )
        self._task = tasks.create_task(self._receiver.run())

    # ---- for programs ----------------------------------------------------------------------------

    async def take(self) -> Event:
        """The next thing that happened; see :meth:`Stream.take`.

        An entry counts as handed out from here on: its position is saved and the server told.
        """
        item = await self._stream.take()
        if not isinstance(item, Entry):
            return item
        conversation_id, seq = item.conversation_id, item.seq
        self._handed_out[conversation_id] = seq
        self._store.save_positions([Position(conversation_id, seq)])
        read_seq = seq if self._reads_at_once else Seq(0)
        self._mark(Mark(conversation_id, seq, read_seq))
        return to_event(item, self._desk)

    def mark_read(self, conversation_id: ConversationId, seq: Seq | None) -> None:
        """Move the read cursor to *seq*, or to the last entry that was handed out.

        Raises:
            InvalidRequest: there can be no such conversation, or no such entry in it.
        """
        conversation_type(conversation_id)
        if seq is not None and not 0 <= seq <= _MAX_SEQ:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="seq", value=seq)
        read_seq = self._handed_out.get(conversation_id, Seq(0)) if seq is None else seq
        if read_seq:
            self._mark(Mark(conversation_id, read_seq=read_seq))

    async def wait_synced(self) -> None:
        """Wait until all that was missed, or as much as there is room for, has been put where
        :meth:`take` takes it from.

        Raises:
            TinyQQError: it ended before.
        """
        await self._receiver.wait_caught_up()

    def arrived(self, entries: tuple[Entry, ...]) -> None:
        """Entries of history: what the inbox does not have yet is handed out too."""
        for entry in entries:
            if entry.seq > self._receiver.position(entry.conversation_id):
                self._receiver.take(entry)

    # ---- for the link ----------------------------------------------------------------------------

    def on_up(self, connection: Connection) -> None:
        """Logged in on a new connection."""
        self._connection = connection
        self._hint(Connected(self._user_id, connection.unit_id))
        self.catch_up()
        self.sender.use(connection)
        self._marks.flush()

    def on_down(self, error: TinyQQError) -> None:
        """That connection is gone."""
        self._connection = None
        self.sender.use(None)
        self._hint(Disconnected(error))

    def on_push(self, record: Any) -> None:
        """The server said something."""
        match record:
            case Entry():
                self._receiver.take(record)
            case HeadHint():
                self._receiver.hint(record)
            case CursorMoved():
                self._cursors.moved(record)
                self._hint(record)
            case Typing() | PresenceChanged() | ProfileChanged():
                self._hint(record)

    def catch_up(self) -> None:
        """Look for what may have been missed."""
        self._receiver.catch_up()

    def flush(self) -> None:
        """Put on the connection what waits to be told."""
        self._marks.flush()

    def end(self, error: TinyQQError | None, *, refusal: TinyQQError) -> None:
        """Nothing comes any more.

        Args:
            error: what the reader of the stream gets after what waits there; None: it just ends,
                at once. What waits is not handed out, and so it is when the user is here again.
            refusal: what those get who wait for an acknowledgement, or to be synced.
        """
        self._connection = None
        self._marks.close()
        self._task.cancel()
        self._receiver.end(refusal)
        self.sender.end(refusal)
        if error is None:
            self._stream.clear()
        self._stream.end(error)

    # ---- inside ----------------------------------------------------------------------------------

    def _mark(self, mark: Mark) -> None:
        if self._cursors.mark(mark):
            self._marks.move(mark)

    def _put(self, entry: Entry) -> None:
        self._cursors.wrote(entry)
        if entry.sender_id == self._user_id:
            self.sender.seen(entry)
        self._stream.put(entry, _ENTRY_WEIGHT + len(entry.body))

    def _hint(self, event: Event) -> None:
        """State and not log: with a full stream it is dropped."""
        if not self._stream.is_full:
            self._stream.put(event, _HINT_WEIGHT)

    def _on_room(self) -> None:
        self._receiver.room()

    def _on_refused(self, outgoing: Outgoing, error: TinyQQError) -> None:
        self._hint(SendRefused(outgoing, error))

    def _tell(self, marks: Sequence[Mark]) -> bool:
        if self._connection is None or self._connection.is_closed:
            return False
        if len(marks) == 1:
            self._connection.notify(PacketType.MARK, marks[0])
        else:
            self._connection.notify(PacketType.MARK_MANY, MarkMany(tuple(marks)))
        return True
