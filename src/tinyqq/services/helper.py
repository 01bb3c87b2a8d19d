"""小Q, the built-in helper account: everybody's first friend, who answers plain questions.

Every node may run one. All derive the same operation ids from what they answer, so several that
hear the same message give one answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, TinyQQError, Unavailable
from tinyqq.model import helper_talk
from tinyqq.model.account import Account, Caller
from tinyqq.model.friend import AnswerFriend
from tinyqq.model.ids import (
    HELPER_ID,
    OPERATION_ID_BYTES,
    ConversationId,
    DeviceId,
    OperationId,
    SessionId,
    UserId,
    derived_operation_id,
    direct_conversation,
)
from tinyqq.model.message import LAST_CLIENT_KIND, Content, Kind
from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink
from tinyqq.ports.storage import AccountStore
from tinyqq.services.friends import FriendService
from tinyqq.services.lane import Change, Draft
from tinyqq.services.lanes import AnyLane
from tinyqq.wire.content import decode_content, encode_content
from tinyqq.wire.packets import decode_entry

logger = logging.getLogger(__name__)

MAX_WAITING: Final = 1_000
"""Messages that wait for an answer; more go unanswered."""
MAX_ANSWERS: Final = 20
"""Answers to one user in one window: two machines must not talk to each other for ever."""
_WINDOW_S: Final = 60.0
_ANSWER_TIMEOUT_S: Final = 30.0
_CALLER: Final = Caller(HELPER_ID, DeviceId(bytes(16)), SessionId(0), is_bot=True)


class HelperInbox:
    """Stands before a unit and keeps what is for the helper. Full: it goes unanswered, and counted.

    A part of its own because the helper speaks through the lane, whose pushes come here.
    """

    def __init__(self, unit: UnitLink) -> None:
        self._unit = unit
        self._waiting: asyncio.Queue[Push] = asyncio.Queue(MAX_WAITING)
        self.dropped = 0

    def push(self, pushes: Sequence[Push]) -> None:
        """Pass everything on; keep what the helper attends to."""
        self._unit.push(pushes)
        for push in pushes:
            if push.conversation_id >> 32 == HELPER_ID and _is_for_helper(push):
                try:
                    self._waiting.put_nowait(push)
                except asyncio.QueueFull:
                    self.dropped += 1

    def hint(self, hints: Sequence[Hint]) -> None:
        """Pass on."""
        self._unit.hint(hints)

    def kick(self, kicks: Sequence[Kick]) -> None:
        """Pass on."""
        self._unit.kick(kicks)

    async def get(self) -> Push:
        """The next push for the helper."""
        return await self._waiting.get()


class Helper:
    """See the module's docstring. ``async with helper`` lets it answer."""

    def __init__(
        self,
        *,
        inbox: HelperInbox,
        lane: AnyLane,
        accounts: AccountStore,
        friends: FriendService,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._lane = lane
        self._accounts = accounts
        self._friends = friends
        self._clock = clock
        self._group: asyncio.TaskGroup | None = None
        self._task: asyncio.Task[None] | None = None
        self._answered: Counter[UserId] = Counter()
        self._window_ends_s = 0.0
        self._answers = 0
        self._failures = 0

    async def __aenter__(self) -> Self:
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._task = self._group.create_task(self._run(), name="helper")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._group is not None:
            await self._group.__aexit__(None, None, None)

    def counters(self) -> dict[str, int | float]:
        """Counts since the start."""
        return {
            "helper_answers_total": self._answers,
            "helper_failures_total": self._failures,
            "helper_dropped_total": self._inbox.dropped,
        }

    async def ensure_account(self) -> None:
        """Make the helper's account, unless it is there. Without a password: nobody can log in."""
        if await self._accounts.find_account(HELPER_ID) is None:
            account = Account(
                HELPER_ID,
                helper_talk.HELPER_NICKNAME,
                password_hash="",
                signature=helper_talk.HELPER_SIGNATURE,
                is_bot=True,
                is_welcomed=True,
                created_at_ms=self._clock.now_ms(),
            )
            await self._accounts.create_account(account, _operation_id("account", HELPER_ID))

    async def welcome(self, user_id: UserId, language: str) -> None:
        """Make a newcomer a friend and greet them, once, however often this is called.

        Raises:
            TinyQQError: NotFound USER_NOT_FOUND; Unavailable: call again.
        """
        try:
            await self._friends.befriend(HELPER_ID, user_id, _operation_id("befriend", user_id))
        except Conflict:
            logger.debug("helper.friends_already", extra={"user_id": user_id})
        await self._say(
            direct_conversation(HELPER_ID, user_id),
            _operation_id("greet", user_id),
            helper_talk.greeting(language),
        )

    async def _run(self) -> None:
        while True:
            push = await self._inbox.get()
            try:
                await self._attend(push)
            except TinyQQError as error:
                # Deleted, blocked, or the database is away: an unanswered chat does no harm.
                self._failures += 1
                logger.debug("helper.no_answer", extra={"why": str(error)})
            except Exception:
                self._failures += 1
                logger.exception("helper.failed")

    async def _attend(self, push: Push) -> None:
        operation_id = _operation_id("answer", push.conversation_id, push.seq)
        if push.kind == Kind.FRIEND_REQUESTED:
            accept = AnswerFriend(operation_id, push.sender_id, accept=True)
            await self._friends.answer_friend(_CALLER, accept)
            return
        text = helper_talk.only_text()
        if push.kind == Kind.TEXT:
            question = decode_content(decode_entry(push.body).body).text
            if helper_talk.is_own_words(question):
                return
            text = helper_talk.answer(question)
        if self._may_answer(push.sender_id) and not await self._is_bot(push.sender_id):
            await self._say(push.conversation_id, operation_id, text)
            self._answers += 1

    def _may_answer(self, user_id: UserId) -> bool:
        now_s = self._clock.monotonic()
        if now_s >= self._window_ends_s:
            self._answered.clear()
            self._window_ends_s = now_s + _WINDOW_S
        self._answered[user_id] += 1
        return self._answered[user_id] <= MAX_ANSWERS

    async def _is_bot(self, user_id: UserId) -> bool:
        account = await self._accounts.find_account(user_id)
        return account is None or account.is_bot

    async def _say(
        self, conversation_id: ConversationId, operation_id: OperationId, text: str
    ) -> None:
        future: asyncio.Future[Change | TinyQQError] = asyncio.get_running_loop().create_future()

        def done(outcome: Change | TinyQQError) -> None:
            if not future.done():
                future.set_result(outcome)

        body = encode_content(Content(text))
        self._lane.submit(
            Draft(conversation_id, HELPER_ID, operation_id, done, int(Kind.TEXT), body)
        )
        try:
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                outcome = await future
        except TimeoutError as exc:
            raise Unavailable(ErrorCode.TIMED_OUT, retry_after_s=1.0) from exc
        if isinstance(outcome, TinyQQError):
            raise outcome


def _is_for_helper(push: Push) -> bool:
    if HELPER_ID in (push.sender_id, push.conversation_id & 0xFFFFFFFF):
        return False
    return 0 < push.kind <= LAST_CLIENT_KIND or push.kind == Kind.FRIEND_REQUESTED


def _operation_id(step: str, *numbers: int) -> OperationId:
    """The same for every node and every repeat."""
    key = "/".join((step, *map(str, numbers)))
    return derived_operation_id(OperationId(bytes(OPERATION_ID_BYTES)), key)
