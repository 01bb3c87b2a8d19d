"""A peer for the server's session: bytes in, decoded packets out."""

from __future__ import annotations

from typing import Any, Final

from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.connection import Hello, Limits
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.wire import packets
from tinyqq.wire.framing import Frame, FrameReader, encode_frame
from tinyqq.wire.packets import PUSHES, REPLY_BIT, PacketType
from tinyqq.wire.session import ServerSession, State

NOW_MS: Final = 1_700_000_000_000
CALLER: Final = Caller(UserId(10_001), DeviceId(bytes(16)), SessionId(7))

Sent = tuple[int, int, Any]
"""A packet that the server sent: type, request id, record or error."""


def frame(packet_type: int, request_id: int, body: object = b"") -> bytes:
    """The bytes of a packet; the body as bytes or as the record to encode."""
    raw = body if isinstance(body, bytes) else packets.encode(body)
    return encode_frame(packet_type, request_id, raw)


HELLO: Final = frame(PacketType.HELLO, 1, Hello(1, 1, (), "test/1"))


def parse(data: bytes) -> list[Frame]:
    """The frames of a piece of stream that is whole."""
    reader = FrameReader(max_body_bytes=2**32)
    frames = reader.feed(data)
    assert not reader.held_bytes
    return frames


def decode(packet: Frame) -> Sent:
    """What the server said, decoded as a client would."""
    record: Any
    if packet.type == PacketType.ERROR:
        record = packets.decode_error(packet.body)
    elif packet.type in PUSHES:
        record = packets.decode_push(packet.type, packet.body)
    else:
        record = packets.decode_reply(packet.type & ~REPLY_BIT, packet.body)
    return packet.type, packet.request_id, record


def code_of(error: object) -> ErrorCode:
    """The code of what must be an error."""
    assert isinstance(error, TinyQQError)
    return error.code


class Peer:
    """A server's session with a clock and a decoder of its output."""

    def __init__(self, limits: Limits) -> None:
        self.now_s = 1_000.0
        self.session = ServerSession(
            limits=limits, unit_id="unit-1", agent="tinyqq/test", now_s=self.now_s
        )

    def receive(self, data: bytes) -> list[Frame]:
        """Bytes from the client; returns what the gateway must deal with."""
        return self.session.receive(data, now_s=self.now_s, now_ms=NOW_MS)

    def finish_log_in(self, caller: Caller | None) -> list[Frame]:
        """Answer the log-in that is being checked."""
        self.session.reply(PacketType.LOG_IN, 2, b"")
        return self.session.log_in_finished(caller, now_ms=NOW_MS)

    def pass_time(self, seconds: float) -> None:
        """Let time pass and the session look at it."""
        self.now_s += seconds
        self.session.check_time(self.now_s)

    def sent(self) -> list[Sent]:
        """What the server has said since the last call."""
        return [decode(packet) for packet in parse(b"".join(self.session.take_output()))]

    def last_words(self) -> ErrorCode:
        """The code of the Error about the connection that the server closed with."""
        packet_type, request_id, error = self.sent()[-1]
        assert (packet_type, request_id) == (PacketType.ERROR, 0)
        assert self.session.state is State.CLOSED
        return code_of(error)


def open_session(limits: Limits) -> Peer:
    """A peer that has said hello and is logged in."""
    peer = Peer(limits)
    peer.receive(HELLO + frame(PacketType.LOG_IN, 2))
    peer.finish_log_in(CALLER)
    peer.sent()
    return peer
