"""Sending: the outbox on whatever connection there is, and the callers who wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import Random
from typing import Final

from tinyqq.client.connection import Connection
from tinyqq.client.outbox import Departure, Outbox, Outgoing
from tinyqq.client.retry import Backoff
from tinyqq.client.store import Store
from tinyqq.errors import ErrorCode, RateLimited, TinyQQError, Unavailable
from tinyqq.model.ids import ConversationId, UserId
from tinyqq.model.message import Entry, Sent
from tinyqq.wire.packets import PacketType, SendFields, encode_send

logger = logging.getLogger(__name__)

SHARE_OF_FLIGHT: Final = 0.75
"""Of the requests that a connection may have in flight; the rest is for everything else."""


class Sender:
    """Sends what is in the outbox, in order, until each is acknowledged or refused for good.

    Args:
        outbox: may hold messages of an earlier run.
        on_sent: gets every acknowledged message as the entry that it became.
        on_refused: gets a refusal that nobody waits for.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        store: Store,
        random: Random,
        user_id: UserId,
        on_sent: Callable[[Entry], None],
        on_refused: Callable[[Outgoing, TinyQQError], None],
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._random = random
        self._user_id = user_id
        self._on_sent = on_sent
        self._on_refused = on_refused
        self._connection: Connection | None = None
        self._ended: TinyQQError | None = None
        self._waiting: dict[bytes, asyncio.Future[Sent | TinyQQError]] = {}
        self._backoffs: dict[ConversationId, Backoff] = {}
        self._timers: dict[ConversationId, asyncio.TimerHandle] = {}

    async def send(self, outgoing: Outgoing, *, timeout_s: float) -> Sent:
        """Send, and wait for the acknowledgement, over reconnections too.

        When the wait ends early (TIMED_OUT, or the caller is cancelled) the message stays in the
        outbox: it is there once or, if it is refused, not at all.

        Raises:
            TinyQQError: it was refused for good; Unavailable BUSY when the outbox is full,
                TIMED_OUT.
        """
        if self._ended is not None:
            raise self._ended
        message_id = outgoing.client_message_id
        self._outbox.add(outgoing)
        try:
            self._store.put_outgoing(outgoing)
        except BaseException:  # whoever is told that it failed would write it again
            self._outbox.acknowledge(message_id)
            raise
        future: asyncio.Future[Sent | TinyQQError] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = future
        self.pump()
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await future
        except TimeoutError as exc:
            raise Unavailable(ErrorCode.TIMED_OUT, client_message_id=message_id.hex()) from exc
        finally:
            self._waiting.pop(message_id, None)
        if isinstance(outcome, TinyQQError):
            raise outcome
        return outcome

    def use(self, connection: Connection | None) -> None:
        """There is a new connection, or none any more."""
        self._connection = connection
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if connection is not None:
            connection.on_room = self.pump
            self._outbox.start_over()
            self.pump()

    def pump(self) -> None:
        """Put on the connection what may go."""
        connection = self._connection
        if connection is None or connection.is_closed:
            return
        window = max(1, int(connection.max_in_flight * SHARE_OF_FLIGHT))
        while connection.in_flight < window:
            departure = self._outbox.next()
            if departure is None:
                return
            connection.send(
                PacketType.SEND, _body(departure), self._answer_to(departure, connection)
            )

    def seen(self, entry: Entry) -> None:
        """One's own entry is in the log: its answer, a push or a page says so."""
        if self._outbox.acknowledge(entry.client_message_id) is not None:
            self._store.drop_outgoing(entry.client_message_id)
            self._backoffs.pop(entry.conversation_id, None)
            sent = Sent(entry.seq, entry.ordinal, entry.sent_at_ms)
            self._finish(entry.client_message_id, sent)

    def end(self, error: TinyQQError) -> None:
        """Nothing will be sent any more in this run: whoever waits or comes gets *error*."""
        self._ended = error
        self.use(None)
        for future in self._waiting.values():
            if not future.done():
                future.set_result(error)

    def _answer_to(
        self, departure: Departure, connection: Connection
    ) -> Callable[[Sent | TinyQQError], None]:
        outgoing = departure.outgoing

        def on_answer(outcome: Sent | TinyQQError) -> None:
            if isinstance(outcome, Sent):
                entry = self._entry(outgoing, outcome)
                self._on_sent(entry)
                self.seen(entry)
            elif connection is not self._connection or connection.is_closed:
                pass  # nobody knows what became of it: it goes out again on the next connection
            elif isinstance(outcome, Unavailable | RateLimited):
                self._refused_for_now(departure, outcome)
            else:
                self._refused(outgoing, outcome)

        return on_answer

    def _refused(self, outgoing: Outgoing, error: TinyQQError) -> None:
        if self._outbox.acknowledge(outgoing.client_message_id) is None:
            return
        self._store.drop_outgoing(outgoing.client_message_id)
        if not self._finish(outgoing.client_message_id, error):
            self._on_refused(outgoing, error)

    def _refused_for_now(self, departure: Departure, error: TinyQQError) -> None:
        conversation_id = departure.outgoing.conversation_id
        if not self._outbox.refuse_for_now(departure.outgoing.client_message_id, departure.flight):
            return
        logger.info("send.postponed", extra={"code": error.code.name})
        backoff = self._backoffs.setdefault(conversation_id, Backoff(random=self._random))
        delay_s = backoff.next_s(at_least_s=error.retry_after_s)
        loop = asyncio.get_running_loop()
        self._timers[conversation_id] = loop.call_later(delay_s, self._go_on, conversation_id)

    def _go_on(self, conversation_id: ConversationId) -> None:
        del self._timers[conversation_id]
        self._outbox.go_on(conversation_id)
        self.pump()

    def _finish(self, message_id: bytes, outcome: Sent | TinyQQError) -> bool:
        """Tell whoever waits; False: nobody does."""
        future = self._waiting.get(message_id)
        if future is None or future.done():
            return False
        future.set_result(outcome)
        return True

    def _entry(self, outgoing: Outgoing, sent: Sent) -> Entry:
        return Entry(
            outgoing.conversation_id,
            sent.seq,
            sent.ordinal,
            self._user_id,
            outgoing.client_message_id,
            sent.sent_at_ms,
            outgoing.kind,
            outgoing.content,
        )


def _body(departure: Departure) -> bytes:
    outgoing = departure.outgoing
    return encode_send(
        SendFields(
            outgoing.conversation_id,
            outgoing.client_message_id,
            outgoing.kind,
            outgoing.content,
            departure.flight,
        )
    )
