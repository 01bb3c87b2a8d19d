"""From what programs write to a message's content."""

from __future__ import annotations

from typing import cast

import pytest
from tests.support.entries import ANN_BOB, text

from tinyqq.client.compose import EXCERPT_CHARS, compose, encode_sendable
from tinyqq.client.messages import Desk, Message, to_event
from tinyqq.errors import InvalidRequest
from tinyqq.model.ids import ConversationId, UserId
from tinyqq.model.message import MAX_CONTENT_BYTES, Card, Content, Quote


class Nobody:
    user_id = UserId(1)


def test_compose_when_text_then_content() -> None:
    assert compose("你好") == Content(text="你好")


def test_compose_when_content_then_as_it_is() -> None:
    content = Content(text="x", card=Card("title"), mentions=(UserId(5),))
    assert compose(content) == content


def test_compose_when_mentioning_then_named() -> None:
    assert compose("hi", mentions=[7], mentions_all=True) == Content(
        text="hi", mentions=(UserId(7),), mentions_all=True
    )


def test_compose_when_answering_then_quotes_the_beginning() -> None:
    message = to_event(text(3, "长" * 200), cast(Desk, Nobody()))
    assert isinstance(message, Message)
    quote = compose("yes", reply_to=message).quote
    assert quote == Quote(message.seq, message.sender, "长" * EXCERPT_CHARS)


HEAD_BYTES = 4
"""What the field of a long text takes besides the text."""


@pytest.mark.parametrize(
    ("conversation", "kind", "content"),
    [
        (5, 1, Content("x")),
        (-1, 1, Content("x")),
        (ANN_BOB, 0, Content("x")),
        (ANN_BOB, 64, Content("x")),
        (ANN_BOB, 1, Content("x" * (MAX_CONTENT_BYTES - HEAD_BYTES + 1))),
        (ANN_BOB, 1, Content("\ud800")),
        (ANN_BOB, 1, Content("x", mentions=(UserId(-1),))),
    ],
)
def test_encode_sendable_when_it_would_never_be_taken_then_refused(
    conversation: int, kind: int, content: Content
) -> None:
    with pytest.raises(InvalidRequest):
        encode_sendable(ConversationId(conversation), kind, content)


def test_encode_sendable_when_it_may_be_taken_then_its_bytes() -> None:
    content = Content("x" * (MAX_CONTENT_BYTES - HEAD_BYTES))
    assert len(encode_sendable(ANN_BOB, 63, content)) == MAX_CONTENT_BYTES
