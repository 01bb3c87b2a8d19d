"""Connections over a carrier that a test looks into, without sockets."""

from __future__ import annotations

from typing import Any, Final

from tests.support.wire import HELLO, decode, frame, parse

from tinyqq.gateway.connection import Connection, Shared
from tinyqq.gateway.flusher import Flusher
from tinyqq.gateway.policy import Counts, GatewayPolicy
from tinyqq.model.account import Caller, DeviceKind, LogIn
from tinyqq.model.connection import Hello
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType

SMALL: Final = GatewayPolicy(
    max_output_bytes=1_000,
    max_missed_conversations=3,
    max_running=2,
    stuck_timeout_s=30.0,
    close_timeout_s=3.0,
)


class FakeCarrier:
    """Implements ``gateway.connection.Carrier``: takes everything, says nothing."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.buffered = 0
        self.is_reading = True
        self.is_closed = False
        self.is_aborted = False

    def peer(self) -> str:
        return "192.0.2.1"

    def write(self, frames: list[bytes]) -> None:
        self.writes.append(b"".join(frames))

    def buffered_bytes(self) -> int:
        return self.buffered

    def pause_reading(self) -> None:
        assert self.is_reading
        self.is_reading = False

    def resume_reading(self) -> None:
        assert not self.is_reading
        self.is_reading = True

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def packets(self) -> list[tuple[int, int, Any]]:
        """What was written since the last look."""
        written, self.writes = b"".join(self.writes), []
        return [decode(one) for one in parse(written)]


class FakeDesk:
    """Implements ``gateway.connection.Desk``: keeps what came."""

    def __init__(self) -> None:
        self.requests: list[Frame] = []
        self.rooms = 0

    def on_request(self, connection: Connection, frame: Frame) -> None:
        self.requests.append(frame)

    def on_room(self, connection: Connection) -> None:
        self.rooms += 1


class Bench:
    """Everything that connections share, in the hands of a test."""

    def __init__(self, policy: GatewayPolicy = SMALL) -> None:
        self.clock = FakeClock()
        self.desk = FakeDesk()
        self.counts = Counts()
        self.lost: list[Connection] = []
        self._scheduled: list[Any] = []
        self.flusher = Flusher(call_soon=self._scheduled.append)
        self.shared = Shared(
            unit_id="unit-1",
            agent="test/1",
            clock=self.clock,
            policy=policy,
            counts=self.counts,
            flusher=self.flusher,
            desk=self.desk,
            on_lost=self.lost.append,
        )

    def tick(self) -> None:
        """Let the tick of the event loop end."""
        scheduled, self._scheduled[:] = list(self._scheduled), []
        for call in scheduled:
            call()

    def connect(self) -> tuple[Connection, FakeCarrier]:
        """A connection that has said nothing yet."""
        carrier = FakeCarrier()
        return Connection(shared=self.shared, carrier=carrier, address="192.0.2.1"), carrier

    def open(
        self,
        user_id: UserId,
        *,
        session_id: int = 1,
        kind: DeviceKind = DeviceKind.CLI,
        device: int = 0,
        hello: bytes = b"",
    ) -> tuple[Connection, FakeCarrier]:
        """A connection that is logged in and accepts pushes."""
        connection, carrier = self.connect()
        device_id = DeviceId(device.to_bytes(16, "big"))
        capable = Hello(1, 1, ("pull-mode",), "test/1")
        connection.received(hello or frame(PacketType.HELLO, 1, capable))
        log_in = LogIn(user_id, "", device_id, kind)
        connection.received(frame(PacketType.LOG_IN, 2, log_in))
        caller = Caller(user_id, device_id, SessionId(session_id))
        connection.identify(caller, kind)
        connection.session.reply(PacketType.LOG_IN, 2, b"")
        connection.admit(connection.session.log_in_finished(caller, now_ms=0))
        connection.accepts_pushes = True
        self.tick()
        self.desk.requests.clear()
        carrier.packets()
        return connection, carrier


PLAIN_HELLO: Final = HELLO
"""A hello without capabilities."""
