from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tinyqq._pb import client_pb2 as pb
from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError
from tinyqq.model.account import DeviceInfo, DeviceKind, DeviceList
from tinyqq.model.group import JoinPolicy, UpdateGroup
from tinyqq.model.ids import ConversationId, DeviceId, GroupId, OperationId, Seq
from tinyqq.model.sync import GetOverview, Known
from tinyqq.wire.codec import MAX_ITEMS, Codec

OPERATION = OperationId(bytes(range(16)))
UNKNOWN: Any = 77
NEGATIVE: Any = -1


def update_group(*, strict: bool = True) -> Codec[UpdateGroup]:
    return Codec(UpdateGroup, pb.UpdateGroup, {}, strict=strict)


def get_overview(*, strict: bool = True) -> Codec[GetOverview]:
    known = {Known: Codec(Known, pb.Known, {}, strict=strict)}
    return Codec(GetOverview, pb.GetOverview, known, strict=strict)


def test_codec_when_fields_differ_then_it_cannot_be_made() -> None:
    @dataclass
    class Hello:
        agent: str
        hat: str

    with pytest.raises(TypeError, match="hat"):
        Codec(Hello, pb.Hello, {}, strict=True)


def test_decode_when_encoded_then_the_same_record() -> None:
    record = UpdateGroup(OPERATION, GroupId(10_001), name="", join_policy=JoinPolicy.OPEN)
    codec = update_group()
    assert codec.decode(codec.encode(record)) == record


def test_decode_when_optional_fields_are_absent_then_none() -> None:
    body = pb.UpdateGroup(operation_id=OPERATION).SerializeToString()
    assert update_group().decode(body) == UpdateGroup(OPERATION, GroupId(0))


def test_decode_when_records_are_nested_then_tuples_of_records() -> None:
    record = GetOverview((Known(ConversationId(1), Seq(2)), Known(ConversationId(3), Seq(4))))
    codec = get_overview()
    assert codec.decode(codec.encode(record)) == record


def test_decode_when_fields_are_unknown_then_ignored() -> None:
    field_127 = b"\xfa\x07\x01x"
    assert get_overview().decode(field_127) == GetOverview(limit=0)


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\x0a\x05ab",
        b"\x00\x01",
        b"\x1a\x02\xff\xff",
        b"\x0b" * 200 + b"\x0c" * 200,
        b"\x10" + b"\xff" * 11,
        b"\x0f",
    ],
    ids=["cut", "short", "field 0", "not UTF-8", "deep groups", "long varint", "wire type 7"],
)
def test_decode_when_bytes_are_no_message_then_malformed(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        update_group().decode(body)
    assert caught.value.code is ErrorCode.MALFORMED
    assert caught.value.fields == {"message": "UpdateGroup"}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (pb.UpdateGroup(), "operation_id"),
        (pb.UpdateGroup(operation_id=bytes(15)), "operation_id"),
        (pb.UpdateGroup(operation_id=bytes(17)), "operation_id"),
        (pb.UpdateGroup(operation_id=OPERATION, group_id=2**63), "group_id"),
        (pb.UpdateGroup(operation_id=OPERATION, join_policy=UNKNOWN), "join_policy"),
        (pb.UpdateGroup(operation_id=OPERATION, join_policy=NEGATIVE), "join_policy"),
    ],
)
def test_decode_when_a_value_is_out_of_range_then_refused(
    message: pb.UpdateGroup, field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        update_group().decode(message.SerializeToString())
    assert caught.value.fields["field"] == field


@pytest.mark.parametrize(("items", "fits"), [(MAX_ITEMS, True), (MAX_ITEMS + 1, False)])
def test_decode_when_a_list_is_too_long_then_refused(items: int, fits: bool) -> None:
    body = b"\x0a\x00" * items
    assert len(get_overview(strict=False).decode(body).known) == items
    if fits:
        assert len(get_overview().decode(body).known) == items
    else:
        with pytest.raises(InvalidRequest, match=f"max_items={MAX_ITEMS}"):
            get_overview().decode(body)


def test_decode_when_nested_value_is_out_of_range_then_refused() -> None:
    body = pb.GetOverview(known=[pb.Known(seq=2**64 - 1)]).SerializeToString()
    with pytest.raises(InvalidRequest, match="field=seq"):
        get_overview().decode(body)


def test_decode_when_not_strict_then_numbers_and_ids_as_they_are() -> None:
    body = pb.UpdateGroup(operation_id=b"short", group_id=2**64 - 1).SerializeToString()
    record = update_group(strict=False).decode(body)
    assert (record.operation_id, record.group_id) == (b"short", 2**64 - 1)


def test_decode_when_not_strict_then_unknown_enum_value_is_unspecified() -> None:
    infos = {DeviceInfo: Codec(DeviceInfo, pb.DeviceInfo, {}, strict=False)}
    codec = Codec(DeviceList, pb.DeviceList, infos, strict=False)
    fridge = pb.DeviceInfo(device_id=bytes(16), kind=UNKNOWN, name="fridge")
    record = codec.decode(pb.DeviceList(devices=[fridge]).SerializeToString())
    expected = DeviceInfo(DeviceId(bytes(16)), DeviceKind.UNSPECIFIED, "fridge", 0, 0)
    assert record.devices == (expected,)
