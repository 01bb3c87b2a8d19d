"""From what programs write to the content of a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tinyqq.client.messages import Message
from tinyqq.model.ids import UserId
from tinyqq.model.message import Content, Quote

EXCERPT_CHARS: Final = 80


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
