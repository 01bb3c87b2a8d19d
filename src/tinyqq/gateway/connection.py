"""One client connection: the asyncio shell over ``wire.session``, the same for TCP and WebSocket.

Bytes come in from a carrier, requests go to the desk (``dispatch.py``), output goes back to the
carrier, once per tick. Everything here is synchronous: a connection has no task of its own.

When a client does not read
    Answers are never dropped; instead nothing more is read from it, and no further request is
    begun, while more than ``max_output_bytes`` wait. Pushes are dropped and the client is told
    which conversations to ask for (``missed.py``). A client that takes nothing at all for
    ``stuck_timeout_s`` is closed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.gateway.bucket import Bucket
from tinyqq.gateway.flusher import Flusher
from tinyqq.gateway.missed import Missed
from tinyqq.gateway.policy import Counts, GatewayPolicy
from tinyqq.model.account import Caller, DeviceKind
from tinyqq.model.flights import Flights
from tinyqq.model.ids import ConversationId, Seq, SessionId
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType, push_frame
from tinyqq.wire.session import ServerSession, State


class Carrier(Protocol):
    """What carries a connection's frames: TCP or WebSocket."""

    def peer(self) -> str:
        """The address at the other end: the client's, or that of a proxy before it."""
        ...

    def write(self, frames: list[bytes]) -> None:
        """Write frames, in one system call if the socket takes them."""
        ...

    def buffered_bytes(self) -> int:
        """Bytes written that the socket has not taken yet."""
        ...

    def pause_reading(self) -> None:
        """Bring no more bytes."""
        ...

    def resume_reading(self) -> None:
        """Bring bytes again."""
        ...

    def close(self) -> None:
        """Close after what was written, so that the client can still read it."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class Desk(Protocol):
    """Who deals with a connection's requests."""

    def on_request(self, connection: Connection, frame: Frame) -> None:
        """Take an admitted request; it must be answered through ``connection``."""
        ...

    def on_room(self, connection: Connection) -> None:
        """The client reads again: begin what waited."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What all connections of a gateway have in common."""

    unit_id: str
    agent: str
    clock: Clock
    policy: GatewayPolicy
    counts: Counts
    flusher: Flusher
    desk: Desk
    on_lost: Callable[[Connection], None]


class Connection:
    """See the module's docstring.

    Args:
        address: the client's, for throttling and logs.
    """

    __slots__ = (
        "_carrier",
        "_closing_s",
        "_is_dirty",
        "_is_reading",
        "_progress_s",
        "_shared",
        "_taken_bytes",
        "_written_bytes",
        "accepts_pushes",
        "address",
        "by_proxy",
        "by_stranger",
        "by_websocket",
        "caller",
        "device_kind",
        "flights",
        "is_clogged",
        "is_lost",
        "missed",
        "must_change_password",
        "request_bucket",
        "running",
        "send_bucket",
        "session",
        "session_id",
        "waiting",
    )

    def __init__(self, *, shared: Shared, carrier: Carrier, address: str) -> None:
        now_s = shared.clock.monotonic()
        self.session = ServerSession(
            limits=shared.policy.limits, unit_id=shared.unit_id, agent=shared.agent, now_s=now_s
        )
        self.address = address
        self.by_proxy = carrier.peer() != address
        self.by_stranger = False
        """Whether a page of another site opened it: who has a token comes in, and nobody else."""
        self.by_websocket = False
        self.caller: Caller | None = None
        """Set when the log-in has been checked, before the session is open."""
        self.session_id = SessionId(0)
        self.device_kind = DeviceKind.UNSPECIFIED
        self.must_change_password = False
        self.accepts_pushes = False
        self.is_clogged = False
        """Whether the client does not take what is written."""
        self.is_lost = False
        self.running = 0
        """Requests that are being worked on."""
        self.waiting: deque[Frame] | None = None
        """Requests that wait for their turn; nothing is read meanwhile."""
        self.flights: Flights[ConversationId] | None = None
        self.missed: Missed | None = None
        self.request_bucket: Bucket | None = None
        self.send_bucket: Bucket | None = None
        self._shared = shared
        self._carrier = carrier
        self._is_dirty = False
        self._is_reading = True
        self._closing_s = 0.0
        self._progress_s = 0.0
        self._taken_bytes = 0
        self._written_bytes = 0

    # ---- in --------------------------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        """Bytes of a stream."""
        if self.session.state is State.CLOSED:
            return
        shared = self._shared
        shared.counts.input_bytes += len(data)
        clock = shared.clock
        self.admit(self.session.receive(data, now_s=clock.monotonic(), now_ms=clock.now_ms()))

    def received_message(self, data: bytes) -> None:
        """One binary message of a WebSocket."""
        if self.session.state is State.CLOSED:
            return
        shared = self._shared
        shared.counts.input_bytes += len(data)
        clock = shared.clock
        self.admit(
            self.session.receive_message(data, now_s=clock.monotonic(), now_ms=clock.now_ms())
        )

    def identify(self, caller: Caller, device_kind: DeviceKind) -> None:
        """The log-in has been checked: whose session this will be."""
        self.caller = caller
        self.session_id = caller.session_id
        self.device_kind = device_kind

    def admit(self, frames: list[Frame]) -> None:
        """Requests to deal with, in this order."""
        on_request = self._shared.desk.on_request
        for frame in frames:
            on_request(self, frame)
        self.touch()

    def lost(self) -> None:
        """The carrier is gone."""
        if not self.is_lost:
            self.is_lost = True
            self.accepts_pushes = False
            self.waiting = None
            self.session.close()
            self.session.take_output()
            self._shared.on_lost(self)

    # ---- out -------------------------------------------------------------------------------------

    def touch(self) -> None:
        """Output or state may have changed: see to both at the end of this tick."""
        session = self.session
        if not self._is_dirty and (session.output_bytes or session.state is State.CLOSED):
            self._is_dirty = True
            self._shared.flusher.add(self)
        if session.is_authenticating or self.waiting or self.is_clogged or not self._is_reading:
            self._mind_reading()

    def push(self, conversation_id: ConversationId, seq: Seq, frame: bytes) -> None:
        """Put an entry on the session, or drop it and note that it was missed."""
        if not self.accepts_pushes:
            return
        session = self.session
        missed = self.missed
        if (
            self.is_clogged
            or session.output_bytes > self._shared.policy.max_output_bytes
            or (missed is not None and conversation_id in missed)
        ):
            self.miss(conversation_id, seq)
            return
        session.push(frame)
        if not self._is_dirty:
            self._is_dirty = True
            self._shared.flusher.add(self)

    def hint(self, frame: bytes) -> None:
        """Put a push on the session that may be lost."""
        if not self.accepts_pushes:
            return
        if self.is_full():
            self._shared.counts.dropped_pushes += 1
            return
        self.session.push(frame)
        self.touch()

    def miss(self, conversation_id: ConversationId, seq: Seq) -> None:
        """Note that the client must ask for this entry; it is told within about a second."""
        if not self.accepts_pushes:
            return
        counts = self._shared.counts
        counts.dropped_pushes += 1
        if self.missed is None:
            if "pull-mode" not in self.session.capabilities:
                self.fail(Unavailable(ErrorCode.BUSY, reason="slow reader"))
                return
            self.missed = Missed()
        if not self.missed:
            counts.pull_modes += 1
        self.missed.note(conversation_id, seq)
        if len(self.missed) > self._shared.policy.max_missed_conversations:
            self.fail(Unavailable(ErrorCode.BUSY, reason="too much missed"))

    def reply_error(self, request_id: int, error: TinyQQError) -> None:
        """Answer an admitted request with an error."""
        self._shared.counts.refusals += 1
        self.session.reply_error(request_id, error)
        self.touch()

    def fail(self, error: TinyQQError) -> None:
        """Say why, and close."""
        self.session.fail(error)
        self.touch()

    def end(self, last_frame: bytes = b"") -> None:
        """Close, with a last push if there is one."""
        if self.session.state is not State.CLOSED:
            self.session.close(last_frame)
            self.touch()

    def drain(self, frame: bytes) -> None:
        """Tell the client to go away; it is still answered."""
        if self.session.state is State.CLOSED:
            return
        self.session.drain(frame)
        self.touch()

    def flush(self) -> None:
        """Write the output; close when the session is over."""
        self._is_dirty = False
        if self.is_lost or self._closing_s:
            return
        session = self.session
        counts = self._shared.counts
        output_bytes = session.output_bytes
        if output_bytes:
            self._written_bytes += output_bytes
            counts.output_bytes += output_bytes
            counts.writes += 1
            self._carrier.write(session.take_output())
        if session.state is State.CLOSED:
            self._closing_s = self._shared.clock.monotonic()
            self._carrier.close()
        elif self.waiting:
            self._shared.desk.on_room(self)

    def abort(self) -> None:
        """Close at once, whatever waits."""
        self._carrier.abort()

    # ---- flow ------------------------------------------------------------------------------------

    def writing_paused(self) -> None:
        """The carrier holds more than the bound."""
        self.is_clogged = True
        self._progress_s = self._shared.clock.monotonic()
        self._taken_bytes = self._written_bytes - self._carrier.buffered_bytes()
        self.touch()

    def writing_resumed(self) -> None:
        """The carrier has room again."""
        self.is_clogged = False
        # While nothing was read from the client, nothing could be heard of it.
        self.session.heard_s = self._shared.clock.monotonic()
        if not self.is_lost:
            self._shared.desk.on_room(self)
            self.touch()

    def sweep(self, now_s: float) -> None:
        """The periodic look: deadlines, and what a client in pull mode must be told."""
        if self.is_lost:
            return
        if self._closing_s:
            if now_s - self._closing_s > self._shared.policy.close_timeout_s:
                self._carrier.abort()
            return
        if self.is_clogged:
            self._check_progress(now_s)
        else:
            self.session.check_time(now_s)
            if self.missed is not None and not self.is_full():
                hint = self.missed.take_hint()
                if hint is not None:
                    self.session.push(push_frame(PacketType.HEAD_HINT, hint))
        self.touch()

    def _check_progress(self, now_s: float) -> None:
        taken_bytes = self._written_bytes - self._carrier.buffered_bytes()
        if taken_bytes > self._taken_bytes:
            self._taken_bytes = taken_bytes
            self._progress_s = now_s
        elif now_s - self._progress_s > self._shared.policy.stuck_timeout_s:
            self._shared.counts.stuck += 1
            self._closing_s = now_s
            # No last word: it would only wait behind everything else.
            self.session.close()
            self._carrier.abort()

    def is_full(self) -> bool:
        """Whether enough waits to be written that nothing should be added without need."""
        return self.is_clogged or self.session.output_bytes > self._shared.policy.max_output_bytes

    def _mind_reading(self) -> None:
        wanted = self.session.state is State.CLOSED or not (
            self.session.is_authenticating or self.waiting or self.is_clogged
        )
        if wanted != self._is_reading and not self.is_lost:
            self._is_reading = wanted
            if wanted:
                self._carrier.resume_reading()
            else:
                self._carrier.pause_reading()
