from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest

from tinyqq._pb import client_pb2 as pb
from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError, Unavailable, error_for
from tinyqq.model.account import DeviceKind, KickReason, LogIn
from tinyqq.model.connection import Done, Kicked, Pulse
from tinyqq.model.group import GroupInfo, JoinPolicy, Role
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, UserId
from tinyqq.model.message import Entry, Kind, Sent
from tinyqq.model.sync import Page
from tinyqq.wire import packets
from tinyqq.wire.framing import HEADER
from tinyqq.wire.packets import (
    BEFORE_LOG_IN,
    ONE_WAY,
    OPERATIONS,
    PUSH_BIT,
    PUSHES,
    REPLY_BIT,
    PacketType,
    SendFields,
)

SEND = SendFields(
    ConversationId(10_001 << 32 | 10_002), OperationId(bytes(range(16))), 1, b"\n\0", 3
)
ENTRY = Entry(
    SEND.conversation_id, Seq(7), 5, UserId(10_001), SEND.client_message_id, 1_000, 1, SEND.content
)
NOT_A_MESSAGE = b"\x0a\xff"
UNKNOWN: Any = 77
"""A value of an enum that nobody knows."""


def test_packet_types_when_listed_then_each_is_request_push_or_error() -> None:
    assert len(PacketType.__members__) == len(PacketType)
    assert {*OPERATIONS, *PUSHES, PacketType.ERROR} == set(PacketType)
    assert all(0 < request < PUSH_BIT for request in OPERATIONS)
    assert all(PUSH_BIT < push < REPLY_BIT for push in PUSHES)
    assert set(OPERATIONS) > ONE_WAY | BEFORE_LOG_IN


@pytest.mark.parametrize(
    ("enum", "generated"),
    [
        (DeviceKind, pb.DeviceKind),
        (KickReason, pb.KickReason),
        (Role, pb.Role),
        (JoinPolicy, pb.JoinPolicy),
    ],
)
def test_enums_when_compared_with_protobuf_then_the_same(
    enum: type[IntEnum], generated: Any
) -> None:
    prefix = "".join("_" + char if char.isupper() else char for char in enum.__name__)[1:].upper()
    assert {f"{prefix}_{one.name}": one.value for one in enum} == dict(generated.items())


@pytest.mark.parametrize("packet_type", OPERATIONS)
def test_decode_request_when_bytes_are_no_message_then_malformed(packet_type: PacketType) -> None:
    for decode in (packets.decode_request, packets.decode_reply):
        with pytest.raises(ProtocolError):
            decode(packet_type, NOT_A_MESSAGE)


@pytest.mark.parametrize("packet_type", PUSHES)
def test_decode_push_when_bytes_are_no_message_then_malformed(packet_type: PacketType) -> None:
    with pytest.raises(ProtocolError):
        packets.decode_push(packet_type, NOT_A_MESSAGE)


def test_decode_request_when_log_in_by_unknown_kind_of_device_then_refused() -> None:
    body = pb.LogIn(device_id=bytes(16), device_kind=UNKNOWN).SerializeToString()
    with pytest.raises(InvalidRequest, match="field=device_kind"):
        packets.decode_request(PacketType.LOG_IN, body)


def test_decode_request_when_log_in_then_its_record() -> None:
    record = LogIn(UserId(1), "secret", DeviceId(bytes(16)), DeviceKind.CLI, "laptop")
    assert packets.decode_request(PacketType.LOG_IN, packets.encode(record)) == record


def test_decode_reply_when_the_server_is_newer_then_unspecified() -> None:
    body = pb.GroupInfo(group_id=2**64 - 1, role=UNKNOWN, join_policy=UNKNOWN).SerializeToString()
    record: GroupInfo = packets.decode_reply(PacketType.GET_GROUP, body)
    assert (record.role, record.join_policy) == (Role.UNSPECIFIED, JoinPolicy.UNSPECIFIED)


def test_decode_push_when_the_server_is_newer_then_unspecified() -> None:
    body = pb.Kicked(reason=UNKNOWN).SerializeToString()
    assert packets.decode_push(PacketType.KICKED, body) == Kicked(KickReason.UNSPECIFIED)


# ---- the hot packets -----------------------------------------------------------------------------


def test_decode_send_when_encoded_then_the_same_fields() -> None:
    assert packets.decode_send(packets.encode_send(SEND)) == SEND


def test_decode_send_when_a_field_comes_twice_then_the_last_counts() -> None:
    first = packets.encode_send(SEND._replace(kind=2, content=b"first", flight=9))
    assert packets.decode_send(first + packets.encode_send(SEND)) == SEND


def test_decode_send_when_bytes_are_no_message_then_malformed() -> None:
    with pytest.raises(ProtocolError, match="MALFORMED"):
        packets.decode_send(NOT_A_MESSAGE)


def test_encode_sent_when_read_then_seq_ordinal_and_time() -> None:
    body = packets.encode_sent(7, 5, 1_000)
    assert packets.decode_reply(PacketType.SEND, body) == Sent(Seq(7), 5, 1_000)
    assert body == packets.encode(Sent(Seq(7), 5, 1_000))


def test_encode_entry_when_read_then_the_entry() -> None:
    body = packets.encode_entry(ENTRY)
    assert packets.decode_push(PacketType.DELIVER, body) == ENTRY
    assert packets.decode_entry(body) == ENTRY


@pytest.mark.parametrize(
    "forged",
    [
        pb.Entry(seq=99, ordinal=99, sender_id=99, sent_at_ms=99, through_seq=99),
        b"".join(bytes([number << 3]) + b"\x63" for number in range(8, 13)),
        b"".join(bytes([number << 3 | 2]) + b"\x01x" for number in range(8, 13)),
        b"\xfa\x07\x01x",
    ],
    ids=["server's fields", "as varint", "as bytes", "unknown field"],
)
def test_decode_send_when_the_sender_forges_then_only_its_own_fields_are_read(
    forged: pb.Entry | bytes,
) -> None:
    more = forged if isinstance(forged, bytes) else forged.SerializeToString()
    for body in (packets.encode_send(SEND) + more, more + packets.encode_send(SEND)):
        assert packets.decode_send(body) == SEND


def test_encode_entry_when_in_a_page_then_the_same_bytes() -> None:
    page = packets.encode(Page((ENTRY,), Seq(7)))
    assert packets.encode_entry(ENTRY) in page
    assert packets.encode(ENTRY) == packets.encode_entry(ENTRY)


def test_decode_entry_when_of_a_kind_of_the_future_then_as_it_is() -> None:
    entry = ENTRY._replace(kind=2**32 - 1)
    assert packets.decode_entry(packets.encode_entry(entry)) == entry
    assert entry.kind not in set(Kind)


def test_decode_entry_when_bytes_are_no_message_then_malformed() -> None:
    with pytest.raises(ProtocolError, match="MALFORMED"):
        packets.decode_entry(NOT_A_MESSAGE)


# ---- frames and errors ---------------------------------------------------------------------------


def test_reply_frame_when_made_then_type_of_the_request_with_the_reply_bit() -> None:
    frame = packets.reply_frame(PacketType.HEARTBEAT, 9, Pulse(1, 2))
    assert HEADER.unpack_from(frame) == (4, 0x8002, 9)


def test_push_frame_when_made_then_request_id_0() -> None:
    frame = packets.push_frame(PacketType.KICKED, Kicked(KickReason.REVOKED))
    assert HEADER.unpack_from(frame) == (2, 0x4006, 0)


def test_encode_when_nothing_is_to_say_then_empty() -> None:
    assert packets.encode(Done()) == b""


@pytest.mark.parametrize("code", ErrorCode)
def test_error_when_sent_then_the_same_error_arrives(code: ErrorCode) -> None:
    error = error_for(code, retry_after_s=1.25, limit=10)
    arrived = packets.decode_error(packets.encode_error(error))
    assert type(arrived) is type(error)
    assert (arrived.code, arrived.retry_after_s) == (code, 1.25)
    assert arrived.fields == {"limit": "10"}


def test_decode_error_when_code_is_unknown_then_class_and_number_are_kept() -> None:
    arrived = packets.decode_error(pb.Error(code=7999, retry_after_ms=500).SerializeToString())
    assert isinstance(arrived, Unavailable)
    assert arrived.fields == {"unknown_code": 7999}


def test_decode_error_when_a_field_has_a_name_of_ours_then_no_harm() -> None:
    fields = {"retry_after_s": "9", "code": "1", "": "x"}
    arrived = packets.decode_error(pb.Error(code=7001, fields=fields).SerializeToString())
    assert (arrived.retry_after_s, arrived.fields) == (0.0, {"code": "1", "": "x"})


def test_decode_error_when_bytes_are_no_message_then_malformed() -> None:
    with pytest.raises(ProtocolError, match="MALFORMED"):
        packets.decode_error(NOT_A_MESSAGE)


@pytest.mark.parametrize(("given_s", "told_s"), [(-1.0, 0.0), (1e12, 86_400.0)])
def test_encode_error_when_retry_time_is_absurd_then_bounded(given_s: float, told_s: float) -> None:
    error = Unavailable(ErrorCode.BUSY, retry_after_s=given_s)
    assert packets.decode_error(packets.encode_error(error)).retry_after_s == told_s


def test_error_frame_when_made_then_type_and_request_id() -> None:
    frame = packets.error_frame(9, Unavailable(ErrorCode.BUSY))
    assert HEADER.unpack_from(frame)[1:] == (0x8000, 9)
