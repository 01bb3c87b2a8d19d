"""Every record comes back as it went, through bytes that protobuf itself understands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.records import RECORDS, records

from tinyqq.errors import TinyQQError
from tinyqq.model.message import Content, Notice
from tinyqq.wire import packets
from tinyqq.wire.content import decode_content, decode_notice, encode_content, encode_notice
from tinyqq.wire.packets import OPERATIONS, PUSHES, PacketType


@pytest.mark.parametrize("packet_type", OPERATIONS)
@given(data=st.data())
@settings(max_examples=20)
def test_request_when_encoded_then_it_comes_back(packet_type: PacketType, data: Any) -> None:
    record = data.draw(records(OPERATIONS[packet_type].request))
    assert packets.decode_request(packet_type, packets.encode(record)) == record


@pytest.mark.parametrize("packet_type", OPERATIONS)
@given(data=st.data())
@settings(max_examples=20)
def test_reply_when_encoded_then_it_comes_back(packet_type: PacketType, data: Any) -> None:
    record = data.draw(records(OPERATIONS[packet_type].reply))
    assert packets.decode_reply(packet_type, packets.encode(record)) == record


@pytest.mark.parametrize("packet_type", PUSHES)
@given(data=st.data())
@settings(max_examples=20)
def test_push_when_encoded_then_it_comes_back(packet_type: PacketType, data: Any) -> None:
    record = data.draw(records(PUSHES[packet_type]))
    assert packets.decode_push(packet_type, packets.encode(record)) == record


@given(records(Content), records(Notice))
@settings(max_examples=50)
def test_body_when_encoded_then_it_comes_back(content: Content, notice: Notice) -> None:
    assert decode_content(encode_content(content)) == content
    assert decode_notice(encode_notice(notice)) == notice


@pytest.mark.parametrize("packet_type", OPERATIONS)
@given(body=st.binary(max_size=60))
@settings(max_examples=30)
def test_decode_when_any_bytes_then_a_record_or_an_error_of_ours(
    packet_type: PacketType, body: bytes
) -> None:
    for decode in (packets.decode_request, packets.decode_reply):
        try:
            record = decode(packet_type, body)
        except TinyQQError:
            continue
        assert isinstance(record, RECORDS)
