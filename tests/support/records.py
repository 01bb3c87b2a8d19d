"""Hypothesis strategies for every record that packets carry, made from the records' types."""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import IntEnum
from typing import Any, Final

from hypothesis import strategies as st

from tinyqq._pb import client_pb2, content_pb2
from tinyqq.model.ids import OPERATION_ID_BYTES, DeviceId, OperationId
from tinyqq.model.message import Entry
from tinyqq.wire.packets import OPERATIONS, PUSHES

RECORDS: Final[tuple[type[Any], ...]] = tuple(
    dict.fromkeys(
        [one for operation in OPERATIONS.values() for one in operation] + [*PUSHES.values()]
    )
)
"""Every record class that is the body of a packet."""


def records(record_class: type[Any]) -> st.SearchStrategy[Any]:
    """Records of one class with any values that their fields allow."""
    hints = typing.get_type_hints(record_class)
    if record_class is Entry:
        return st.builds(Entry, **{name: _entry_field(name, hints[name]) for name in hints})
    widths = _widths(record_class)
    names = [field.name for field in dataclasses.fields(record_class)]
    return st.builds(
        record_class, **{name: _values(hints[name], widths.get(name, 63)) for name in names}
    )


def _entry_field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    return st.integers(0, 2**32 - 1) if name == "kind" else _values(hint, 63)


def _widths(record_class: type[Any]) -> dict[str, int]:
    """How many bits the protobuf field of each number has."""
    module = client_pb2 if hasattr(client_pb2, record_class.__name__) else content_pb2
    descriptor = getattr(module, record_class.__name__).DESCRIPTOR
    return {
        field.name: 32 if field.type == field.TYPE_UINT32 else 63 for field in descriptor.fields
    }


def _values(hint: Any, bits: int) -> st.SearchStrategy[Any]:
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return st.lists(_values(arguments[0], bits), max_size=4).map(tuple)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        [plain] = [one for one in arguments if one is not types.NoneType]
        return st.none() | _values(plain, bits)
    if hint in (OperationId, DeviceId):
        return st.binary(min_size=OPERATION_ID_BYTES, max_size=OPERATION_ID_BYTES)
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return st.sampled_from(hint)
    return _plain_values(hint, bits)


def _plain_values(hint: type[Any], bits: int) -> st.SearchStrategy[Any]:
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(0, 2**bits - 1)
    if hint is str:
        return st.text(max_size=20)
    return st.binary(max_size=40) if hint is bytes else records(hint)
