"""Hand-made frames: what a load generator can send and read without building a message each time.

A Send is packed by one struct call from bytes that were made once; of what comes back only the
header is read, and the number of a message at a place that is known beforehand.
"""

from __future__ import annotations

import struct
from typing import Final

from tinyqq.model.ids import OPERATION_ID_BYTES, ConversationId, OperationId
from tinyqq.model.message import Content, Kind
from tinyqq.wire import packets
from tinyqq.wire.content import encode_content
from tinyqq.wire.framing import HEADER_BYTES
from tinyqq.wire.packets import REPLY_BIT, PacketType, SendFields

SEND: Final = int(PacketType.SEND)
SENT: Final = SEND | REPLY_BIT
DELIVER: Final = int(PacketType.DELIVER)
ERROR: Final = int(PacketType.ERROR)

SALT_BYTES: Final = OPERATION_ID_BYTES - 8
_PLACE: Final = OperationId(b"\xa5\x5a" * 8)
NUMBER: Final = struct.Struct(">Q")


class SendTemplate:
    """Sends of one text to one conversation; each has a number, which is the tail of its client id.

    Args:
        conversation_id: where to.
        text_bytes: length of the (ASCII) text.
        salt: the first half of every client id, different for every run against one log.
    """

    __slots__ = ("_body_bytes", "_pack", "_prefix", "_salt", "_suffix", "number_at")

    def __init__(self, conversation_id: ConversationId, *, text_bytes: int, salt: bytes) -> None:
        if len(salt) != SALT_BYTES:
            raise ValueError(f"a salt has {SALT_BYTES} bytes")
        body = packets.encode_send(
            SendFields(
                conversation_id,
                _PLACE,
                Kind.TEXT,
                encode_content(Content(text="x" * text_bytes)),
                0,
            )
        )
        before, _, behind = body.partition(_PLACE)
        self._body_bytes = len(body)
        self._prefix = before
        self._salt = salt
        self._suffix = behind
        self._pack = struct.Struct(f">IHI{len(before)}s{SALT_BYTES}sQ{len(behind)}s").pack
        self.number_at = HEADER_BYTES + len(before) + SALT_BYTES
        """Where a Deliver's frame holds the number: its fields stand in the order of their
        numbers, and those before it are the Send's."""

    def frame(self, request_id: int, number: int) -> bytes:
        """The frame of one Send."""
        return self._pack(
            self._body_bytes, SEND, request_id, self._prefix, self._salt, number, self._suffix
        )
