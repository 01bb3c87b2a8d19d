"""Frames: a fixed header and a body. Any chunking of the bytes gives the same frames.

::

    0               4       6               10
    +---------------+-------+---------------+----------- - -
    | length (u32)  | type  | request id    | body
    |  of the body  | (u16) | (u32)         | (length bytes)
    +---------------+-------+---------------+----------- - -

All numbers are big-endian. Over WebSocket one binary message holds exactly one frame, header
included.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

from tinyqq.errors import ErrorCode, ProtocolError

HEADER: Final = struct.Struct(">IHI")
HEADER_BYTES: Final = HEADER.size
DEFAULT_MAX_BODY_BYTES: Final = 1024 * 1024
_PROXY_STARTS: Final = frozenset({b"PROX", b"\r\n\r\n"})
"""Where a frame has its length. Who set up the proxy should not have to guess."""


class Frame(NamedTuple):
    """One packet as it stands on the wire. ``type`` is a PacketType's number, checked by the
    session."""

    type: int
    request_id: int
    body: bytes


def encode_frame(packet_type: int, request_id: int, body: bytes) -> bytes:
    """The bytes of one frame."""
    return HEADER.pack(len(body), packet_type, request_id) + body


class FrameReader:
    """Cuts a stream of bytes into frames.

    Keeps at most one unfinished frame, so at most ``max_body_bytes`` and a header, whatever comes.
    ``error`` is set, for good, when the stream cannot be cut any further; the frames before the
    fault are still returned, so that the result does not depend on the chunking.
    """

    __slots__ = ("_held", "_needed", "error", "max_body_bytes")

    def __init__(self, *, max_body_bytes: int = DEFAULT_MAX_BODY_BYTES) -> None:
        self.max_body_bytes = max_body_bytes
        self.error: ProtocolError | None = None
        self._held: bytearray | None = None
        self._needed = HEADER_BYTES

    @property
    def held_bytes(self) -> int:
        """Bytes of the unfinished frame that is held."""
        return len(self._held) if self._held else 0

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that *data* completes, in order; then look at ``error``.

        ``error`` becomes FRAME_TOO_LARGE when a header announces more than ``max_body_bytes``.
        """
        if self.error is not None:
            return []
        if self._held is not None:
            self._held += data
            if len(self._held) < self._needed:
                return []  # no copying per chunk: a slow sender costs linear time
            data = bytes(self._held)
            self._held = None
        frames: list[Frame] = []
        position, end = 0, len(data)
        needed = HEADER_BYTES
        unpack = HEADER.unpack_from
        while end - position >= HEADER_BYTES:
            length, packet_type, request_id = unpack(data, position)
            if length > self.max_body_bytes:
                self.error = _too_large(length, self.max_body_bytes)
                return frames
            body_at = position + HEADER_BYTES
            if end - body_at < length:
                needed = HEADER_BYTES + length
                break
            position = body_at + length
            frames.append(Frame(packet_type, request_id, data[body_at:position]))
        if position < end:
            self._held = bytearray(data[position:])
            self._needed = needed
        return frames

    def feed_message(self, data: bytes) -> list[Frame]:
        """The one frame that a WebSocket message holds; then look at ``error``.

        ``error`` becomes FRAME_TOO_LARGE, or MALFORMED when the message is not exactly one frame.
        """
        if self.error is not None:
            return []
        if len(data) < HEADER_BYTES:
            self.error = ProtocolError(ErrorCode.MALFORMED, reason="message shorter than a header")
            return []
        length, packet_type, request_id = HEADER.unpack_from(data)
        if length > self.max_body_bytes:
            self.error = _too_large(length, self.max_body_bytes)
            return []
        if len(data) != HEADER_BYTES + length:
            self.error = ProtocolError(ErrorCode.MALFORMED, reason="not exactly one frame")
            return []
        return [Frame(packet_type, request_id, data[HEADER_BYTES:])]


def _too_large(size_bytes: int, max_bytes: int) -> ProtocolError:
    told: dict[str, Any] = {}
    if size_bytes.to_bytes(4, "big") in _PROXY_STARTS:
        told["reason"] = "a PROXY header, from an address that is not a trusted proxy"
    return ProtocolError(
        ErrorCode.FRAME_TOO_LARGE, size_bytes=size_bytes, max_bytes=max_bytes, **told
    )
