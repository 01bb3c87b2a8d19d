"""docs/protocol.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tinyqq.errors import ErrorCode
from tinyqq.model.connection import Limits, Welcome
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import MAX_PAGE_ENTRIES
from tinyqq.wire import packets
from tinyqq.wire.framing import Frame, FrameReader
from tinyqq.wire.packets import OPERATIONS, PUSHES, REPLY_BIT, PacketType

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def table(header: str) -> list[list[str]]:
    """The cells of the rows below the header row that starts with these words."""
    lines = TEXT.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(header))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def examples() -> dict[str, Frame]:
    """The packets that are shown byte by byte."""
    found = re.findall(r"^```hex ([\w ]+)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    shown = {}
    for name, dump in found:
        reader = FrameReader()
        [shown[name]] = reader.feed(bytes.fromhex(dump))
        assert not reader.held_bytes
    return shown


def test_requests_when_compared_with_the_code_then_the_same() -> None:
    rows = {(int(row[0], 16), row[1], row[2], row[3]) for row in table("| type | request |")}
    assert rows == {
        (int(kind), kind.name, one.request.__name__, one.reply.__name__)
        for kind, one in OPERATIONS.items()
    }


def test_pushes_when_compared_with_the_code_then_the_same() -> None:
    rows = {(int(row[0], 16), row[1], row[2]) for row in table("| type | push |")}
    pushes = {(int(kind), kind.name, record.__name__) for kind, record in PUSHES.items()}
    assert rows == pushes | {(0x8000, "ERROR", "Error")}


@pytest.mark.parametrize(
    ("header", "enum"), [("| code | name |", ErrorCode), ("| kind | name |", Kind)]
)
def test_numbers_when_compared_with_the_code_then_the_same(header: str, enum: Any) -> None:
    rows = [(int(row[0]), row[1]) for row in table(header)]
    assert rows == [(one.value, one.name) for one in enum]


def test_limits_when_compared_with_the_code_then_the_same() -> None:
    told = {row[0].strip("`"): int(row[1].replace(",", "")) for row in table("| limit | default |")}
    limits = Limits()
    assert told == {
        "max_frame_bytes": limits.max_frame_bytes,
        "max_text_chars": limits.max_text_chars,
        "max_in_flight": limits.max_in_flight,
        "idle_timeout_ms": limits.idle_timeout_s * 1000,
        "log_in_timeout_ms": limits.log_in_timeout_s * 1000,
        "max_page_entries": MAX_PAGE_ENTRIES,
    }
    assert told.keys() <= set(Welcome.__dataclass_fields__)


def test_examples_when_read_then_they_are_what_their_names_say() -> None:
    shown = examples()
    types = {name: frame.type for name, frame in shown.items()}
    assert types == {
        "HELLO": PacketType.HELLO,
        "LOG_IN": PacketType.LOG_IN,
        "SEND": PacketType.SEND,
        "SEND reply": PacketType.SEND | REPLY_BIT,
        "DELIVER": PacketType.DELIVER,
        "ERROR": PacketType.ERROR,
    }
    for name in ("HELLO", "LOG_IN"):
        packets.decode_request(types[name], shown[name].body)


def test_example_of_a_send_when_followed_then_the_same_message_arrives() -> None:
    shown = examples()
    send = packets.decode_send(shown["SEND"].body)
    sent = packets.decode_reply(PacketType.SEND, shown["SEND reply"].body)
    delivered: Entry = packets.decode_push(PacketType.DELIVER, shown["DELIVER"].body)
    assert delivered[:3] == (send.conversation_id, sent.seq, sent.ordinal)
    assert delivered[4:8] == (
        send.client_message_id,
        sent.sent_at_ms,
        send.kind,
        send.content,
    )
    assert shown["SEND reply"].request_id == shown["SEND"].request_id


def test_example_of_an_error_when_read_then_as_described() -> None:
    error = packets.decode_error(examples()["ERROR"].body)
    assert (error.code, error.retry_after_s) == (ErrorCode.BUSY, 0.5)


def test_sections_when_linked_then_they_exist() -> None:
    titles = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
    assert set(re.findall(r"\(#([\w-]+)\)", TEXT)) <= anchors
