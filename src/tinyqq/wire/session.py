"""The server's end of one client connection, as a state machine.

::

    HELLO ──Hello/Welcome──▶ LOG_IN ──LogIn, Resume──▶ OPEN ──GoAway──▶ DRAINING
      └───────────── broken rule, time-out, kick, end of the stream ──────────▶ CLOSED

Bytes go in (:meth:`ServerSession.receive`), requests that the caller must answer come out; bytes to
write are collected (:meth:`ServerSession.take_output`). Time enters as an argument. Hello and
Heartbeat are answered here; everything else is the gateway's business.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.connection import Hello, Limits, Pulse, Welcome
from tinyqq.model.sync import MAX_PAGE_ENTRIES
from tinyqq.wire import packets
from tinyqq.wire.framing import Frame, FrameReader, encode_frame
from tinyqq.wire.packets import BEFORE_LOG_IN, ONE_WAY, OPERATIONS, PROTOCOL_VERSION, PacketType

CAPABILITIES: Final = ("pull-mode", "resume")
"""What this server can do beyond the protocol's version; Welcome names those the client has too."""

MAX_STRANGER_BYTES: Final = 64 * 1024
"""Largest body before log-in: so many connections may be half-open that 1 MiB each is too much."""

_HELLO: Final = int(PacketType.HELLO)
_HEARTBEAT: Final = int(PacketType.HEARTBEAT)
_SEND: Final = int(PacketType.SEND)


class State(IntEnum):
    """Where a session stands; it only moves forward."""

    HELLO = 0
    LOG_IN = 1
    OPEN = 2
    DRAINING = 3
    CLOSED = 4


class ServerSession:
    """One client's connection.

    Args:
        limits: told to the client and held here.
        unit_id: this unit, told to the client.
        agent: the server's name and version, told to the client.
        now_s: monotonic seconds.
        now_ms: wall clock, told to the client.
    """

    __slots__ = (
        "_agent",
        "_authenticating",
        "_opened_s",
        "_output",
        "_reader",
        "_unit_id",
        "_waiting",
        "caller",
        "capabilities",
        "heard_s",
        "in_flight",
        "language",
        "limits",
        "output_bytes",
        "pushes",
        "state",
    )

    def __init__(self, *, limits: Limits, unit_id: str, agent: str, now_s: float) -> None:
        self.limits = limits
        self.state = State.HELLO
        self.caller: Caller | None = None
        self.language = ""
        self.capabilities: frozenset[str] = frozenset()
        self.in_flight = 0
        self.pushes = 0
        self.heard_s = now_s
        self.output_bytes = 0
        self._output: list[bytes] = []
        self._opened_s = now_s
        self._reader = FrameReader(max_body_bytes=min(limits.max_frame_bytes, MAX_STRANGER_BYTES))
        self._unit_id = unit_id
        self._agent = agent
        self._authenticating = False
        self._waiting: list[Frame] = []

    # ---- bytes in --------------------------------------------------------------------------------

    def receive(self, data: bytes, *, now_s: float, now_ms: int) -> list[Frame]:
        """Requests that *data* completes, in order; each must be answered (or is one-way).

        While a log-in is being checked nothing comes out: what arrives waits for
        :meth:`log_in_finished` (so pause reading), at most ``max_in_flight`` packets of it. When
        the peer breaks a rule, an Error is put into the output and the state becomes CLOSED; the
        requests before it are still returned.
        """
        self.heard_s = now_s
        return self._admit(self._reader.feed(data), now_ms)

    def receive_message(self, data: bytes, *, now_s: float, now_ms: int) -> list[Frame]:
        """As :meth:`receive`, for one WebSocket message."""
        self.heard_s = now_s
        return self._admit(self._reader.feed_message(data), now_ms)

    @property
    def is_authenticating(self) -> bool:
        """Whether a log-in is being checked: stop reading until it is done."""
        return self._authenticating

    def log_in_finished(self, caller: Caller | None, *, now_ms: int) -> list[Frame]:
        """The request before log-in was answered (put the reply in first); ``caller``: now logged
        in.

        Returns the requests that waited, checked against the new state.
        """
        self._authenticating = False
        if caller is not None and self.state is State.LOG_IN:
            self.caller = caller
            self.state = State.OPEN
            self._reader.max_body_bytes = self.limits.max_frame_bytes
        waiting, self._waiting = self._waiting, []
        return self._admit(waiting, now_ms)

    def _admit(self, frames: list[Frame], now_ms: int) -> list[Frame]:
        admitted: list[Frame] = []
        for position, frame in enumerate(frames):
            if self.state is State.CLOSED:
                break
            if self._authenticating:
                self._hold(frames[position:])
                break
            try:
                if self._needs_answer(frame, now_ms):
                    admitted.append(frame)
            except ProtocolError as error:
                self.fail(error)
            except TinyQQError as error:
                self.refuse(frame.request_id, error)
        if self._reader.error is not None and not self._authenticating:
            self.fail(self._reader.error)
        return admitted

    def _hold(self, frames: list[Frame]) -> None:
        self._waiting += frames
        if len(self._waiting) > self.limits.max_in_flight:
            self._waiting = []
            self.fail(self._too_many_in_flight())

    def _needs_answer(self, frame: Frame, now_ms: int) -> bool:
        """Whether the gateway must deal with *frame*; hello and heartbeat are dealt with here."""
        packet_type, request_id, _ = frame
        if packet_type == _SEND and self.state is State.OPEN and request_id:
            return self._count_request()
        if packet_type == _HELLO:
            self._greet(frame, now_ms)
            return False
        if self.state is State.HELLO:
            raise ProtocolError(ErrorCode.OUT_OF_ORDER, expected="HELLO")
        self._check_type(packet_type, request_id)
        if packet_type == _HEARTBEAT:
            self._put(packets.reply_frame(_HEARTBEAT, request_id, Pulse(self.pushes, now_ms)))
            return False
        if (packet_type in BEFORE_LOG_IN) != (self.state is State.LOG_IN):
            raise ProtocolError(ErrorCode.OUT_OF_ORDER, state=self.state.name)
        if packet_type in BEFORE_LOG_IN:
            self._authenticating = True
        return self._count_request() if request_id else True

    def _check_type(self, packet_type: int, request_id: int) -> None:
        if packet_type >= packets.PUSH_BIT:
            raise ProtocolError(ErrorCode.UNKNOWN_TYPE, type=packet_type)
        if packet_type not in OPERATIONS:
            # A newer client on this older server: it can live without.
            raise InvalidRequest(ErrorCode.UNKNOWN_OPERATION, type=packet_type)
        if not request_id and packet_type not in ONE_WAY:
            raise ProtocolError(ErrorCode.BAD_REQUEST_ID, type=packet_type)

    def _count_request(self) -> bool:
        if self.in_flight >= self.limits.max_in_flight:
            # The client was told the limit in Welcome, so this is a broken rule and not a wish: to
            # refuse one send and take a later one would turn the sender's order.
            raise self._too_many_in_flight()
        self.in_flight += 1
        return True

    def _too_many_in_flight(self) -> ProtocolError:
        return ProtocolError(ErrorCode.TOO_MANY_IN_FLIGHT, max_in_flight=self.limits.max_in_flight)

    def _greet(self, frame: Frame, now_ms: int) -> None:
        if self.state is not State.HELLO:
            raise ProtocolError(ErrorCode.OUT_OF_ORDER, state=self.state.name)
        if not frame.request_id:
            raise ProtocolError(ErrorCode.BAD_REQUEST_ID, type=frame.type)
        hello: Hello = packets.decode_request(_HELLO, frame.body)
        if not hello.version_min <= PROTOCOL_VERSION <= hello.version_max:
            raise ProtocolError(
                ErrorCode.VERSION_UNSUPPORTED,
                version_min=PROTOCOL_VERSION,
                version_max=PROTOCOL_VERSION,
            )
        self.language = hello.language[:35]
        capabilities = tuple(one for one in CAPABILITIES if one in hello.capabilities)
        self.capabilities = frozenset(capabilities)
        welcome = Welcome(
            version=PROTOCOL_VERSION,
            capabilities=capabilities,
            agent=self._agent,
            unit_id=self._unit_id,
            max_frame_bytes=self.limits.max_frame_bytes,
            max_text_chars=self.limits.max_text_chars,
            max_in_flight=self.limits.max_in_flight,
            idle_timeout_ms=round(self.limits.idle_timeout_s * 1000),
            log_in_timeout_ms=round(self.limits.log_in_timeout_s * 1000),
            max_page_entries=MAX_PAGE_ENTRIES,
            server_time_ms=now_ms,
        )
        self._put(packets.reply_frame(_HELLO, frame.request_id, welcome))
        self.state = State.LOG_IN

    # ---- bytes out -------------------------------------------------------------------------------

    def reply(self, request_type: int, request_id: int, body: bytes) -> None:
        """Answer a request; its place in flight is free again. No answer to a one-way request."""
        if request_id:
            self.in_flight -= 1
            self._put(encode_frame(request_type | packets.REPLY_BIT, request_id, body))

    def refuse(self, request_id: int, error: TinyQQError) -> None:
        """Answer a request with an error that leaves the connection as it is, without freeing a
        place in flight: for requests that were not admitted."""
        if request_id:
            self._put(packets.error_frame(request_id, error))

    def reply_error(self, request_id: int, error: TinyQQError) -> None:
        """Answer an admitted request with an error. A ProtocolError also closes the session, and
        is said even of a one-way request."""
        if request_id:
            self.in_flight -= 1
            self._put(packets.error_frame(request_id, error))
        if isinstance(error, ProtocolError):
            self.fail(error)

    def push(self, frame: bytes) -> None:
        """Put a finished push frame on the session. Nothing is put on a closed one."""
        if self.state is not State.CLOSED:
            self.pushes += 1
            self._output.append(frame)
            self.output_bytes += len(frame)

    def fail(self, error: TinyQQError) -> None:
        """Say why and close: an Error with request id 0 is the last packet."""
        if self.state is not State.CLOSED:
            self._put(packets.error_frame(0, error))
            self.state = State.CLOSED

    def close(self, last_frame: bytes = b"") -> None:
        """Close, with a last push (Kicked) if there is one."""
        if last_frame:
            self.push(last_frame)
        self.state = State.CLOSED

    def drain(self, frame: bytes) -> None:
        """Tell the client to go away; requests are still answered."""
        self.push(frame)
        if self.state is State.OPEN:
            self.state = State.DRAINING

    def take_output(self) -> list[bytes]:
        """Frames to write, in order; they are the caller's now."""
        output, self._output = self._output, []
        self.output_bytes = 0
        return output

    def _put(self, frame: bytes) -> None:
        if self.state is not State.CLOSED:
            self._output.append(frame)
            self.output_bytes += len(frame)

    # ---- time ------------------------------------------------------------------------------------

    def check_time(self, now_s: float) -> None:
        """Close the session when it has been silent or without log-in for too long."""
        if self.state < State.OPEN:
            if now_s - self._opened_s > self.limits.log_in_timeout_s:
                self.fail(ProtocolError(ErrorCode.LOG_IN_TIMEOUT))
        elif now_s - self.heard_s > self.limits.idle_timeout_s:
            self.fail(ProtocolError(ErrorCode.IDLE_TIMEOUT))
