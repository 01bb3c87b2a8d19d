from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tinyqq._pb import content_pb2 as pb
from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.model.ids import GroupId, Seq, UserId
from tinyqq.model.message import MAX_CONTENT_BYTES, Card, Content, Custom, Media, Notice, Quote
from tinyqq.wire.content import (
    check_content,
    decode_content,
    decode_notice,
    encode_content,
    encode_notice,
)

NOT_A_MESSAGE = b"\x0a\xff"


@pytest.mark.parametrize(
    "content",
    [
        Content(),
        Content("你好 👋", mentions=(UserId(10_001), UserId(10_002)), mentions_all=True),
        Content("so?", quote=Quote(Seq(9), UserId(10_001), "because")),
        Content("[photo]", media=Media("b1", "a.png", "image/png", 5, 6, 7, 8, b"tiny")),
        Content("[card]", card=Card("title", "summary", "https://example.org", "b2")),
        Content("[poll]", custom=Custom("org.example.poll", b"\x00\xff")),
    ],
)
def test_decode_content_when_encoded_then_the_same(content: Content) -> None:
    assert decode_content(encode_content(content)) == content


def test_decode_notice_when_encoded_then_the_same() -> None:
    notice = Notice((UserId(10_001),), GroupId(10_002), Seq(3), "name", "note", 2, 1, "hello all")
    assert decode_notice(encode_notice(notice)) == notice


@pytest.mark.parametrize(
    "decode", [decode_content, decode_notice, lambda body: check_content(body, 10)]
)
def test_decode_when_bytes_are_no_message_then_bad_content(decode: Callable[[bytes], Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decode(NOT_A_MESSAGE)
    assert caught.value.code is ErrorCode.BAD_CONTENT


def test_decode_content_when_another_client_wrote_absurd_numbers_then_still_readable() -> None:
    absurd = pb.Content(mentions=[2**64 - 1], quote=pb.Quote(seq=2**64 - 1))
    content = decode_content(absurd.SerializeToString())
    assert content.mentions == (2**64 - 1,)


def test_check_content_when_fit_then_the_parsed_message() -> None:
    content = check_content(encode_content(Content("好" * 10, mentions_all=True)), 10)
    assert content.mentions_all


def test_check_content_when_text_is_too_long_then_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_content(encode_content(Content("好" * 11)), 10)
    assert caught.value.code is ErrorCode.TEXT_TOO_LONG
    assert caught.value.fields == {"chars": 11, "max_chars": 10}


@pytest.mark.parametrize(
    ("payload_bytes", "fits"), [(MAX_CONTENT_BYTES - 8, True), (MAX_CONTENT_BYTES, False)]
)
def test_check_content_when_it_is_too_large_then_refused(payload_bytes: int, fits: bool) -> None:
    body = encode_content(Content(custom=Custom("", bytes(payload_bytes))))
    assert (len(body) == MAX_CONTENT_BYTES) is fits
    with nullcontext() if fits else pytest.raises(InvalidRequest, match="max_bytes=65536"):
        check_content(body, 10)


def test_check_content_when_text_comes_twice_then_the_last_is_looked_at() -> None:
    twice = encode_content(Content("x")) + encode_content(Content("x" * 11))
    with pytest.raises(InvalidRequest, match="TEXT_TOO_LONG"):
        check_content(twice, 10)
