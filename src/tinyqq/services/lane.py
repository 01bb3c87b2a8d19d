"""The lane: the only writer of log rows in this process. Here a message is numbered and committed.

What is submitted while a batch is being committed becomes the next batch, so the batch size adapts
to the load by itself. The primary key (conversation_id, seq) is the fence between lanes of
different processes: which lane appends is a matter of speed, never of correctness. After any
failure the truth is read again: heads, grants, and which of the batch's entries are in the log
after all.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.conversation import Rule
from tinyqq.model.ids import ConversationId, OperationId, UserId
from tinyqq.model.message import Entry
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.storage import AppendFailed, LogWriter
from tinyqq.services.numbering import Change, Draft, Numbering, Placed

logger = logging.getLogger(__name__)

__all__ = ["Change", "Draft", "Lane", "LaneLimits"]

_FIRST_PAUSE_S: Final = 0.02
_LAST_PAUSE_S: Final = 1.0
_LONE_FAILURES: Final = 6
"""How often a single draft may fail before it is refused as inadmissible."""
_ENTRY_OVERHEAD_BYTES: Final = 100
"""What a row costs beyond its body, roughly."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Bounds of a lane. Full means: refused with Unavailable(BUSY) and a time to retry."""

    max_batch_entries: int = 1_024
    max_batch_bytes: int = 4 * 1024 * 1024
    max_pending_entries: int = 50_000
    max_pending_bytes: int = 128 * 1024 * 1024
    max_cached_rows: int = 500_000
    max_recent: int = 16_384
    give_up_s: float = 10.0
    """How long a batch is tried again when the database cannot be written."""
    change_timeout_s: float = 30.0


class Lane:
    """See the module's docstring. ``async with lane`` runs it; leaving it commits what is
    pending."""

    def __init__(
        self, *, log: LogWriter, delivery: Delivery, clock: Clock, limits: LaneLimits | None = None
    ) -> None:
        self._log = log
        self._delivery = delivery
        self._clock = clock
        self._limits = limits or LaneLimits()
        self._numbering = Numbering(
            max_weight=self._limits.max_cached_rows, max_recent=self._limits.max_recent
        )
        self._pending: deque[Draft] = deque()
        self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._closing = False
        self._group: asyncio.TaskGroup | None = None
        self._counters = {
            "lane_batches_total": 0,
            "lane_entries_total": 0,
            "lane_repeats_total": 0,
            "lane_refusals_total": 0,
            "lane_busy_total": 0,
            "lane_failures_total": 0,
        }

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._group.create_task(self._run(), name="lane")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing = True
        self._wake.set()
        if self._group is not None:
            # Not handed our caller's exception: what was submitted is still committed.
            await self._group.__aexit__(None, None, None)

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        return {
            **self._counters,
            "lane_pending_entries": len(self._pending),
            "lane_pending_bytes": self._pending_bytes,
        }

    def submit(self, draft: Draft) -> None:
        """Take a draft; ``draft.done`` is called once, in the event loop, after commit or refusal.

        Order: drafts of one sender to one conversation are numbered in the order of submission. A
        full or closing lane refuses at once, from inside this call, with Unavailable.
        """
        limits = self._limits
        size_bytes = len(draft.body) + _ENTRY_OVERHEAD_BYTES
        if self._closing:
            draft.done(Unavailable(ErrorCode.DRAINING, retry_after_s=1.0))
            return
        if (
            len(self._pending) >= limits.max_pending_entries
            or self._pending_bytes + size_bytes > limits.max_pending_bytes
        ):
            self._counters["lane_busy_total"] += 1
            draft.done(Unavailable(ErrorCode.BUSY, retry_after_s=0.5))
            return
        self._pending.append(draft)
        self._pending_bytes += size_bytes
        self._wake.set()

    async def change(
        self,
        conversation_id: ConversationId,
        sender_id: UserId,
        operation_id: OperationId,
        rule: Rule,
    ) -> Change:
        """Write one notice by a rule, push it to whoever may see it, and return it.

        A repeat of ``(conversation_id, sender_id, operation_id)`` returns the first entry, whatever
        the rule says now, and pushes it again.

        Raises:
            TinyQQError: what the rule raised, against fresh state; Unavailable when the log cannot
            be
                written.
        """
        future: asyncio.Future[Change] = asyncio.get_running_loop().create_future()

        def done(outcome: Change | TinyQQError) -> None:
            if future.done():
                return
            if isinstance(outcome, TinyQQError):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

        self.submit(Draft(conversation_id, sender_id, operation_id, done, rule=rule))
        try:
            async with asyncio.timeout(self._limits.change_timeout_s):
                return await future
        except TimeoutError as exc:
            raise Unavailable(ErrorCode.TIMED_OUT, retry_after_s=1.0) from exc

    # ---- the loop --------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            if not self._pending:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            await self._commit_all(self._take_batch())
            self._numbering.trim()

    def _take_batch(self) -> list[Draft]:
        limits = self._limits
        batch: list[Draft] = []
        size_bytes = 0
        while self._pending and len(batch) < limits.max_batch_entries:
            cost = len(self._pending[0].body) + _ENTRY_OVERHEAD_BYTES
            if batch and size_bytes + cost > limits.max_batch_bytes:
                break
            size_bytes += cost
            batch.append(self._pending.popleft())
        self._pending_bytes -= size_bytes
        return batch

    async def _commit_all(self, drafts: list[Draft]) -> None:
        """Bring a batch to an end: every draft is answered when this returns.

        A fault that always comes back (an inadmissible row) is cornered by halves, so that the rest
        of the batch goes through.
        """
        give_up_at_s = self._clock.monotonic() + self._limits.give_up_s
        pause_s, failures, size = _FIRST_PAUSE_S, 0, len(drafts)
        is_unsettled = False
        while drafts:
            try:
                if is_unsettled:
                    drafts, is_unsettled = await self._settle(drafts), False
                    continue
                drafts = await self._commit_round(drafts[:size]) + drafts[size:]
                failures = 0
                continue
            except (AppendFailed, Unavailable) as failure:
                logger.warning("lane.failure", extra={"entries": len(drafts), "why": str(failure)})
                is_known = isinstance(failure, AppendFailed) and failure.outcome_known
                # Nothing is wrong with what merely came second.
                failures += is_known and not getattr(failure, "key_taken", False)
            except Exception:  # a bug below must not leave every sender without an answer
                logger.exception("lane.broken", extra={"entries": len(drafts)})
                is_known = False
            is_unsettled = True
            self._counters["lane_failures_total"] += 1
            self._numbering.forget({draft.conversation_id for draft in drafts})
            if failures > _LONE_FAILURES and size == 1:
                self._refuse(drafts.pop(0), Unavailable(ErrorCode.INTERNAL))
                failures = 0
            elif failures > 1:
                size = max(1, size // 2)
            if self._clock.monotonic() >= give_up_at_s:
                self._refuse_everything(drafts)
                return
            if not is_known:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LAST_PAUSE_S)

    async def _commit_round(self, drafts: list[Draft]) -> list[Draft]:
        """Commit what may be committed now; returns the drafts that need another round.

        Raises:
            AppendFailed, Unavailable: nothing was answered; the outcome has to be settled.
        """
        missing = self._numbering.missing(drafts, self._clock.monotonic())
        if missing:
            states = await self._log.load(missing)
            self._numbering.learn(states.values(), self._clock.monotonic())
        result = self._numbering.place(
            drafts,
            fresh=frozenset(missing),
            now_s=self._clock.monotonic(),
            now_ms=self._clock.now_ms(),
        )
        if result.listings:
            await self._log.ensure_listed(result.listings)
        if result.placed:
            await self._append(result.placed)
        for draft, entry in result.repeats:
            self._answer_repeat(draft, entry)
        if result.refused:
            await self._answer_refused(result.refused)
        self._numbering.forget({draft.conversation_id for draft in result.deferred})
        return result.deferred

    async def _append(self, placed: Sequence[Placed]) -> None:
        entries = [one.entry for one in placed]
        effects = [
            (one.entry.conversation_id, effect) for one in placed if one.effects
            for effect in one.effects
        ]  # fmt: skip
        await self._log.append(entries, effects)
        self._counters["lane_batches_total"] += 1
        self._counters["lane_entries_total"] += len(entries)
        push = self._delivery.push
        for one in placed:
            # Answer and push entry by entry: so a session that both sends and receives in one
            # conversation sees its seqs in order, and no client asks for a gap that is none.
            try:
                one.draft.done(Change(one.entry, is_repeat=False))
                push((self._numbering.committed(one),))
            except Exception:  # it is committed: whoever missed it finds it in the log
                logger.exception("lane.answer_failed")

    async def _answer_refused(self, refused: Sequence[tuple[Draft, TinyQQError]]) -> None:
        """Refuse, unless the log shows that this is the repeat of something that was granted."""
        try:
            found = await self._log.find_sent([draft.key for draft, _ in refused])
        except Unavailable as unavailable:
            for draft, _ in refused:
                self._refuse(draft, unavailable)
            return
        for draft, error in refused:
            entry = found.get(draft.key)
            if entry is None:
                self._refuse(draft, error)
            else:
                self._answer_repeat(draft, entry)

    async def _settle(self, drafts: list[Draft]) -> list[Draft]:
        """After a failure: answer what is in the log after all; returns the others."""
        found = await self._log.find_sent([draft.key for draft in drafts])
        others: list[Draft] = []
        for draft in drafts:
            entry = found.get(draft.key)
            if entry is None:
                others.append(draft)
            else:
                self._answer_repeat(draft, entry)
        return others

    def _answer_repeat(self, draft: Draft, entry: Entry) -> None:
        self._counters["lane_repeats_total"] += 1
        draft.done(Change(entry, is_repeat=True))
        self._delivery.push((self._numbering.found(draft, entry),))

    def _refuse(self, draft: Draft, error: TinyQQError) -> None:
        self._counters["lane_refusals_total"] += 1
        draft.done(error)

    def _refuse_everything(self, drafts: list[Draft]) -> None:
        """The database cannot be written: whoever waits behind would only wait for the same.
        Refusing them all also keeps every sender's order."""
        waiting, self._pending, self._pending_bytes = self._pending, deque(), 0
        for draft in (*drafts, *waiting):
            self._refuse(draft, Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=1.0))
