"""How long recordings take."""

from __future__ import annotations

import struct

import pytest
from tests.support.recordings import wav

from tinyqq.client.voice import duration_ms


def page(samples: int, body: bytes) -> bytes:
    """Of an Ogg file."""
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, 0, samples, 1, 0, 0, 1)
    return head + bytes([len(body)]) + body


OPUS = page(0, b"OpusHead\x01\x01" + struct.pack("<HIHB", 312, 16_000, 0, 0))
VORBIS = page(0, b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44_100) + bytes(14))


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        (wav(1.5), 1500),
        (wav(0.0001), 1),
        (wav(0), 0),
        (wav(2)[:-8_000], 1500),
        (OPUS + page(48_312, b"x") + page(96_312, b"y"), 2000),
        (OPUS + page(96_312, b"x") + page(-1, b"y"), 2000),
        (OPUS + page(100, b"x"), 0),
        (VORBIS + page(22_050, b"x"), 500),
        (OPUS, 0),
        (page(0, b"Speex   ") + page(9, b"x"), 0),
        (b"RIFF\0\0\0\0WAVEdata\x08\0\0\0" + bytes(8), 0),
        (b"\x1aE\xdf\xa3 webm", 0),
        (b"", 0),
    ],
)
def test_duration_when_read_then_as_the_file_says(recording: bytes, expected: int) -> None:
    assert duration_ms(recording) == expected


@pytest.mark.parametrize("recording", [wav(0.01), OPUS + page(48_312, b"x"), VORBIS])
def test_duration_when_cut_anywhere_then_no_error(recording: bytes) -> None:
    for size in range(len(recording)):
        assert duration_ms(recording[:size]) >= 0
