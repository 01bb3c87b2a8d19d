"""PROXY headers: what they say, and what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.wire.proxy_protocol import MAX_HEADER_BYTES, MAX_LINE_BYTES, ProxyHeaderReader

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
ADDRESSES_4 = bytes([192, 0, 2, 7, 198, 51, 100, 1, 0xDC, 4, 0x1B, 0x59])
HELLO = bytes.fromhex("00000004 0001 00000001 68656c6c")


def binary(command: int, family: int, body: bytes) -> bytes:
    """A header of version 2."""
    return SIGNATURE + bytes([command, family]) + len(body).to_bytes(2, "big") + body


def line(text: str) -> bytes:
    """A header of version 1."""
    return f"PROXY {text}\r\n".encode()


def mapped(last: int) -> bytes:
    """An IPv4 address as IPv6 writes it."""
    return bytes(10) + b"\xff\xff" + bytes([192, 0, 2, last])


HEADERS = [
    (line("TCP4 192.0.2.7 198.51.100.1 56324 7001"), "192.0.2.7"),
    (line("TCP6 2001:db8::7 2001:db8::1 56324 7001"), "2001:db8::7"),
    (line("TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 1 2"), "192.0.2.7"),
    (line("UNKNOWN"), ""),
    (line("UNKNOWN ffff::1 ffff::2 1 2 and more"), ""),
    (binary(0x21, 0x11, ADDRESSES_4), "192.0.2.7"),
    (binary(0x21, 0x11, ADDRESSES_4 + b"\x04\x00\x03abc"), "192.0.2.7"),
    (binary(0x21, 0x21, mapped(7) + mapped(1) + bytes(4)), "192.0.2.7"),
    (binary(0x21, 0x21, b" \x01\r\xb8" + bytes(11) + b"\x07" + bytes(20)), "2001:db8::7"),
    (binary(0x20, 0x00, b""), ""),
    (binary(0x20, 0x11, ADDRESSES_4), ""),
    (binary(0x21, 0x00, b""), ""),
    (binary(0x21, 0x31, bytes(216)), ""),
    (binary(0x21, 0x11, ADDRESSES_4 + bytes(MAX_HEADER_BYTES - 28)), "192.0.2.7"),
]
WRONG = [
    line("TCP4 192.0.2.7 198.51.100.1 56324"),
    line("TCP4 192.0.2.7 198.51.100.1 56324 70010"),
    line("TCP4 192.0.2.7 198.51.100.1 56324 7001 1"),
    line("TCP4 192.0.2.7 198.51.100.1 -1 7001"),
    line("TCP4 192.0.2.700 198.51.100.1 1 2"),
    line("TCP6 192.0.2.7 198.51.100.1 1 2"),
    line("TCP4 192.0.2.7 2001:db8::1 1 2"),
    line("UDP4 192.0.2.7 198.51.100.1 1 2"),
    line(""),
    b"PROXY TCP4 \xff\r\n",
    b"PROXY\r\n",
    b"POST / HTTP/1.1\r\n",
    b"PROXY UNKNOWN " + b"x" * MAX_LINE_BYTES,
    b"\r\n\r\n\x00\r\nQUIP\n",
    binary(0x11, 0x11, ADDRESSES_4),
    binary(0x22, 0x11, ADDRESSES_4),
    binary(0x21, 0x11, ADDRESSES_4[:-1]),
    binary(0x21, 0x21, ADDRESSES_4),
    binary(0x21, 0x11, ADDRESSES_4 + bytes(MAX_HEADER_BYTES - 27)),
]


def read(stream: bytes, cuts: list[int]) -> tuple[str, bool, str, int]:
    """What a reader makes of a stream that comes in these pieces: address, end, error, and how
    many bytes it took."""
    reader = ProxyHeaderReader()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    taken = sum(reader.feed(stream[start:end]) for start, end in pairwise(places))
    return reader.address, reader.is_done, str(reader.error), taken


@pytest.mark.parametrize(("header", "address"), HEADERS)
def test_feed_when_there_is_a_header_then_the_address_and_nothing_of_the_rest(
    header: bytes, address: str
) -> None:
    assert read(header + HELLO, []) == (address, True, "None", len(header))


@pytest.mark.parametrize("stream", [HELLO, b"\x16\x03\x01", b"\x00"])
def test_feed_when_there_is_no_header_then_done_and_nothing_taken(stream: bytes) -> None:
    assert read(stream, []) == ("", True, "None", 0)


@pytest.mark.parametrize("stream", WRONG)
def test_feed_when_it_cannot_be_read_then_malformed(stream: bytes) -> None:
    address, is_done, error, _ = read(stream, [])
    assert (address, is_done) == ("", False)
    assert error.startswith("MALFORMED reason=PROXY header: ")


@pytest.mark.parametrize("stream", WRONG)
def test_feed_when_it_comes_byte_by_byte_then_wrong_all_the_same(stream: bytes) -> None:
    assert read(stream, list(range(len(stream))))[2].startswith("MALFORMED")


def test_feed_when_there_was_an_error_then_nothing_more() -> None:
    reader = ProxyHeaderReader()
    reader.feed(WRONG[0])
    assert reader.feed(HEADERS[0][0]) == 0
    assert not reader.address


def test_feed_when_nothing_comes_then_it_waits() -> None:
    reader = ProxyHeaderReader()
    assert reader.feed(b"") == 0
    assert not reader.is_done


@given(st.sampled_from(HEADERS), st.binary(max_size=40), st.lists(st.integers(0, 300), max_size=9))
@settings(max_examples=300)
def test_header_when_cut_anywhere_then_the_same(
    header: tuple[bytes, str], rest: bytes, cuts: list[int]
) -> None:
    text, address = header
    assert read(text + rest, cuts) == (address, True, "None", len(text))


@given(st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11"]),
       st.binary(max_size=200), st.lists(st.integers(0, 220), max_size=9))  # fmt: skip
@settings(max_examples=500)
def test_bytes_when_cut_anywhere_then_the_same_as_in_one_piece(
    start: bytes, rest: bytes, cuts: list[int]
) -> None:
    whole, cut = read(start + rest, []), read(start + rest, cuts)
    assert whole[:2] == cut[:2]
    assert (whole[2] == "None") == (cut[2] == "None")
    if whole[2] == "None":
        assert whole[3] == cut[3]
