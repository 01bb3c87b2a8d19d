"""Records to protobuf and back, by the names of their fields.

A record's dataclass and its protobuf message have the same field names; the pair is compiled once
into two functions. So a new operation needs a message, a dataclass and one line in ``packets.py``.
What the types demand is checked where a request comes in: ids of 16 bytes, numbers that fit 63
bits, known values of enums, lists of a sane length. What a server sent is read as it is, and a
value of an enum that this version does not know becomes the unspecified one: a newer server, or
whoever is behind it, must not be able to break a client.

The hot packets (Entry, Sent) have hand-written functions in ``packets.py``.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Sized
from enum import IntEnum
from typing import Any, Final, Generic, NoReturn, TypeVar

from google.protobuf.message import DecodeError, Message

from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError
from tinyqq.model.ids import OPERATION_ID_BYTES, DeviceId, OperationId

_Record = TypeVar("_Record")
_Message = TypeVar("_Message", bound=Message)
_MAX_INTEGER: Final = 2**63 - 1
MAX_ITEMS: Final = 10_000
"""Longest list in a request: 1 MiB could hold half a million empty items, a second of work."""
_SIXTEEN_BYTES: Final = (OperationId, DeviceId)
_Reader = Callable[[Any], Any]


class Codec(Generic[_Record]):
    """Translates one record class to one protobuf message class and back.

    Args:
        record_class: a frozen dataclass.
        message_class: a generated message with the same field names.
        nested: codecs of the record classes that fields of this one hold.
        strict: whether values outside what their field allows are refused (a server reading
            requests) or taken as they are (a client reading what a server sent).

    Raises:
        TypeError: the two do not have the same fields (found when the module is imported).
    """

    def __init__(
        self,
        record_class: type[_Record],
        message_class: type[Message],
        nested: dict[type[Any], Codec[Any]],
        *,
        strict: bool,
    ) -> None:
        self.record_class = record_class
        self.message_class = message_class
        hints = typing.get_type_hints(record_class)
        descriptors = message_class.DESCRIPTOR.fields_by_name
        names = [field.name for field in dataclasses.fields(record_class)]  # type: ignore[arg-type]
        if set(names) != set(descriptors):
            raise TypeError(f"{record_class.__name__}: {set(names) ^ set(descriptors)}")
        self._fields = [
            _Field(
                name,
                descriptors[name],
                nested.get(_plain(hints[name])),
                read=_reader(name, hints[name], nested, strict=strict),
            )
            for name in names
        ]

    def encode(self, record: _Record) -> bytes:
        """The body of a packet."""
        return self.to_message(record).SerializeToString()

    def decode(self, body: bytes) -> _Record:
        """The record of a body.

        Raises:
            ProtocolError: MALFORMED when the body is not a message of this kind.
            InvalidRequest: a value is outside what its field allows (only when strict); ``field``
                names it.
        """
        return self.from_message(parsed(self.message_class(), body))

    def to_message(self, record: _Record) -> Message:
        """The protobuf message of a record."""
        return self.message_class(
            **{
                field.name: field.write(value)
                for field in self._fields
                if (value := getattr(record, field.name)) is not None
            }
        )

    def from_message(self, message: Message) -> _Record:
        """The record of a protobuf message; raises as :meth:`decode`."""
        return self.record_class(**{field.name: field.read(message) for field in self._fields})


def parsed(message: _Message, body: bytes) -> _Message:
    """*message*, filled from the body of a packet.

    Raises:
        ProtocolError: MALFORMED when the body is not a message of this kind.
    """
    try:
        message.ParseFromString(body)
    except DecodeError as exc:
        raise ProtocolError(ErrorCode.MALFORMED, message=message.DESCRIPTOR.name) from exc
    return message


class _Field:
    """How one field is read and written."""

    __slots__ = ("_has_presence", "_read", "_write", "name")

    def __init__(
        self, name: str, descriptor: Any, codec: Codec[Any] | None, *, read: _Reader
    ) -> None:
        self.name = name
        self._has_presence = descriptor.has_presence
        self._read = read
        write = codec.to_message if codec else None
        self._write: _Reader | None = (
            (lambda many: [write(one) for one in many])
            if descriptor.is_repeated and write
            else write
        )

    def read(self, message: Message) -> Any:
        """The field's value, as the record holds it; None when an optional one is absent."""
        if self._has_presence and not message.HasField(self.name):
            return None
        return self._read(getattr(message, self.name))

    def write(self, value: Any) -> Any:
        """The value as protobuf's constructor takes it."""
        return self._write(value) if self._write else value


def _plain(hint: Any) -> Any:
    """``tuple[X, ...]`` and ``X | None`` stripped down to ``X``."""
    arguments = [one for one in typing.get_args(hint) if one not in (Ellipsis, types.NoneType)]
    if typing.get_origin(hint) in (tuple, types.UnionType, typing.Union):
        return arguments[0]
    return hint


def _reader(name: str, hint: Any, nested: dict[type[Any], Codec[Any]], *, strict: bool) -> _Reader:
    """The function that checks and converts a field's value from the wire."""
    plain = _plain(hint)
    if plain in nested:
        read: _Reader = nested[plain].from_message
    elif isinstance(plain, type) and issubclass(plain, IntEnum):
        read = _enum_reader(name, plain, strict=strict)
    else:
        read = _scalar_reader(name, plain) if strict else _as_it_is
    if typing.get_origin(hint) is not tuple:
        return read
    if strict:
        return lambda many: tuple(map(read, _few(name, many)))
    return lambda many: tuple(map(read, many))


def _enum_reader(name: str, enum: type[IntEnum], *, strict: bool) -> _Reader:
    known = {int(member): member for member in enum}
    if not strict:
        return lambda value: known.get(value, known[0])
    return lambda value: known[value] if value in known else _refuse(name, value=value)


def _scalar_reader(name: str, plain: Any) -> _Reader:
    if plain in _SIXTEEN_BYTES:
        return lambda value: _sixteen_bytes(name, value)
    base = plain
    while isinstance(base, typing.NewType):
        base = base.__supertype__
    return (lambda value: _fits(name, value)) if base is int else _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _few(name: str, many: Sized) -> Any:
    return many if len(many) <= MAX_ITEMS else _refuse(name, items=len(many), max_items=MAX_ITEMS)


def _sixteen_bytes(name: str, value: bytes) -> bytes:
    if len(value) != OPERATION_ID_BYTES:
        _refuse(name, size_bytes=len(value))
    return value


def _fits(name: str, value: int) -> int:
    return value if value <= _MAX_INTEGER else _refuse(name, value=value)


def _refuse(name: str, **facts: int) -> NoReturn:
    raise InvalidRequest(ErrorCode.INVALID_REQUEST, field=name, **facts)
