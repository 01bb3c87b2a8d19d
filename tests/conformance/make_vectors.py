"""Writes the conformance vectors: the wire protocol as data.

Run from the root of the repository after a change of the protocol::

    .venv/bin/python -m tests.conformance.make_vectors

Bytes are made here by protobuf and by hand, not by the code that the vectors test; what is expected
of them is written down, not computed. README.md beside this file documents the format.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tests.conformance.client_scripts import client_scripts
from tests.conformance.image_samples import image_cases
from tests.conformance.samples import frame, sample
from tests.conformance.session_scripts import session_scripts

from tinyqq._pb import client_pb2 as pb
from tinyqq._pb import content_pb2
from tinyqq.wire.packets import OPERATIONS, PUSHES, REPLY_BIT, PacketType

VECTORS: Final = Path(__file__).parent / "vectors"

Case = dict[str, Any]


def framing_cases() -> list[Case]:
    """Streams and WebSocket messages, and the frames in them."""
    hello, empty = frame(1, 7, b"hi"), frame(0x8002, 0xFFFFFFFF)
    both = [{"type": 1, "request_id": 7, "body": b"hi".hex()}]
    both += [{"type": 0x8002, "request_id": 0xFFFFFFFF, "body": ""}]
    large = frame(3, 9, b"x" * 17)
    whole = hello + empty
    streams = [
        ("one frame", [hello], both[:1], None),
        ("two frames in one piece", [whole], both, None),
        ("byte by byte", [bytes([byte]) for byte in whole], both, None),
        ("cut in the header", [whole[:15], whole[15:]], both, None),
        ("cut in the body", [whole[:11], whole[11:]], both, None),
        ("empty pieces", [b"", whole, b""], both, None),
        ("unfinished header", [hello, empty[:9]], both[:1], None),
        ("unfinished body", [hello[:11]], [], None),
        ("body as large as allowed", [frame(3, 9, b"x" * 16)], [body_of(3, 9, b"x" * 16)], None),
        ("too large by one", [hello + large + empty], both[:1], "FRAME_TOO_LARGE"),
        ("too large, header only", [whole, large[:10]], both, "FRAME_TOO_LARGE"),
        ("length of 2^32 - 1", [b"\xff" * 4, b"\x00" * 6], [], "FRAME_TOO_LARGE"),
        ("nothing after the fault", [large[:10], whole], [], "FRAME_TOO_LARGE"),
    ]
    messages = [
        ("message of one frame", [hello], both[:1], None),
        ("message per frame", [hello, empty], both, None),
        ("empty message", [hello, b""], both[:1], "MALFORMED"),
        ("message shorter than a header", [hello[:9]], [], "MALFORMED"),
        ("message with half a body", [hello[:11]], [], "MALFORMED"),
        ("message with two frames", [whole], [], "MALFORMED"),
        ("message that is too large", [large], [], "FRAME_TOO_LARGE"),
    ]
    return [
        {
            "name": name,
            "carrier": carrier,
            "max_body_bytes": 16,
            "chunks": [piece.hex() for piece in pieces],
            "frames": frames,
            "error": error,
        }
        for carrier, cases in (("stream", streams), ("message", messages))
        for name, pieces, frames, error in cases
    ]


def body_of(packet_type: int, request_id: int, body: bytes) -> Case:
    """A frame as the vectors show it."""
    return {"type": packet_type, "request_id": request_id, "body": body.hex()}


def packet_cases() -> list[Case]:
    """Every packet with every field filled, then values at the edges."""
    cases = []
    for packet_type, operation in OPERATIONS.items():
        cases.append(packet_case(packet_type, "request", operation.request.__name__))
        cases.append(packet_case(packet_type | REPLY_BIT, "reply", operation.reply.__name__))
    cases += [
        packet_case(packet_type, "push", record.__name__) for packet_type, record in PUSHES.items()
    ]
    cases.append(packet_case(PacketType.ERROR, "error", "Error"))
    return cases + edge_cases() + refused_cases() + tolerated_cases()


def packet_case(packet_type: int, role: str, message_name: str) -> Case:
    """A packet with every field filled."""
    name = PacketType(packet_type & ~REPLY_BIT if role == "reply" else packet_type).name
    return valid_case(f"{name} {role}", packet_type, role, sample(getattr(pb, message_name)))


def valid_case(name: str, packet_type: int, role: str, message: Message) -> Case:
    """A body and what it says, in protobuf's own JSON."""
    return {
        "name": name,
        "type": packet_type,
        "role": role,
        "message": message.DESCRIPTOR.name,
        "body": message.SerializeToString(deterministic=True).hex(),
        "json": MessageToDict(message, preserving_proto_field_name=True),
        "error": None,
    }


def edge_cases() -> list[Case]:
    """Values that an implementation may get wrong."""
    entry = pb.Entry(conversation_id=10_000, kind=0, seq=5, through_seq=9)
    largest = 2**63 - 1
    blank = pb.UpdateProfile(nickname="", allow_strangers=False)
    text = pb.SearchUsers(query="小Q 👨‍👩‍👧 \x00", limit=2**32 - 1)
    future = pb.Entry(conversation_id=10_000, kind=2**32 - 1, seq=largest, sender_id=2**31 - 1)
    last = pb.Summary(conversation_id=10_000, last=pb.Entry())
    return [
        valid_case("HIDDEN stretch", PacketType.DELIVER, "push", entry),
        valid_case("kind of the future", PacketType.DELIVER, "push", future),
        valid_case("absent fields", PacketType.UPDATE_PROFILE, "request", pb.UpdateProfile()),
        valid_case("present but empty fields", PacketType.UPDATE_PROFILE, "request", blank),
        valid_case("text of many kinds", PacketType.SEARCH_USERS, "request", text),
        valid_case(
            "largest number", PacketType.GET_PROFILE, "request", pb.GetProfile(user_id=largest)
        ),
        valid_case(
            "empty entry is not an absent one",
            PacketType.GET_OVERVIEW | REPLY_BIT,
            "reply",
            pb.Overview(conversations=[last, pb.Summary()]),
        ),
        valid_case("error of the future", PacketType.ERROR, "error", pb.Error(code=3999)),
    ]


def refused_cases() -> list[Case]:
    """Requests that a server refuses, by the code of the refusal."""
    unknown: Any = 77
    sixteen = bytes(range(16))
    join_group, log_in = PacketType.JOIN_GROUP, PacketType.LOG_IN
    search, overview = PacketType.SEARCH_USERS, PacketType.GET_OVERVIEW
    cases: list[tuple[str, PacketType, bytes, str]] = [
        ("cut short", search, bytes.fromhex("0a05616263"), "MALFORMED"),
        ("text that is not UTF-8", search, bytes.fromhex("0a02c328"), "MALFORMED"),
        ("field number 0", search, bytes.fromhex("0001"), "MALFORMED"),
        ("varint of 11 bytes", search, b"\x10" + b"\xff" * 10 + b"\x01", "MALFORMED"),
        ("groups within groups", search, b"\x2b" * 200 + b"\x2c" * 200, "MALFORMED"),
        ("operation id of 15 bytes", join_group, b"\x0a\x0f" + sixteen[1:], "INVALID_REQUEST"),
        ("no operation id", join_group, b"", "INVALID_REQUEST"),
        (
            "number of 64 bits",
            PacketType.GET_PROFILE,
            pb.GetProfile(user_id=2**63).SerializeToString(),
            "INVALID_REQUEST",
        ),
        (
            "unknown kind of device",
            log_in,
            pb.LogIn(device_id=sixteen, device_kind=unknown).SerializeToString(),
            "INVALID_REQUEST",
        ),
        ("list of 10,001 items", overview, b"\x0a\x00", "INVALID_REQUEST"),
    ]
    return [
        {
            "name": f"refused: {name}",
            "type": packet_type,
            "role": "request",
            "message": OPERATIONS[packet_type].request.__name__,
            "body": body.hex(),
            "times": 10_001 if packet_type == overview else 1,
            "json": None,
            "error": code,
        }
        for name, packet_type, body, code in cases
    ]


def tolerated_cases() -> list[Case]:
    """What a client must read although it does not know all of it, and what it makes of it."""
    unknown: Any = 77
    known = {"nickname": "Ann"}
    kicked = pb.Kicked(reason=unknown, device_name="phone").SerializeToString()
    profile = pb.Profile(nickname="Ann").SerializeToString()
    get_profile = PacketType.GET_PROFILE | REPLY_BIT
    cases: list[tuple[str, int, str, str, bytes, dict[str, Any]]] = [
        (
            "unknown value of an enum is the unspecified one",
            PacketType.KICKED, "push", "Kicked", kicked, {"device_name": "phone"},
        ),
        (
            "unknown field",
            get_profile, "reply", "Profile", profile + bytes.fromhex("fa070178"), known,
        ),
        (
            "the last value of a field counts",
            get_profile, "reply", "Profile", bytes.fromhex("120142") + profile, known,
        ),
    ]  # fmt: skip
    return [
        {
            "name": f"tolerated: {name}",
            "type": packet_type,
            "role": role,
            "message": message,
            "body": body.hex(),
            "json": made_of_it,
            "error": None,
        }
        for name, packet_type, role, message, body, made_of_it in cases
    ]


def content_cases() -> list[Case]:
    """Contents and notices, and contents that a server refuses."""
    content, text = content_pb2.Content, "你好 👋"
    card = content_pb2.Card(title="T", url="https://example.org/?a=1&b=2")
    valid: list[tuple[str, int, Message]] = [
        ("text", 1, content(text=text)),
        ("reply with mentions", 1, content(
            text="so?", mentions=[10_001, 10_002],
            quote=content_pb2.Quote(seq=9, sender_id=10_001, excerpt="because"),
        )),
        ("mention of all", 1, content(text="all", mentions_all=True)),
        ("every field", 1, sample(content)),
        ("card", 5, content(text="[card] T", card=card)),
        ("recall", 100, content_pb2.Notice(target_seq=9)),
        ("member joined", 111, content_pb2.Notice(user_ids=[10_002], group_id=10_001)),
        ("every field of a notice", 116, sample(content_pb2.Notice)),
    ]  # fmt: skip
    too_long = content(text="好" * 11).SerializeToString()
    refused = [
        ("cut short", b"\x0a\x05ab", "BAD_CONTENT"),
        ("not UTF-8", b"\x0a\x02\xc3\x28", "BAD_CONTENT"),
        ("11 characters where 10 are allowed", too_long, "TEXT_TOO_LONG"),
        ("more than 65,536 bytes", b"\x0a\x01x", "BAD_CONTENT"),
        ("the last of two texts counts", b"\x0a\x01x\x0a\x0b" + b"x" * 11, "TEXT_TOO_LONG"),
    ]
    cases = [
        {
            "name": name,
            "kind": kind,
            "message": message.DESCRIPTOR.name,
            "body": message.SerializeToString(deterministic=True).hex(),
            "json": MessageToDict(message, preserving_proto_field_name=True),
            "error": None,
        }
        for name, kind, message in valid
    ]
    for name, body, code in refused:
        cases.append(
            {"name": f"refused: {name}", "kind": 1, "message": "Content", "body": body.hex(),
             "times": 21_846 if name.startswith("more") else 1, "json": None, "error": code}
        )  # fmt: skip
    return cases


def vectors() -> dict[str, str]:
    """The files' names and texts."""
    contents: dict[str, tuple[str, list[Case]]] = {
        "framing.json": (
            "How a stream or a WebSocket message is cut into frames.",
            framing_cases(),
        ),
        "packets.json": ("Bodies of packets and what they say.", packet_cases()),
        "content.json": ("Bodies of entries; the text limit is 10 characters.", content_cases()),
        "session.json": ("A server's end of a connection, step by step.", session_scripts()),
        "client.json": ("A client's end of a connection, step by step.", client_scripts()),
        "image_metadata.json": (
            "Pictures, and what is sent of them: without place, time and maker.",
            list(image_cases()),
        ),
    }
    return {
        name: json.dumps({"description": text, "cases": cases}, indent=1, ensure_ascii=False) + "\n"
        for name, (text, cases) in contents.items()
    }


def main() -> None:
    """Write them all."""
    VECTORS.mkdir(exist_ok=True)
    for name, text in vectors().items():
        (VECTORS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
