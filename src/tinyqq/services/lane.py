"""The lane: the only writer of log rows in this process. Here a message gets its number.

What is submitted while a batch is being committed becomes the next batch, so the batch size adapts to the
load by itself. The primary key (conversation_id, seq) is the fence between lanes of different processes:
which lane appends is a matter of speed, never of correctness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tinyqq.errors import TinyQQError
from tinyqq.model.conversation import Rule
from tinyqq.model.ids import ConversationId, OperationId, SessionId, UserId
from tinyqq.model.message import Entry


class Change(NamedTuple):
    """The outcome of a change: its entry, and whether an earlier call of the operation wrote it."""

    entry: Entry
    is_repeat: bool


@dataclass(slots=True)
class Draft:
    """An entry on its way into the log.

    ``rule`` decides whether it may be written and what it is (kind, notice, effects); ``None``: an own
    conversation's note or a message, checked by ``speaking.check_may_speak``.
    """

    conversation_id: ConversationId
    sender_id: UserId
    operation_id: OperationId
    done: Callable[[Change | TinyQQError], None]
    kind: int = 0
    body: bytes = b""
    raw: bytes = b""
    mentions_all: bool = False
    origin: SessionId = SessionId(0)
    rule: Rule | None = None


class Lane:
    """See the module's docstring. ``async with lane`` runs it."""

    def submit(self, draft: Draft) -> None:
        """Take a draft; ``draft.done`` is called once, in the event loop, after commit or refusal."""
        raise NotImplementedError

    async def change(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        operation_id: OperationId,
        rule: Rule,
    ) -> Change:
        """Write one notice by a rule, push it to whoever may see it, and return it.

        A repeat of ``(conversation_id, sender_id, operation_id)`` returns the first entry, whatever the
        rule says now, and pushes it again.

        Raises:
            TinyQQError: what the rule raised, against fresh state; Unavailable when the log cannot be
                written.
        """
        raise NotImplementedError
