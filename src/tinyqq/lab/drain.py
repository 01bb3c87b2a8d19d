"""How fast a client catches up: what was written while it was away."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tinyqq.lab.connection import LoadConnection, connect, resume
from tinyqq.lab.frames import SendTemplate
from tinyqq.lab.one_to_one import WindowSender
from tinyqq.lab.stage import Outcome, Stage, Stopwatch, new_salt, settle
from tinyqq.model.histogram import Histogram
from tinyqq.model.ids import ConversationId, Seq, direct_conversation
from tinyqq.model.sync import MAX_PAGE_ENTRIES, GetOverview, Page, Sync
from tinyqq.wire.packets import PacketType


@dataclass(frozen=True, slots=True)
class Drain:
    """``messages`` were sent to somebody offline, who then comes back ``rounds`` times as if with
    an empty store."""

    messages: int = 5_000
    rounds: int = 5
    text_bytes: int = 100

    async def run(self, stage: Stage) -> Outcome:
        """The time from connecting to holding the last message, median of the rounds."""
        sender, receiver = stage.population.people[:2]
        conversation_id = direct_conversation(sender.user_id, receiver.user_id)
        writing = await connect(stage.target, WindowSender)
        await resume(writing, sender)
        await _fill(writing, conversation_id, self.messages, self.text_bytes)
        histogram = Histogram()
        watch = Stopwatch(stage)
        watch.begin()
        drained = 0
        for _ in range(self.rounds):
            begun_ns = time.perf_counter_ns()
            reading = await connect(stage.target, LoadConnection)
            await resume(reading, receiver)
            await reading.call(PacketType.GET_OVERVIEW, GetOverview())
            drained += await _pull(reading, conversation_id)
            histogram.add(time.perf_counter_ns() - begun_ns)
            reading.close()
        outcome = watch.end(drained)
        writing.close()
        outcome.figures["drain_s"] = histogram.percentile(50) / 1e9
        outcome.figures["lost"] = max(self.messages * self.rounds - drained, 0)
        return outcome


async def _fill(
    writing: WindowSender, conversation_id: ConversationId, messages: int, text_bytes: int
) -> None:
    template = SendTemplate(conversation_id, text_bytes=text_bytes, salt=new_salt())
    writing.start(template, 100)
    if not await settle(lambda: writing.acked >= messages):
        raise TimeoutError("the messages to drain could not be written")
    writing.stop()
    await settle(lambda: writing.acked >= writing.sent)


async def _pull(reading: LoadConnection, conversation_id: ConversationId) -> int:
    """Read the conversation from its beginning to its head; returns how many entries it has."""
    after_seq, count = Seq(0), 0
    while True:
        page: Page = await reading.call(
            PacketType.SYNC, Sync(conversation_id, after_seq, MAX_PAGE_ENTRIES)
        )
        count += len(page.entries)
        if not page.entries:
            return count
        after_seq = page.entries[-1].through_seq or page.entries[-1].seq
        if after_seq >= page.head_seq:
            return count
