"""Bytes for the vectors, made without the code that the vectors test."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

_SIXTEEN: Final = bytes(range(16))
_IDS: Final = frozenset({"operation_id", "device_id", "client_message_id"})


def frame(packet_type: int, request_id: int, body: bytes = b"") -> bytes:
    """A packet: length of the body, type, request id, all big-endian; then the body."""
    header = (len(body), 4), (packet_type, 2), (request_id, 4)
    return b"".join(number.to_bytes(size, "big") for number, size in header) + body


def sample(message_class: type[Message]) -> Message:
    """A message with a telling value in every field."""
    message = message_class()
    for field in message.DESCRIPTOR.fields:
        _fill(message, field)
    return message


def _fill(message: Message, field: Any) -> None:
    target: Any = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        target["limit"] = "10"
    elif field.message_type is not None:
        (target.add() if field.is_repeated else target).CopyFrom(
            sample(GetMessageClass(field.message_type))
        )
    elif field.is_repeated:
        target.extend([_value(field), _value(field)])
    else:
        setattr(message, field.name, _value(field))


def _value(field: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_STRING:
        return f"{field.name} 文"
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _SIXTEEN if field.name in _IDS else b"\x00\xff"
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.enum_type is not None:
        return field.enum_type.values[-1].number
    bits = 31 if field.type == FieldDescriptor.TYPE_UINT32 else 52
    return 2**bits + field.number
