"""Whatever is lost, doubled or out of order: with honest syncs everything comes once, in order."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.support.entries import ANN_BOB, GROUP, gap, recall, text

from tinyqq.client.inbox import Inbox
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Entry, Kind
from tinyqq.model.sync import Page, Position

CONVERSATIONS = (ANN_BOB, GROUP)


@dataclass
class Log:
    """The truth about one conversation, and what the inbox made of it."""

    conversation: ConversationId
    entries: list[Entry] = field(default_factory=list)
    started_after: int = 0
    seen: list[int] = field(default_factory=list)
    outstanding: tuple[int, Page] | None = None

    @property
    def head(self) -> int:
        return max((max(one.seq, one.through_seq) for one in self.entries), default=0)

    def page(self, after: int, limit: int) -> Page:
        rest = [one for one in self.entries if max(one.seq, one.through_seq) > after]
        return Page(tuple(rest[:limit]), Seq(self.head))

    @property
    def visible(self) -> list[int]:
        return [
            one.seq
            for one in self.entries
            if one.kind != Kind.HIDDEN and one.seq > self.started_after
        ]


class InboxMachine(RuleBasedStateMachine):
    """A server that loses, repeats and turns round pushes, and answers syncs honestly and late."""

    def __init__(self) -> None:
        super().__init__()
        self.logs = {one: Log(one) for one in CONVERSATIONS}
        self.inbox = Inbox()
        self.settled = False

    @initialize(max_held=st.integers(0, 5), known=st.booleans())
    def begin(self, max_held: int, known: bool) -> None:
        positions = [Position(ANN_BOB, Seq(0))] if known else []
        self.inbox = Inbox(positions, max_held=max_held)

    def take(self, log: Log, ready: list[Entry]) -> None:
        log.seen += [one.seq for one in ready]

    def take_mixed(self, ready: list[Entry]) -> None:
        for entry in ready:
            self.logs[entry.conversation_id].seen.append(entry.seq)

    @rule(conversation=st.sampled_from(CONVERSATIONS), length=st.integers(0, 3))
    def append(self, conversation: ConversationId, length: int) -> None:
        log = self.logs[conversation]
        first = log.head + 1
        if length > 1:
            log.entries.append(gap(first, first + length - 1, conversation=conversation))
        elif length == 1 or first == 1:
            log.entries.append(text(first, conversation=conversation))
        else:
            log.entries.append(recall(first, target=first - 1, conversation=conversation))

    @rule(conversation=st.sampled_from(CONVERSATIONS), where=st.integers(0, 6))
    def push(self, conversation: ConversationId, where: int) -> None:
        log = self.logs[conversation]
        if where < len(log.entries):
            self.take(log, self.inbox.apply(log.entries[-1 - where]))

    @rule(conversation=st.sampled_from(CONVERSATIONS))
    def tell_head(self, conversation: ConversationId) -> None:
        self.inbox.learn_head(conversation, Seq(self.logs[conversation].head))

    @precondition(lambda self: not self.settled)
    @rule(after=st.integers(0, 4))
    def overview(self, after: int) -> None:
        log = self.logs[ANN_BOB]
        start = min(after, log.head)
        if self.inbox.position(ANN_BOB) is None:
            log.started_after = start
        self.take(log, self.inbox.start(ANN_BOB, Seq(start)))
        self.take_mixed(self.inbox.settle())
        self.settled = True

    @rule(limit=st.integers(1, 3))
    def ask(self, limit: int) -> None:
        wanted = self.inbox.next_sync()
        if wanted is not None:
            log = self.logs[wanted.conversation_id]
            assert log.outstanding is None, "two syncs of one conversation"
            log.outstanding = (wanted.seq, log.page(wanted.seq, limit))

    @rule(conversation=st.sampled_from(CONVERSATIONS), fails=st.booleans())
    def answer(self, conversation: ConversationId, fails: bool) -> None:
        log = self.logs[conversation]
        if log.outstanding is None:
            return
        (_, page), log.outstanding = log.outstanding, None
        if fails:
            self.inbox.sync_failed(conversation, for_good=False)
        else:
            self.take(log, self.inbox.apply_page(conversation, page))

    @invariant()
    def once_and_in_order(self) -> None:
        for log in self.logs.values():
            assert log.seen == log.visible[: len(log.seen)]

    def teardown(self) -> None:
        if not self.settled:
            self.overview(0)
        for log in self.logs.values():
            self.answer(log.conversation, fails=False)
            self.inbox.learn_head(log.conversation, Seq(log.head))
        for _ in range(100):
            wanted = self.inbox.next_sync()
            if wanted is None:
                break
            log = self.logs[wanted.conversation_id]
            page = log.page(wanted.seq, 2)
            self.take(log, self.inbox.apply_page(log.conversation, page))
        for log in self.logs.values():
            assert log.seen == log.visible


TestInbox = InboxMachine.TestCase
TestInbox.settings = settings(max_examples=200, stateful_step_count=50)
