"""The client's end of one connection, as a state machine: requests out, replies and pushes in.

Bytes go in (:meth:`ClientSession.receive`), events come out; bytes to write are collected
(:meth:`ClientSession.take_output`). Time enters as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tinyqq.errors import ErrorCode, ProtocolError, TinyQQError
from tinyqq.model.connection import Heartbeat, Hello, Pulse, Welcome
from tinyqq.wire import packets
from tinyqq.wire.framing import Frame, FrameReader, encode_frame
from tinyqq.wire.packets import ONE_WAY, PROTOCOL_VERSION, PUSHES, PacketType


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request: its record, or the error that the server reported."""

    request_id: int
    outcome: Any


@dataclass(frozen=True, slots=True)
class Pushed:
    """Something that the server said by itself."""

    packet_type: PacketType
    record: Any


@dataclass(frozen=True, slots=True)
class MissedPushes:
    """The server counted more pushes than arrived: sync everything."""

    missed: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The connection is over: the server's last word, or a rule that the server broke."""

    error: TinyQQError


Event = Reply | Pushed | MissedPushes | Failed


_MIN_HEARTBEAT_S: Final = 1.0
_ANSWER_S: Final = 2.0
"""How long a heartbeat may stay without any sign of the server."""


class ClientSession:
    """One connection to a server, from Hello on.

    Request ids are counted up from 1 and reused after 2³²-1. ``max_in_flight`` is the server's
    limit once ``welcome`` is there; whoever sends waits while :attr:`in_flight` stands at it.
    """

    def __init__(
        self,
        *,
        agent: str,
        language: str = "",
        capabilities: tuple[str, ...] = ("pull-mode", "resume"),
        now_s: float,
        max_frame_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self.welcome: Welcome | None = None
        self.closed = False
        self.pushes = 0
        self.heard_s = now_s
        self._reader = FrameReader(max_body_bytes=max_frame_bytes)
        self._output: list[bytes] = []
        self._pending: dict[int, int] = {}
        self._beats = 0
        """Heartbeats among them."""
        self._last_request_id = 0
        self._beat_s = now_s
        hello = Hello(PROTOCOL_VERSION, PROTOCOL_VERSION, capabilities, agent, language)
        self.request(PacketType.HELLO, packets.encode(hello))

    @property
    def in_flight(self) -> int:
        """Requests without an answer yet. Heartbeats are not counted, as on the server."""
        return len(self._pending) - self._beats

    def request(self, packet_type: PacketType, body: bytes) -> int:
        """Put a request into the output; returns its id, by which the :class:`Reply` is known."""
        request_id = self._next_request_id()
        self._pending[request_id] = packet_type
        self._output.append(encode_frame(packet_type, request_id, body))
        return request_id

    def notify(self, packet_type: PacketType, body: bytes) -> None:
        """Put a one-way request into the output."""
        if packet_type not in ONE_WAY:
            raise ValueError(f"{packet_type.name} needs an answer")
        self._output.append(encode_frame(packet_type, 0, body))

    def take_output(self) -> bytes:
        """The bytes to write."""
        output, self._output = b"".join(self._output), []
        return output

    def take_frames(self) -> list[bytes]:
        """The frames to write, one WebSocket message each."""
        output, self._output = self._output, []
        return output

    def receive(self, data: bytes, *, now_s: float) -> list[Event]:
        """Events that *data* completes, in order; none after :class:`Failed`."""
        self.heard_s = now_s
        return self._events(self._reader.feed(data))

    def receive_message(self, data: bytes, *, now_s: float) -> list[Event]:
        """As :meth:`receive`, for one WebSocket message."""
        self.heard_s = now_s
        return self._events(self._reader.feed_message(data))

    def check_time(self, now_s: float) -> list[Event]:
        """Send a heartbeat when it is time; fail when the server has been silent for too long."""
        if self.closed or self.welcome is None:
            return []
        interval_s = max(self.welcome.idle_timeout_ms / 3000, _MIN_HEARTBEAT_S)
        passed_s = now_s - self._beat_s
        # Counted from the last heartbeat and not from what was heard last: after a machine has
        # slept, the server first gets a chance to answer.
        if self._beat_s > self.heard_s and passed_s >= min(_ANSWER_S, interval_s):
            return self._fail(ProtocolError(ErrorCode.IDLE_TIMEOUT))
        if passed_s < interval_s:
            return []
        self._beat_s = now_s
        self._beats += 1
        self.request(PacketType.HEARTBEAT, packets.encode(Heartbeat()))
        return []

    def _next_request_id(self) -> int:
        while True:
            self._last_request_id = self._last_request_id % 0xFFFFFFFF + 1
            if self._last_request_id not in self._pending:
                return self._last_request_id

    def _events(self, frames: list[Frame]) -> list[Event]:
        events: list[Event] = []
        for frame in frames:
            if self.closed:
                return events
            try:
                events += self._event(frame)
            except TinyQQError as error:
                events += self._fail(error)
        if self._reader.error is not None:
            events += self._fail(self._reader.error)
        return events

    def _event(self, frame: Frame) -> list[Event]:
        packet_type, request_id, body = frame
        if packet_type == PacketType.ERROR:
            return self._error(request_id, packets.decode_error(body))
        if packet_type & packets.REPLY_BIT:
            return self._reply(packet_type & ~packets.REPLY_BIT, request_id, body)
        if packet_type not in PUSHES:
            if not packet_type & packets.PUSH_BIT:
                raise ProtocolError(ErrorCode.UNKNOWN_TYPE, type=packet_type)
            self.pushes += 1  # a push that only newer clients know
            return []
        self.pushes += 1
        return [Pushed(PacketType(packet_type), packets.decode_push(packet_type, body))]

    def _error(self, request_id: int, error: TinyQQError) -> list[Event]:
        if not request_id:
            return self._fail(error)
        if self._answered(request_id) is None:
            raise ProtocolError(ErrorCode.BAD_REQUEST_ID, request_id=request_id)
        return [Reply(request_id, error)]

    def _reply(self, request_type: int, request_id: int, body: bytes) -> list[Event]:
        if self._answered(request_id) != request_type:
            raise ProtocolError(ErrorCode.BAD_REQUEST_ID, request_id=request_id)
        record = packets.decode_reply(request_type, body)
        if isinstance(record, Welcome):
            self.welcome = record
        if isinstance(record, Pulse):
            return self._pulse(record)
        return [Reply(request_id, record)]

    def _answered(self, request_id: int) -> int | None:
        """The type of the request that has its answer now; None: there is none."""
        request_type = self._pending.pop(request_id, None)
        self._beats -= request_type == PacketType.HEARTBEAT
        return request_type

    def _pulse(self, pulse: Pulse) -> list[Event]:
        # TCP keeps order, so every push counted in the pulse was written before it.
        missed = pulse.pushes - self.pushes
        self.pushes = pulse.pushes
        return [MissedPushes(missed)] if missed > 0 else []

    def _fail(self, error: TinyQQError) -> list[Event]:
        if self.closed:
            return []
        self.closed = True
        return [Failed(error)]
