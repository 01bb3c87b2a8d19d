"""The business roles on a real lane and a real database, with everything outside them recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.lane_fixtures import RecordingDelivery, operation_id

from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.account import Account, Caller
from tinyqq.model.conversation import Plan
from tinyqq.model.ids import (
    HELPER_ID,
    ConversationId,
    DeviceId,
    GroupId,
    OperationId,
    Seq,
    SessionId,
    UnitId,
    UserId,
    own_conversation,
)
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.services.friends import FriendService
from tinyqq.services.groups import GroupService
from tinyqq.services.lane import Lane
from tinyqq.storage.open import Storage, open_storage
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.content import decode_notice

ANN, BOB, EVE, ZOE = (UserId(10001 + number) for number in range(4))
EVERYBODY = (ANN, BOB, EVE, ZOE)
MEMBER_LIMIT = 4


def caller(user_id: UserId) -> Caller:
    """A session of this user."""
    return Caller(user_id, DeviceId(b"d" * 16), SessionId(user_id))


async def code_of(call: Awaitable[object]) -> ErrorCode:
    """The code of the error that a call ends in."""
    with pytest.raises(TinyQQError) as caught:
        await call
    return caught.value.code


class SettablePresence:
    """Presence as a test says it is."""

    def __init__(self) -> None:
        self.online: set[UserId] = set()
        self.is_away = False

    async def bind(self, user_id: UserId, session_id: SessionId) -> None:
        """The user is online."""
        self.online.add(user_id)

    async def unbind(self, user_id: UserId, session_id: SessionId) -> None:
        """The user is offline."""
        self.online.discard(user_id)

    async def bind_group(self, group_id: GroupId) -> None:
        """Not looked at."""

    async def unbind_group(self, group_id: GroupId) -> None:
        """Not looked at."""

    def renew(self, user_ids: Collection[UserId], group_ids: Collection[GroupId]) -> None:
        """Not looked at."""

    def watch(self, on_loss: Callable[[], None]) -> None:
        """Nothing is lost."""

    async def locate(
        self, user_ids: Sequence[UserId], group_ids: Sequence[GroupId]
    ) -> tuple[dict[UserId, frozenset[UnitId]], dict[GroupId, frozenset[UnitId]]]:
        """Everybody online is on one unit."""
        if self.is_away:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        unit = frozenset({UnitId("unit")})
        return {user_id: unit for user_id in user_ids if user_id in self.online}, {}


@dataclass
class World:
    """Ann, Bob, Eve and Zoe have accounts, and nothing has happened yet."""

    storage: Storage
    lane: Lane
    delivery: RecordingDelivery
    presence: SettablePresence = field(default_factory=SettablePresence)
    clock: FakeClock = field(default_factory=FakeClock)

    def friends(self) -> FriendService:
        """The friend role."""
        return FriendService(
            lane=self.lane,
            accounts=self.storage.accounts,
            conversations=self.storage.conversations,
            presence=self.presence,
            delivery=self.delivery,
            clock=self.clock,
            house_accounts=frozenset({HELPER_ID}),
        )

    def groups(self, *, max_groups: int = 100) -> GroupService:
        """The group role."""
        return GroupService(
            lane=self.lane,
            accounts=self.storage.accounts,
            conversations=self.storage.conversations,
            log_reader=self.storage.log_reader,
            clock=self.clock,
            member_limit=MEMBER_LIMIT,
            max_groups=max_groups,
        )

    async def befriend(self, one: UserId, other: UserId) -> None:
        """Make two users friends."""
        await self.friends().befriend(one, other, operation_id())

    async def note(self, user_id: UserId, number: OperationId, kind: Kind, notice: Notice) -> None:
        """Write a notice into a user's own conversation, as an earlier operation did."""
        plan = Plan(kind, notice)
        await self.lane.change(own_conversation(user_id), user_id, number, lambda *_: plan)

    async def entries(self, viewer_id: UserId, conversation_id: ConversationId) -> list[Entry]:
        """What the log has of a conversation for this viewer."""
        page = await self.storage.log_reader.read_page(viewer_id, conversation_id, Seq(0), 500)
        return list(page.entries)

    async def told(self, user_id: UserId) -> list[tuple[Kind, UserId, Notice]]:
        """Notices in a user's own conversation: kind, who did it, what it says."""
        return [
            (Kind(entry.kind), entry.sender_id, decode_notice(entry.body))
            for entry in await self.entries(user_id, own_conversation(user_id))
        ]

    async def told_kinds(self, user_id: UserId) -> list[Kind]:
        """Kinds of the notices in a user's own conversation."""
        return [kind for kind, _, _ in await self.told(user_id)]


@asynccontextmanager
async def open_world(
    folder: Path, delivery: RecordingDelivery | None = None
) -> AsyncIterator[World]:
    """A world whose database is in *folder*."""
    delivery, clock = delivery or RecordingDelivery(), FakeClock()
    async with open_storage(f"sqlite:///{folder}/world.db") as storage:
        await storage.accounts.create_accounts(
            [Account(user_id, f"user {user_id}", "", last_seen_at_ms=1) for user_id in EVERYBODY],
            [],
        )
        async with Lane(log=storage.log_writer, delivery=delivery, clock=clock) as lane:
            yield World(storage, lane, delivery, clock=clock)
