"""From what programs write to a message's content."""

from __future__ import annotations

from typing import cast

from tests.support.entries import text

from tinyqq.client.compose import EXCERPT_CHARS, compose
from tinyqq.client.messages import Desk, Message, to_event
from tinyqq.model.ids import UserId
from tinyqq.model.message import Card, Content, Quote


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
