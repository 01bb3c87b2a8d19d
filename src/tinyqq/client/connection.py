"""One connection: requests and their answers, pushes, heartbeats; whatever carries the bytes.

The protocol is :class:`tinyqq.wire.client_session.ClientSession`; the bytes go through a carrier
(``carriers.py``). Here lie the timers and the callbacks.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from tinyqq.client.addresses import Address
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unavailable
from tinyqq.model.connection import Welcome
from tinyqq.wire import packets
from tinyqq.wire.client_session import (
    ClientSession,
    Event,
    Failed,
    MissedPushes,
    Pushed,
    Reply,
)
from tinyqq.wire.packets import PacketType

logger = logging.getLogger(__name__)

Answer = Callable[[Any], None]
"""Called once with the reply's record, or with the :class:`TinyQQError` that took its place."""

_TICK_S: Final = 0.25
"""How often the session looks whether a heartbeat is due."""


class Carrier(Protocol):
    """What carries the bytes of one connection: TCP or a WebSocket."""

    def flush(self) -> None:
        """Write what the session has put out; returns at once."""
        ...

    def close(self) -> None:
        """Write what is left and close; then :meth:`Connection.on_lost` is called."""
        ...


class Connection:
    """The client's end of one connection, from Hello to the end.

    Args:
        on_push: called for every push, in order.
        on_missed: called when the server counted more pushes than arrived.
        agent: the program's name and version, told to the server.
        language: BCP 47 tag, told to the server.
        address: where it goes; None: nobody needs to know.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        on_push: Callable[[PacketType, Any], None],
        on_missed: Callable[[], None],
        agent: str,
        language: str,
        address: Address | None = None,
    ) -> None:
        self.address: Final = address
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._on_push = on_push
        self._on_missed = on_missed
        self._session = ClientSession(agent=agent, language=language, now_s=clock.monotonic())
        self._carrier: Carrier | None = None
        self._answers: dict[int, Answer] = {}
        self._welcome = self._loop.create_future()
        # Hello is the request that the session itself has made.
        self._answers[1] = self._finish(self._welcome)
        self._closed: asyncio.Future[TinyQQError] = self._loop.create_future()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._failure: TinyQQError | None = None
        self._flush_is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_for_room: deque[asyncio.Future[None]] = deque()
        self.on_room: Callable[[], None] = lambda: None
        """Called when an answer has come, so that another request may go."""

    # ---- requests --------------------------------------------------------------------------------

    async def open(self, carrier: Carrier, *, timeout_s: float) -> Welcome:
        """Say hello over *carrier*.

        Raises:
            TinyQQError: the server refused, broke a rule, or did not answer in time.
        """
        self._carrier = carrier
        self._flush_soon()
        self._timer = self._loop.call_later(_TICK_S, self._tick)
        welcome: Welcome = await self._wait(self._welcome, timeout_s)
        return welcome

    async def request(self, packet_type: PacketType, record: object, *, timeout_s: float) -> Any:
        """Ask and wait for the answer.

        Raises:
            TinyQQError: what the server answered; InvalidRequest when no packet can hold what the
                record does; Unavailable TIMED_OUT when nothing came within *timeout_s*,
                CONNECTION_LOST when nothing can come any more.
        """
        body = _encoded(record)
        deadline_s = self._clock.monotonic() + timeout_s
        while self.in_flight >= self.max_in_flight and not self._closed.done():
            room: asyncio.Future[None] = self._loop.create_future()
            self._waiting_for_room.append(room)
            try:
                await self._wait(room, deadline_s - self._clock.monotonic())
            except BaseException:
                self._make_room()  # it may have had its turn just now
                raise
        answer = self._loop.create_future()
        self.send(packet_type, body, self._finish(answer))
        return await self._wait(answer, deadline_s - self._clock.monotonic())

    def send(self, packet_type: PacketType, body: bytes, answer: Answer) -> None:
        """Put a request on the connection; look at :attr:`in_flight` before."""
        if self._closed.done():
            answer(_lost())
            return
        self._answers[self._session.request(packet_type, body)] = answer
        self._flush_soon()

    def notify(self, packet_type: PacketType, record: object) -> None:
        """Put a one-way request on the connection; nothing happens when it is closed.

        Raises:
            InvalidRequest: no packet can hold what the record does.
        """
        if not self._closed.done():
            self._session.notify(packet_type, _encoded(record))
            self._flush_soon()

    @property
    def in_flight(self) -> int:
        """Requests without an answer, those that nobody waits for any more included; heartbeats
        are not."""
        return self._session.in_flight

    @property
    def max_in_flight(self) -> int:
        """How many the server allows."""
        welcome = self._session.welcome
        return welcome.max_in_flight if welcome else 1

    @property
    def unit_id(self) -> str:
        """The unit at the other end; empty before its welcome."""
        return self._session.welcome.unit_id if self._session.welcome else ""

    # ---- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Close from this side. Idempotent."""
        if self._carrier is not None and not self._closed.done():
            self._carrier.flush()
            self._carrier.close()
        self._end(None)

    async def wait_gone(self, timeout_s: float) -> None:
        """Wait until the carrier has written what was left and let go of its socket."""
        if self._carrier is not None:
            await asyncio.wait([self._gone], timeout=timeout_s)

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self._closed.done()

    def when_closed(self, call: Callable[[], None]) -> None:
        """Call back soon after the end."""
        self._closed.add_done_callback(lambda _: call())

    async def wait_closed(self) -> TinyQQError:
        """Wait for the end; returns why it came: the server's last word, or CONNECTION_LOST."""
        return await asyncio.shield(self._closed)

    # ---- for the carrier -------------------------------------------------------------------------

    def on_bytes(self, data: bytes) -> None:
        """Bytes of a stream have arrived."""
        if not self._closed.done():
            self._handle(self._session.receive(data, now_s=self._clock.monotonic()))

    def on_message(self, data: bytes) -> None:
        """A binary WebSocket message has arrived."""
        if not self._closed.done():
            self._handle(self._session.receive_message(data, now_s=self._clock.monotonic()))

    def on_lost(self, reason: Exception | None) -> None:
        """The carrier is gone. Every request that waits gets CONNECTION_LOST."""
        if not self._gone.done():
            self._gone.set_result(None)
        self._end(reason)

    def take_output(self) -> bytes:
        """The bytes to write to a stream."""
        return self._session.take_output()

    def take_frames(self) -> list[bytes]:
        """The messages to write to a WebSocket."""
        return self._session.take_frames()

    # ---- inside ----------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        answered = False
        for event in events:
            match event:
                case Reply(request_id, outcome):
                    answered = True
                    answer = self._answers.pop(request_id, None)
                    if answer is not None:
                        answer(outcome)
                case Pushed(packet_type, record):
                    self._on_push(packet_type, record)
                case MissedPushes():
                    self._on_missed()
                case Failed(error):
                    self._fail(error)
        if answered and not self._closed.done():
            self._make_room()
            self.on_room()

    def _fail(self, error: TinyQQError) -> None:
        logger.info("connection.failed", extra={"code": error.code.name})
        self._failure = error
        if self._carrier is not None:
            self._carrier.close()
        self._end(error)

    def _end(self, reason: Exception | None) -> None:
        if self._closed.done():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._closed.set_result(self._failure or _lost(reason))
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            answer(self._failure or _lost(reason))
        self._make_room(everybody=True)

    def _tick(self) -> None:
        self._handle(self._session.check_time(self._clock.monotonic()))
        if not self._closed.done():
            self._flush_soon()
            self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _flush_soon(self) -> None:
        """Write once per turn of the loop, however many requests it makes."""
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._carrier is not None and not self._closed.done():
            self._carrier.flush()

    def _make_room(self, *, everybody: bool = False) -> None:
        free = len(self._waiting_for_room) if everybody else self.max_in_flight - self.in_flight
        while self._waiting_for_room and free > 0:
            room = self._waiting_for_room.popleft()
            if not room.done():
                room.set_result(None)
                free -= 1

    @staticmethod
    def _finish(future: asyncio.Future[Any]) -> Answer:
        def finish(outcome: Any) -> None:
            if not future.done():  # whoever waited may have given up
                future.set_result(outcome)

        return finish

    async def _wait(self, future: asyncio.Future[Any], timeout_s: float) -> Any:
        try:
            async with asyncio.timeout(max(0.0, timeout_s)):
                outcome = await future
        except TimeoutError as exc:
            raise Unavailable(ErrorCode.TIMED_OUT) from exc
        if isinstance(outcome, TinyQQError):
            raise outcome
        return outcome


def _encoded(record: object) -> bytes:
    try:
        return packets.encode(record)
    except ValueError as exc:  # a number out of range, or half a character
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, reason=str(exc)) from exc


def _lost(reason: Exception | None = None) -> Unavailable:
    error = Unavailable(ErrorCode.CONNECTION_LOST)
    error.__cause__ = reason
    return error
