"""From a request to the call of a service, and from its outcome to the reply.

Sends, marks and typing notices are calls that return at once: no task is made for them. Everything
else runs as one task with a deadline, at most ``max_running`` of one client at a time.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, RateLimited, TinyQQError, Unauthenticated, Unavailable
from tinyqq.gateway.bucket import Bucket
from tinyqq.gateway.connection import Connection
from tinyqq.gateway.policy import Counts, GatewayPolicy
from tinyqq.gateway.tasks import CALL_FAILED, TaskPool
from tinyqq.model.account import Caller
from tinyqq.model.connection import Done
from tinyqq.model.flights import Flights
from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Sent
from tinyqq.model.sync import Page, Sync
from tinyqq.outcomes import outcome_of
from tinyqq.ports.services import Send, Services
from tinyqq.wire.calls import CALLS, NOTES, Target
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import (
    BEFORE_LOG_IN,
    PacketType,
    decode_request,
    decode_send,
    encode,
    encode_sent,
)
from tinyqq.wire.session import State

logger = logging.getLogger(__name__)

_SEND: Final = int(PacketType.SEND)
_SYNC: Final = int(PacketType.SYNC)
_LAST_REQUESTS: Final = frozenset({PacketType.LOG_OUT, PacketType.DELETE_ACCOUNT})
"""After these the session has nothing more to say."""
_WITHOUT_NEW_PASSWORD: Final = frozenset({PacketType.CHANGE_PASSWORD, PacketType.LOG_OUT})
_DONE: Final = Done()
Call = Callable[[Caller, Any], Awaitable[Any]]
Note = Callable[[Caller, Any], None]
Enter = Callable[[Connection, Frame], Coroutine[Any, Any, None]]


def calls_of(services: Services) -> dict[int, Call]:
    """Which call answers which request."""
    return _methods(services, CALLS)


def notes_of(services: Services) -> dict[int, Note]:
    """The requests that return at once."""
    return _methods(services, NOTES)


def _methods(services: Services, table: dict[int, Target]) -> dict[int, Callable[..., Any]]:
    return {
        number: getattr(getattr(services, target.role), target.method)
        for number, target in table.items()
    }


class Dispatcher:
    """Implements :class:`tinyqq.gateway.connection.Desk` over the services.

    Args:
        enter: answers a request before log-in.
        tasks: runs the requests that take their time.
    """

    def __init__(
        self,
        *,
        services: Services,
        enter: Enter,
        tasks: TaskPool,
        clock: Clock,
        policy: GatewayPolicy,
        counts: Counts,
    ) -> None:
        self._chat = services.chat
        self._calls = calls_of(services)
        self._notes = notes_of(services)
        self._enter = enter
        self._tasks = tasks
        self._clock = clock
        self._policy = policy
        self._counts = counts

    def on_request(self, connection: Connection, frame: Frame) -> None:
        """Begin to answer a request, or put it behind those that are being answered."""
        packet_type = frame.type
        if packet_type == _SEND:
            self._send(connection, frame)
        elif packet_type in self._notes:
            self._note(connection, frame)
        elif packet_type in BEFORE_LOG_IN:
            self._tasks.spawn(self._enter(connection, frame), timeout_s=None)
        elif self._has_room(connection) and not connection.waiting:
            self._begin(connection, frame)
        else:
            if connection.waiting is None:
                connection.waiting = deque()
            connection.waiting.append(frame)

    def on_room(self, connection: Connection) -> None:
        """Begin requests that waited, as far as there is room."""
        if connection.session.state is State.CLOSED:
            connection.waiting = None
        while connection.waiting and self._has_room(connection):
            self._begin(connection, connection.waiting.popleft())

    # ---- requests that return at once ------------------------------------------------------------

    def _send(self, connection: Connection, frame: Frame) -> None:
        session = connection.session
        request_id = frame.request_id
        self._counts.sends += 1
        try:
            fields = decode_send(frame.body)
        except TinyQQError as error:
            connection.reply_error(request_id, error)
            return
        answer = partial(self._sent, connection, request_id, fields.conversation_id, fields.flight)
        try:
            self._check_send(connection, fields.conversation_id, fields.flight)
            assert session.caller is not None
            self._chat.send(
                Send(
                    session.caller,
                    fields.conversation_id,
                    fields.client_message_id,
                    fields.kind,
                    fields.content,
                    answer,
                    fields.flight,
                )
            )
        except TinyQQError as error:
            answer(error)
        except Exception:
            logger.exception("send.failed")
            answer(Unavailable(ErrorCode.INTERNAL, retry_after_s=1.0))

    def _check_send(
        self, connection: Connection, conversation_id: ConversationId, flight: int
    ) -> None:
        if connection.must_change_password:
            raise Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)
        if connection.flights is not None:
            connection.flights.check(conversation_id, flight)
        bucket = connection.send_bucket
        if bucket is None:
            bucket = connection.send_bucket = self._bucket(self._policy.sends_per_s)
        _take(bucket)

    def _sent(
        self,
        connection: Connection,
        request_id: int,
        conversation_id: ConversationId,
        flight: int,
        outcome: Sent | TinyQQError,
    ) -> None:
        if isinstance(outcome, Sent):
            connection.session.reply(
                _SEND, request_id, encode_sent(outcome.seq, outcome.ordinal, outcome.sent_at_ms)
            )
            connection.touch()
            return
        if flight:
            if connection.flights is None:
                connection.flights = Flights()
            connection.flights.refused(conversation_id, flight, outcome)
        connection.reply_error(request_id, outcome)

    def _note(self, connection: Connection, frame: Frame) -> None:
        session = connection.session
        self._counts.requests += 1
        try:
            self._check_request(connection, frame.type)
            assert session.caller is not None
            self._notes[frame.type](session.caller, decode_request(frame.type, frame.body))
        except TinyQQError as error:
            connection.reply_error(frame.request_id, error)
        except Exception:
            logger.exception("request.failed")
            connection.reply_error(frame.request_id, Unavailable(ErrorCode.INTERNAL))
        else:
            session.reply(frame.type, frame.request_id, encode(_DONE))

    # ---- requests that take their time -----------------------------------------------------------

    def _has_room(self, connection: Connection) -> bool:
        return connection.running < self._policy.max_running and not connection.is_full()

    def _begin(self, connection: Connection, frame: Frame) -> None:
        self._counts.requests += 1
        try:
            self._check_request(connection, frame.type)
        except TinyQQError as error:
            connection.reply_error(frame.request_id, error)
            return
        connection.running += 1
        self._tasks.spawn(self._run(connection, frame), timeout_s=None)

    async def _run(self, connection: Connection, frame: Frame) -> None:
        packet_type, request_id, _ = frame
        session = connection.session
        try:
            outcome = await outcome_of(
                self._answer(connection, frame),
                timeout_s=self._policy.request_timeout_s,
                event=CALL_FAILED,
            )
        finally:
            connection.running -= 1
        if isinstance(outcome, TinyQQError):
            connection.reply_error(request_id, outcome)
        else:
            session.reply(packet_type, request_id, outcome)
            if packet_type in _LAST_REQUESTS:
                session.close()
        self.on_room(connection)
        connection.touch()

    async def _answer(self, connection: Connection, frame: Frame) -> bytes:
        """The body of the reply."""
        record = decode_request(frame.type, frame.body)
        caller = connection.session.caller
        assert caller is not None
        call = self._calls[frame.type]
        if frame.type == _SYNC and connection.missed is not None and not connection.is_clogged:
            return encode(await _missed_page(connection, caller, record, call))
        reply = await call(caller, record)
        if frame.type == PacketType.CHANGE_PASSWORD:
            connection.must_change_password = False
            connection.accepts_pushes = not connection.is_lost
        return encode(_DONE if reply is None else reply)

    # ---- what is refused at the door -------------------------------------------------------------

    def _check_request(self, connection: Connection, packet_type: int) -> None:
        if connection.must_change_password and packet_type not in _WITHOUT_NEW_PASSWORD:
            raise Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)
        bucket = connection.request_bucket
        if bucket is None:
            bucket = connection.request_bucket = self._bucket(self._policy.requests_per_s)
        _take(bucket)

    def _bucket(self, rate_per_s: float) -> Bucket:
        return Bucket(rate_per_s=rate_per_s, burst_s=self._policy.burst_s, clock=self._clock)


def _take(bucket: Bucket) -> None:
    wait_s = bucket.take()
    if wait_s:
        raise RateLimited(ErrorCode.RATE_LIMITED, retry_after_s=wait_s)


async def _missed_page(connection: Connection, caller: Caller, request: Sync, call: Call) -> Page:
    """A page for a client in pull mode: what it reaches, the client is pushed again."""
    missed = connection.missed
    assert missed is not None
    seq = missed.page_asked(request)
    try:
        page: Page = await call(caller, request)
    except TinyQQError as error:
        missed.page_refused(request, seq, error)
        raise
    except BaseException:
        missed.page_refused(request, seq, Unavailable(ErrorCode.INTERNAL))
        raise
    missed.page_read(request, page, seq)
    return page
