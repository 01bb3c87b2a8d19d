"""The lane: the only writer of log rows in this process. Here a message is numbered and committed.

What is submitted while a batch is being committed becomes the next batch, so the batch size adapts
to the load by itself. The primary key (conversation_id, seq) is the fence between lanes of
different processes: which lane appends is a matter of speed, never of correctness. After any
failure the truth is read again: heads, grants, and which of the batch's entries are in the log
after all (answers.py); after coming second only what others have added. Conversations whose head
had moved then stand aside for a moment (rivals.py) and go alone into a later statement; the others
go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.conversation import Rule
from tinyqq.model.ids import ConversationId, OperationId, Seq, UserId
from tinyqq.ports.delivery import Delivery, Push
from tinyqq.ports.services import FindHome
from tinyqq.ports.storage import AppendFailed, LogWriter
from tinyqq.services.answers import Answers
from tinyqq.services.contention import Contention
from tinyqq.services.gathering import Gathering, nowhere
from tinyqq.services.numbering import MAX_ADDED, Change, Draft, Numbering, Placed
from tinyqq.services.rivals import Rivals
from tinyqq.services.timing import Timing
from tinyqq.services.waiting import Waiting

logger = logging.getLogger(__name__)

__all__ = ["Change", "Draft", "Lane", "LaneLimits"]

_FIRST_PAUSE_S: Final = 0.02
_LAST_PAUSE_S: Final = 1.0
_LONE_FAILURES: Final = 6
"""How often a single draft may fail before it is refused as inadmissible."""


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
    rest_s: float = 10.0
    """How long a conversation is not handed to another node again after that has failed."""
    look_every_s: float = 0.0
    """How often a conversation that is in every batch is left to other processes for a moment, in
    case one waits that never comes first. 0: nobody else writes to this log."""


class Lane:
    """See the module's docstring. ``async with lane`` runs it; leaving it commits what is pending.

    Args:
        commits: told how long each append took; lanes may share one.
        find_home: where the nodes gather a conversation that several of them write.
    """

    def __init__(
        self,
        *,
        log: LogWriter,
        delivery: Delivery,
        clock: Clock,
        limits: LaneLimits | None = None,
        random: Random | None = None,
        commits: Timing | None = None,
        find_home: FindHome = nowhere,
    ) -> None:
        self._log = log
        self._commits = commits or Timing()
        self._clock = clock
        self._limits = limits or LaneLimits()
        self._numbering = Numbering(
            max_weight=self._limits.max_cached_rows, max_recent=self._limits.max_recent
        )
        self._waiting = Waiting(
            max_batch_entries=self._limits.max_batch_entries,
            max_batch_bytes=self._limits.max_batch_bytes,
            max_entries=self._limits.max_pending_entries,
            max_bytes=self._limits.max_pending_bytes,
        )
        self._wake = asyncio.Event()
        self._answers = Answers(log=log, numbering=self._numbering, delivery=delivery)
        self._gathering = Gathering(
            find_home=find_home,
            answers=self._answers,
            clock=clock,
            take_back=self._take_back,
            rest_s=self._limits.rest_s,
        )
        self._rivals = Rivals(
            waiting=self._waiting,
            numbering=self._numbering,
            contention=Contention(
                draw=(random or Random()).random, look_every_s=self._limits.look_every_s
            ),
            answers=self._answers,
            gathering=self._gathering,
            clock=clock,
            give_up_s=self._limits.give_up_s,
            wake=self._wake.set,
        )
        self._believed: dict[ConversationId, Seq] = {}
        """Heads under which a batch was numbered that was not written."""
        self._unwritten: Sequence[Placed] = ()
        self._closing = False
        self._is_failing = False
        self._group: asyncio.TaskGroup | None = None
        self._counters = {
            "lane_batches_total": 0,
            "lane_entries_total": 0,
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
        self._gathering.close()
        self._wake.set()
        if self._group is not None:
            # Not handed our caller's exception: what was submitted is still committed.
            await self._group.__aexit__(None, None, None)

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        return {
            **self._counters,
            "lane_repeats_total": self._answers.repeats,
            "lane_refusals_total": self._answers.refusals,
            "lane_stood_aside_total": self._rivals.stood_aside,
            "lane_pending_entries": len(self._waiting),
            "lane_pending_bytes": self._waiting.size_bytes,
            "lane_contended_conversations": len(self._rivals),
            **self._gathering.counters(),
        }

    def submit(self, draft: Draft) -> None:
        """Take a draft; ``draft.done`` is called once, in the event loop, after commit or refusal.

        Order: drafts of one sender to one conversation are numbered in the order of submission. A
        full or closing lane refuses at once, from inside this call, with Unavailable.
        """
        if self._closing:
            draft.done(Unavailable(ErrorCode.DRAINING, retry_after_s=1.0))
            return
        if self._gathering and self._gathering.take(draft):
            return
        if not self._waiting.has_room(draft):
            self._counters["lane_busy_total"] += 1
            draft.done(Unavailable(ErrorCode.BUSY, retry_after_s=0.5))
            return
        self._waiting.append(draft)
        self._wake.set()

    def hear(self, pushes: Sequence[Push]) -> None:
        """Learn from what other processes have committed; only a matter of speed."""
        for push in pushes:
            self._numbering.hear(push.conversation_id, push.seq, push.kind)

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
                be written.
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
            batch = self._waiting.take()
            if batch:
                await self._commit_all(batch)
                self._numbering.trim()
                self._rivals.trim()
                continue
            if self._closing and not self._waiting and not self._gathering:
                return
            self._wake.clear()
            await self._wake.wait()

    def _take_back(self, drafts: Sequence[Draft]) -> None:
        """What another node was to write is this lane's again; none of it is refused for want of
        room."""
        for draft in drafts:
            self._waiting.append(draft)
        self._wake.set()

    async def _commit_all(self, drafts: list[Draft]) -> None:
        """Bring a batch to an end: every draft is answered when this returns.

        A fault that always comes back (an inadmissible row) is cornered by halves, so that the rest
        of the batch goes through.
        """
        give_up_at_s = self._clock.monotonic() + self._limits.give_up_s
        pause_s, failures, size = _FIRST_PAUSE_S, 0, len(drafts)
        is_unsettled = is_second = False
        self._believed = {}
        while drafts:
            try:
                if is_unsettled:
                    drafts, is_unsettled = await self._settle(drafts, is_second=is_second), False
                    continue
                if self._believed:
                    drafts = await self._part_with_moved(drafts, size)
                drafts = await self._commit_round(drafts[:size]) + drafts[size:]
                failures = 0
                self._tell_success()
                continue
            except (AppendFailed, Unavailable) as failure:
                is_known = isinstance(failure, AppendFailed) and failure.outcome_known
                # Nothing is wrong with what merely came second.
                is_second = isinstance(failure, AppendFailed) and failure.key_taken
                failures += is_known and not is_second
                if not is_second:
                    self._tell_failure(failure, len(drafts))
            except Exception:  # a bug below must not leave every sender without an answer
                logger.exception("lane.broken", extra={"entries": len(drafts)})
                is_known = is_second = False
            is_unsettled = True
            self._counters["lane_failures_total"] += 1
            if is_second:
                self._numbering.take_back(self._unwritten)
            else:
                self._numbering.forget({draft.conversation_id for draft in drafts})
            if failures > _LONE_FAILURES and size == 1:
                self._answers.refuse(drafts.pop(0), Unavailable(ErrorCode.INTERNAL))
                failures = 0
            elif failures > 1:
                size = max(1, size // 2)
            if self._clock.monotonic() >= give_up_at_s:
                self._refuse_everything(drafts)
                return
            if not is_known:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LAST_PAUSE_S)

    def _tell_failure(self, failure: AppendFailed | Unavailable, entries: int) -> None:
        """Once, until something goes through: a database that is away fails every batch."""
        level = logging.DEBUG if self._is_failing else logging.WARNING
        self._is_failing = True
        logger.log(level, "lane.failure", extra={"entries": entries, "why": str(failure)})

    def _tell_success(self) -> None:
        if self._is_failing:
            self._is_failing = False
            logger.info("lane.goes_on")

    async def _commit_round(self, drafts: list[Draft]) -> list[Draft]:
        """Commit what may be committed now; returns the drafts that need another round.

        Raises:
            AppendFailed, Unavailable: nothing was answered; the outcome has to be settled.
        """
        missing = await self._load_missing(drafts)
        result = self._numbering.place(
            drafts,
            fresh=frozenset(missing),
            now_s=self._clock.monotonic(),
            now_ms=self._clock.now_ms(),
        )
        if result.listings:
            await self._log.ensure_listed(result.listings)
        if result.placed:
            self._believed, self._unwritten = _heads_before(result.placed), result.placed
            began_s = self._clock.monotonic()
            await self._append(result.placed)
            written, self._believed, self._unwritten = self._believed, {}, ()
            self._rivals.won(written, self._clock.monotonic() - began_s)
        for draft, entry in result.repeats:
            self._answers.repeat(draft, entry)
        if result.refused:
            await self._answers.refuse_unless_found(result.refused)
        self._numbering.forget({draft.conversation_id for draft in result.deferred})
        return result.deferred

    async def _load_missing(self, drafts: Sequence[Draft]) -> list[ConversationId]:
        """Read what is not known; returns the conversations that were read as a whole."""
        behind = self._numbering.behind(drafts)
        if behind:
            self._numbering.catch_up(behind, await self._log.read_after(behind, MAX_ADDED))
        missing = self._numbering.missing(drafts, self._clock.monotonic())
        if missing:
            states = await self._log.load(missing)
            self._numbering.learn(states.values(), self._clock.monotonic())
        return missing

    async def _append(self, placed: Sequence[Placed]) -> None:
        entries = [one.entry for one in placed]
        effects = [(one.entry.conversation_id, effect) for one in placed for effect in one.effects]
        began_s = self._clock.monotonic()
        await self._log.append(entries, effects)
        self._commits.add(self._clock.monotonic() - began_s)
        self._counters["lane_batches_total"] += 1
        self._counters["lane_entries_total"] += len(entries)
        self._answers.committed(placed)

    # ---- after a failure -------------------------------------------------------------------------

    async def _settle(self, drafts: list[Draft], *, is_second: bool) -> list[Draft]:
        """Answer what is in the log after all; returns who goes on at once.

        Args:
            is_second: nothing was written, because a number or an operation was taken.
        """
        others = await self._answers.find(drafts)
        if is_second and len(others) == len(drafts) and len(self._believed) == 1:
            # A conversation that was alone: its head has moved, there is no need to look.
            [conversation_id] = self._believed
            if all(one.conversation_id == conversation_id for one in others):
                self._believed = {}
                self._rivals.lost(conversation_id, others)
                return []
        return others

    async def _part_with_moved(self, drafts: list[Draft], size: int) -> list[Draft]:
        """Who of *drafts*, of which *size* are next, goes on at once, because nobody else has
        written there."""
        await self._load_missing(drafts[:size])
        believed, self._believed = self._believed, {}
        return self._rivals.part(drafts, believed)

    def _refuse_everything(self, drafts: list[Draft]) -> None:
        """The database cannot be written: whoever waits behind would only wait for the same.
        Refusing them all also keeps every sender's order."""
        for draft in (*drafts, *self._waiting.clear()):
            self._answers.refuse(draft, Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=1.0))


def _heads_before(placed: Sequence[Placed]) -> dict[ConversationId, Seq]:
    """The heads under which entries were numbered."""
    heads: dict[ConversationId, Seq] = {}
    for one in placed:
        heads.setdefault(one.entry.conversation_id, Seq(one.entry.seq - 1))
    return heads
