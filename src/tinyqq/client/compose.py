"""From what programs write to the content of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tinyqq.client.messages import Message
from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.model.ids import ConversationId, UserId, conversation_type
from tinyqq.model.message import LAST_CLIENT_KIND, MAX_CONTENT_BYTES, Content, Quote
from tinyqq.wire.content import encode_content

EXCERPT_CHARS: Final = 80


def encode_sendable(conversation_id: ConversationId, kind: int, content: Content) -> bytes:
    """The bytes of a message. What would never be taken is refused at once: it must not get into
    the outbox.

    Raises:
        InvalidRequest: BAD_CONVERSATION, UNSUPPORTED_KIND or BAD_CONTENT.
    """
    conversation_type(conversation_id)
    if not 0 < kind <= LAST_CLIENT_KIND:
        raise InvalidRequest(ErrorCode.UNSUPPORTED_KIND, kind=kind)
    try:
        body = encode_content(content)
    except ValueError as exc:  # a number out of range, or half a character
        raise InvalidRequest(ErrorCode.BAD_CONTENT, reason=str(exc)) from exc
    if len(body) > MAX_CONTENT_BYTES:
        raise InvalidRequest(
            ErrorCode.BAD_CONTENT, size_bytes=len(body), max_bytes=MAX_CONTENT_BYTES
        )
    return body


def compose(
    content: str | Content,
    *,
    reply_to: Message | None = None,
    mentions: Iterable[int] = (),
    mentions_all: bool = False,
) -> Content:
    """The content, with the message that it answers and the users that it mentions."""
    full = Content(text=content) if isinstance(content, str) else content
    mentioned = tuple(UserId(one) for one in mentions)
    if mentioned or mentions_all:
        full = replace(full, mentions=mentioned, mentions_all=mentions_all)
    if reply_to is not None:
        excerpt = reply_to.text[:EXCERPT_CHARS]
        full = replace(full, quote=Quote(reply_to.seq, reply_to.sender, excerpt))
    return full
