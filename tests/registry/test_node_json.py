"""A node as JSON."""

from __future__ import annotations

import json

import pytest

from tinyqq.errors import ProtocolError
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.node_json import decode_node, encode_node

NODE = Node(
    UnitId("unit-1"),
    "incarnation",
    frozenset({"proxy", "chat"}),
    "tinyqq://127.0.0.1:7001",
    "http://127.0.0.1:7080",
    "1.0",
    load=0.5,
    sessions=7,
    draining=True,
    writers=(3, 8),
)


def with_changes(**changes: object) -> bytes:
    return json.dumps({**json.loads(encode_node(NODE)), **changes}).encode()


def test_node_when_encoded_and_decoded_then_the_same() -> None:
    assert decode_node(encode_node(NODE)) == NODE


def test_node_when_a_newer_version_adds_fields_then_they_are_left_out() -> None:
    assert decode_node(with_changes(colour="blue")) == NODE


def test_node_when_an_older_version_lacks_fields_then_they_get_their_defaults() -> None:
    fields = json.loads(encode_node(NODE))
    del fields["draining"]
    assert not decode_node(json.dumps(fields).encode()).draining


def test_node_when_a_float_is_written_as_a_whole_number_then_taken() -> None:
    assert decode_node(with_changes(load=1)).load == 1.0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"{}",
        with_changes(sessions="many"),
        with_changes(roles="chat"),
        with_changes(unit_id=None),
    ],
)
def test_node_when_it_is_none_then_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_node(data)
