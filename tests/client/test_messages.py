"""Entries of the log as programs see them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, recall, text

from tinyqq.client.messages import Change, Message, to_event
from tinyqq.model.ids import ConversationId, GroupId, Seq, UserId
from tinyqq.model.message import Content, Kind, Notice, Sent


class Desk:
    """Remembers what messages ask of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    @property
    def user_id(self) -> UserId:
        return ANN

    async def send_to(
        self,
        conversation_id: ConversationId,
        content: str | Content,
        *,
        reply_to: Message | None = None,
    ) -> Sent:
        self.asked.append(("send", conversation_id, content, reply_to))
        return Sent(Seq(9), 9, 0)

    async def recall(self, conversation_id: ConversationId, seq: Seq) -> None:
        self.asked.append(("recall", conversation_id, seq))

    async def mark_read(self, conversation_id: ConversationId, seq: Seq | None = None) -> None:
        self.asked.append(("read", conversation_id, seq))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def message(entry: Any, desk: Desk) -> Message:
    event = to_event(entry, desk)
    assert isinstance(event, Message)
    return event


def test_to_event_when_message_then_its_parts(desk: Desk) -> None:
    found = message(text(3, "你好"), desk)
    assert (found.conversation, found.seq, found.sender, found.text) == (ANN_BOB, 3, BOB, "你好")
    assert (found.group_id, found.peer, found.is_own) == (None, BOB, False)
    assert found.time.timestamp() * 1000 == found.sent_at_ms
    assert found.time.tzinfo is not None


def test_to_event_when_in_a_group_then_names_it(desk: Desk) -> None:
    found = message(text(3, conversation=GROUP, sender=ANN), desk)
    assert (found.group_id, found.peer, found.is_own) == (GroupId(GROUP), None, True)


def test_to_event_when_recalled_then_empty(desk: Desk) -> None:
    found = message(text(3)._replace(kind=Kind.RECALLED, body=b"\xff"), desk)
    assert found.content == Content()


def test_to_event_when_kind_of_the_future_then_shown_with_its_text(desk: Desk) -> None:
    found = message(text(3, "[sticker]")._replace(kind=42), desk)
    assert (found.kind, found.text) == (42, "[sticker]")


def test_to_event_when_content_is_broken_then_empty(desk: Desk) -> None:
    assert message(text(3)._replace(body=b"\xff"), desk).content == Content()


def test_to_event_when_notice_then_change(desk: Desk) -> None:
    found = to_event(recall(5, target=2), desk)
    assert isinstance(found, Change)
    assert (found.actor, found.kind, found.notice) == (
        BOB,
        Kind.RECALL,
        Notice(target_seq=Seq(2)),
    )
    assert (found.group_id, found.is_own) == (None, False)
    assert found.time.timestamp() * 1000 == found.sent_at_ms


def test_to_event_when_notice_is_broken_then_empty(desk: Desk) -> None:
    found = to_event(recall(5, target=2, conversation=GROUP)._replace(body=b"\xff"), desk)
    assert isinstance(found, Change)
    assert (found.notice, found.group_id) == (Notice(), GroupId(GROUP))


async def test_message_when_asked_to_do_something_then_its_client_does(desk: Desk) -> None:
    found = message(text(3), desk)
    await found.reply("yes")
    await found.recall()
    await found.mark_read()
    assert desk.asked == [
        ("send", ANN_BOB, "yes", found),
        ("recall", ANN_BOB, 3),
        ("read", ANN_BOB, 3),
    ]
