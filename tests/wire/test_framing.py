from __future__ import annotations

import pytest

from tinyqq.errors import ErrorCode, ProtocolError
from tinyqq.wire.framing import HEADER_BYTES, Frame, FrameReader, encode_frame

HELLO = Frame(1, 7, b"hi")
EMPTY = Frame(2, 8, b"")
STREAM = encode_frame(*HELLO) + encode_frame(*EMPTY)
TOO_LARGE = encode_frame(3, 9, b"x" * 11)


@pytest.fixture
def reader() -> FrameReader:
    return FrameReader(max_body_bytes=10)


def code_of(error: ProtocolError | None) -> ErrorCode | None:
    return error.code if error else None


def test_encode_frame_when_written_then_header_is_big_endian() -> None:
    assert encode_frame(0x8001, 0xA0B0C0D0, b"hi") == bytes.fromhex("00000002 8001 a0b0c0d0 6869")


def test_feed_when_frames_are_whole_then_all_at_once(reader: FrameReader) -> None:
    assert reader.feed(STREAM) == [HELLO, EMPTY]
    assert (reader.held_bytes, reader.error) == (0, None)


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_feed_when_cut_anywhere_then_the_same_frames(reader: FrameReader, cut: int) -> None:
    assert reader.feed(STREAM[:cut]) + reader.feed(STREAM[cut:]) == [HELLO, EMPTY]


def test_feed_when_byte_by_byte_then_each_frame_with_its_last_byte(reader: FrameReader) -> None:
    found = [(at, reader.feed(bytes([byte]))) for at, byte in enumerate(STREAM, start=1)]
    assert [one for one in found if one[1]] == [(12, [HELLO]), (22, [EMPTY])]


def test_feed_when_unfinished_then_held_until_the_rest_comes(reader: FrameReader) -> None:
    assert reader.feed(STREAM[:11]) == []
    assert reader.held_bytes == 11


def test_feed_when_body_is_as_large_as_allowed_then_taken(reader: FrameReader) -> None:
    assert reader.feed(encode_frame(1, 1, b"x" * 10)) == [Frame(1, 1, b"x" * 10)]


@pytest.mark.parametrize("cut", [0, len(STREAM), len(STREAM) + HEADER_BYTES - 1])
def test_feed_when_too_large_then_frames_before_and_error(reader: FrameReader, cut: int) -> None:
    stream = STREAM + TOO_LARGE[:HEADER_BYTES]
    assert reader.feed(stream[:cut]) + reader.feed(stream[cut:]) == [HELLO, EMPTY]
    assert code_of(reader.error) is ErrorCode.FRAME_TOO_LARGE


def test_feed_when_too_large_then_refused_before_the_body(reader: FrameReader) -> None:
    reader.feed(bytes.fromhex("ffffffff 0001 00000001"))
    assert reader.held_bytes == 0
    assert str(reader.error) == "FRAME_TOO_LARGE size_bytes=4294967295 max_bytes=10"


def test_feed_when_broken_before_then_nothing_more(reader: FrameReader) -> None:
    reader.feed(TOO_LARGE)
    assert reader.feed(STREAM) == []
    assert reader.feed_message(encode_frame(*HELLO)) == []


def test_feed_message_when_one_frame_then_that_frame(reader: FrameReader) -> None:
    assert reader.feed_message(encode_frame(*HELLO)) == [HELLO]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", ErrorCode.MALFORMED),
        (STREAM[: HEADER_BYTES - 1], ErrorCode.MALFORMED),
        (STREAM[: HEADER_BYTES + 1], ErrorCode.MALFORMED),
        (STREAM, ErrorCode.MALFORMED),
        (TOO_LARGE, ErrorCode.FRAME_TOO_LARGE),
    ],
)
def test_feed_message_when_not_one_frame_then_error(
    reader: FrameReader, message: bytes, code: ErrorCode
) -> None:
    assert reader.feed_message(message) == []
    assert code_of(reader.error) is code


@pytest.mark.parametrize("start", [b"PROXY TCP4 192.0.2.7", b"\r\n\r\n\x00\r\nQUIT\n"])
def test_feed_when_a_stranger_speaks_for_others_then_told_what_is_wrong(
    reader: FrameReader, start: bytes
) -> None:
    reader.feed(start)
    assert code_of(reader.error) is ErrorCode.FRAME_TOO_LARGE
    assert "not a trusted proxy" in str(reader.error)
