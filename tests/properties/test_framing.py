"""However a stream is cut, the same frames and the same error come out."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.wire.framing import HEADER, Frame, FrameReader, encode_frame

MAX_BODY = 50

FRAMES = st.lists(
    st.builds(
        Frame,
        type=st.integers(0, 2**16 - 1),
        request_id=st.integers(0, 2**32 - 1),
        body=st.binary(max_size=MAX_BODY),
    ),
    max_size=8,
)
CUTS = st.lists(st.integers(0, 500), max_size=12)


def read(stream: bytes, cuts: list[int]) -> tuple[list[Frame], str, int]:
    """Everything that a reader makes of a stream that comes in these pieces."""
    reader = FrameReader(max_body_bytes=MAX_BODY)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    frames: list[Frame] = []
    for start, end in pairwise(places):
        frames += reader.feed(stream[start:end])
        assert reader.held_bytes <= HEADER.size + MAX_BODY
    return frames, str(reader.error), reader.held_bytes


@given(FRAMES, CUTS, st.binary(max_size=9))
@settings(max_examples=200)
def test_frames_when_cut_anywhere_then_all_come_back(
    frames: list[Frame], cuts: list[int], rest: bytes
) -> None:
    stream = b"".join(encode_frame(*frame) for frame in frames)
    assert read(stream + rest, cuts) == (frames, "None", len(rest))


@given(FRAMES, CUTS, st.integers(MAX_BODY + 1, 2**32 - 1), st.binary(max_size=40))
@settings(max_examples=200)
def test_frames_when_one_is_too_large_then_those_before_and_the_error(
    frames: list[Frame], cuts: list[int], size: int, rest: bytes
) -> None:
    stream = b"".join(encode_frame(*frame) for frame in frames)
    expected = (frames, f"FRAME_TOO_LARGE size_bytes={size} max_bytes={MAX_BODY}", 0)
    assert read(stream + HEADER.pack(size, 1, 1) + rest, cuts) == expected


@given(st.binary(max_size=300), CUTS)
@settings(max_examples=200)
def test_bytes_when_cut_anywhere_then_the_same_as_in_one_piece(
    stream: bytes, cuts: list[int]
) -> None:
    assert read(stream, cuts) == read(stream, [])
