from __future__ import annotations

import pytest

from tinyqq.lab.frames import NUMBER, SEND, SendTemplate
from tinyqq.model.ids import Seq, UserId, direct_conversation
from tinyqq.model.message import Entry, Kind
from tinyqq.wire import packets
from tinyqq.wire.content import decode_content
from tinyqq.wire.framing import Frame, FrameReader, encode_frame

CONVERSATION = direct_conversation(UserId(10001), UserId(10002))
SALT = b"saltsalt"


@pytest.fixture
def template() -> SendTemplate:
    return SendTemplate(CONVERSATION, text_bytes=100, salt=SALT)


def read(data: bytes) -> Frame:
    (frame,) = FrameReader().feed(data)
    return frame


def test_frame_when_read_by_the_real_parser_then_the_send_it_says(template: SendTemplate) -> None:
    frame = read(template.frame(7, 300))
    fields = packets.decode_send(frame.body)
    assert (frame.type, frame.request_id) == (SEND, 7)
    assert (fields.conversation_id, fields.kind) == (CONVERSATION, Kind.TEXT)
    assert fields.client_message_id == SALT + (300).to_bytes(8, "big")
    assert len(decode_content(fields.content).text) == 100


def test_frame_when_packed_then_the_bytes_of_the_real_encoder(template: SendTemplate) -> None:
    frame = template.frame(9, 1)
    assert frame == encode_frame(
        SEND, 9, packets.encode_send(packets.decode_send(read(frame).body))
    )


@pytest.mark.parametrize("number", [0, 1, 2**64 - 1])
def test_number_when_delivered_then_found_at_its_place(template: SendTemplate, number: int) -> None:
    raw = read(template.frame(1, number)).body
    sent = packets.decode_send(raw)
    entry = Entry(
        CONVERSATION, Seq(5), 5, UserId(10001), sent.client_message_id, 1, Kind.TEXT, sent.content
    )
    deliver = encode_frame(packets.PacketType.DELIVER, 0, packets.encode_entry(entry))
    assert NUMBER.unpack_from(deliver, template.number_at) == (number,)


def test_salt_when_of_a_wrong_length_then_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        SendTemplate(CONVERSATION, text_bytes=1, salt=b"short")
