"""A node as JSON, as it lies in ZooKeeper. Nodes of other versions are read as well as can be."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, Final, get_origin, get_type_hints

from tinyqq.errors import ErrorCode, ProtocolError
from tinyqq.ports.registry import Node


def encode_node(node: Node) -> bytes:
    """All fields, sorted by name: equal nodes give equal bytes."""
    fields = {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}
    return json.dumps(fields, sort_keys=True, default=sorted).encode()


def decode_node(data: bytes) -> Node:
    """The node. Fields that this version does not know are left out; those that the other does not
    know get their defaults.

    Raises:
        ProtocolError: MALFORMED; no node lies here.
    """
    try:
        given = json.loads(data)
        fields = {
            field.name: given[field.name]
            for field in dataclasses.fields(Node)
            if field.name in given
        }
        for name, value in fields.items():
            if isinstance(value, list):
                fields[name] = _LISTS[_KINDS[name]](value)
        node = Node(**fields)
        _check(node)
    except (ValueError, TypeError, KeyError) as exc:
        raise ProtocolError(ErrorCode.MALFORMED, wrong="a node in the registry") from exc
    return node


def _check(node: Node) -> None:
    for name, kind in _KINDS.items():
        value = getattr(node, name)
        if not isinstance(value, (int, float) if kind is float else kind):
            raise TypeError(name)


def _plain(hint: Any) -> type:
    """``UnitId`` → ``str``, ``frozenset[str]`` → ``frozenset``."""
    hint = getattr(hint, "__supertype__", hint)
    plain: type = get_origin(hint) or hint
    return plain


_KINDS: Final = {name: _plain(hint) for name, hint in get_type_hints(Node).items()}
_LISTS: Final[dict[type, Callable[[list[Any]], Any]]] = {
    frozenset: lambda items: frozenset(map(str, items)),
    tuple: lambda items: tuple(map(int, items)),
}
