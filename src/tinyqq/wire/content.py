"""Bodies of entries: a Content of a message, a Notice of a change."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import DecodeError

from tinyqq._pb import content_pb2 as pb
from tinyqq.errors import ErrorCode, InvalidRequest, ProtocolError
from tinyqq.model.message import MAX_CONTENT_BYTES, Card, Content, Custom, Media, Notice, Quote
from tinyqq.wire.codec import Codec

# Not strict: another client wrote the content, so its numbers are anybody's and must break nobody.
_NESTED: Final[dict[type[Any], Codec[Any]]] = {
    Quote: Codec(Quote, pb.Quote, {}, strict=False),
    Media: Codec(Media, pb.Media, {}, strict=False),
    Card: Codec(Card, pb.Card, {}, strict=False),
    Custom: Codec(Custom, pb.Custom, {}, strict=False),
}
_CONTENT: Final = Codec(Content, pb.Content, _NESTED, strict=False)
_NOTICE: Final = Codec(Notice, pb.Notice, {}, strict=False)


def encode_content(content: Content) -> bytes:
    """The bytes of a message's content."""
    return _CONTENT.encode(content)


def decode_content(body: bytes) -> Content:
    """The content of a message.

    Raises:
        InvalidRequest: BAD_CONTENT when the bytes are none.
    """
    try:
        return _CONTENT.decode(body)
    except ProtocolError as exc:
        raise InvalidRequest(ErrorCode.BAD_CONTENT) from exc


def encode_notice(notice: Notice) -> bytes:
    """The bytes of a notice."""
    return _NOTICE.encode(notice)


def decode_notice(body: bytes) -> Notice:
    """The notice that a server wrote; raises like :func:`decode_content`."""
    try:
        return _NOTICE.decode(body)
    except ProtocolError as exc:
        raise InvalidRequest(ErrorCode.BAD_CONTENT) from exc


def check_content(body: bytes, max_text_chars: int) -> pb.Content:
    """What the server looks at in a message that passes: well-formed, neither it nor its text too
    long.

    Returns the parsed message, so that its mentions can be looked at without parsing it twice.

    Raises:
        InvalidRequest: BAD_CONTENT or TEXT_TOO_LONG.
    """
    if len(body) > MAX_CONTENT_BYTES:
        raise InvalidRequest(
            ErrorCode.BAD_CONTENT, size_bytes=len(body), max_bytes=MAX_CONTENT_BYTES
        )
    message = pb.Content()
    try:
        message.ParseFromString(body)
    except DecodeError as exc:
        raise InvalidRequest(ErrorCode.BAD_CONTENT) from exc
    if len(message.text) > max_text_chars:
        raise InvalidRequest(
            ErrorCode.TEXT_TOO_LONG, chars=len(message.text), max_chars=max_text_chars
        )
    return message


def files_of(content: pb.Content) -> tuple[str, ...]:
    """The blob ids that a message refers to."""
    found = (content.media.blob_id, content.card.image_blob_id)
    return tuple(one for one in found if one)
