"""Entries of a log for tests of the client."""

from __future__ import annotations

from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId, direct_conversation
from tinyqq.model.message import Content, Entry, Kind, Notice, hidden
from tinyqq.wire.content import encode_content, encode_notice

ANN, BOB = UserId(10_001), UserId(10_002)
ANN_BOB = direct_conversation(ANN, BOB)
GROUP = ConversationId(20_001)


def text(
    seq: int, words: str = "", *, conversation: ConversationId = ANN_BOB, sender: UserId = BOB
) -> Entry:
    """A message."""
    body = encode_content(Content(text=words or f"text {seq}"))
    return _entry(conversation, seq, sender, Kind.TEXT, body)


def recall(seq: int, target: int, *, conversation: ConversationId = ANN_BOB) -> Entry:
    """A recall of entry *target*."""
    body = encode_notice(Notice(target_seq=Seq(target)))
    return _entry(conversation, seq, BOB, Kind.RECALL, body)


def gap(first: int, last: int, *, conversation: ConversationId = ANN_BOB) -> Entry:
    """A stretch that the user may not see."""
    return hidden(conversation, Seq(first), Seq(last))


def _entry(conversation: ConversationId, seq: int, sender: UserId, kind: int, body: bytes) -> Entry:
    message_id = OperationId(conversation.to_bytes(8, "big") + seq.to_bytes(8, "big"))
    return Entry(conversation, Seq(seq), seq, sender, message_id, 1_790_000_000_000, kind, body)
