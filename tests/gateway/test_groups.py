"""The index of a group's local users: who gets a push, and when it must be read anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from tests.support.gateway import ANN, BOB, EVE, UNIT, entry_push, until
from tests.support.services import FakeConversations

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.gateway.groups import MAX_HELD, LocalGroups
from tinyqq.gateway.tasks import TaskPool
from tinyqq.model.ids import GroupId, Seq, UserId
from tinyqq.ports.delivery import Push
from tinyqq.presence.memory import MemoryPresence

GROUP = GroupId(20_000)
DOWN = Unavailable(ErrorCode.UNAVAILABLE)


class TryingPresence(MemoryPresence):
    """A back-end that is slow or fails, as a test wants it."""

    def __init__(self) -> None:
        super().__init__(unit_id=UNIT)
        self.gate: asyncio.Event | None = None
        self.errors: list[Exception] = []

    async def bind_group(self, group_id: GroupId) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        await super().bind_group(group_id)

    async def holds(self, group_id: GroupId) -> bool:
        """Whether pushes of the group would be sent here."""
        return group_id in (await self.locate((), (group_id,)))[1]


class World:
    """A unit's groups, and what they wrote to whom."""

    def __init__(self) -> None:
        self.conversations = FakeConversations()
        self.presence = TryingPresence()
        self.here: set[UserId] = set()
        self.written: list[tuple[int, tuple[UserId, ...]]] = []
        self.missed: list[tuple[int, tuple[UserId, ...]]] = []
        self.tasks = TaskPool()
        self.groups = LocalGroups(
            presence=self.presence,
            conversations=self.conversations.store,
            tasks=self.tasks,
            write=self._write,
            miss=self._miss,
            is_here=self.here.__contains__,
            retries_s=(0.0, 0.0, 0.0),
        )

    def _write(self, push: Push, user_ids: Iterable[UserId]) -> None:
        self.written.append((push.seq, tuple(sorted(self.here.intersection(user_ids)))))

    def _miss(self, push: Push, user_ids: Iterable[UserId]) -> None:
        self.missed.append((push.seq, tuple(sorted(self.here.intersection(user_ids)))))

    def set_members(self, *user_ids: UserId, seq: int) -> None:
        self.conversations.members[GROUP] = (user_ids, Seq(seq))

    async def come(self, *user_ids: UserId) -> None:
        for user_id in user_ids:
            self.here.add(user_id)
            await self.groups.load(user_id)

    def go(self, user_id: UserId) -> None:
        self.here.discard(user_id)
        self.groups.forget(user_id)

    def push(
        self,
        seq: int,
        members: tuple[int, int],
        *,
        joined: tuple[UserId, ...] = (),
        gone: tuple[UserId, ...] = (),
    ) -> None:
        self.groups.push(entry_push(GROUP, seq, members=members, joined=joined, gone=gone))

    async def settle(self) -> None:
        await until(lambda: not len(self.tasks))


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    world = World()
    async with world.tasks:
        yield world


async def standing_at(world: World, seq: int, *user_ids: UserId) -> None:
    """Ann, Bob or whoever is here, and the index has been read."""
    world.set_members(*user_ids, seq=seq)
    await world.come(*user_ids)
    world.push(seq + 1, (seq, seq))
    await world.settle()
    world.written.clear()


# ---- users come and go ---------------------------------------------------------------------------


async def test_load_when_the_user_has_groups_then_bound_before_it_returns() -> None:
    async with open_world() as world:
        world.set_members(ANN, BOB, seq=3)
        await world.come(ANN)
        assert world.groups.users_of(GROUP) == {ANN}
        assert await world.presence.holds(GROUP)


async def test_load_when_another_is_binding_the_group_then_waits_for_it() -> None:
    async with open_world() as world:
        world.set_members(ANN, BOB, seq=3)
        bound = world.presence.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            ann = group.create_task(world.come(ANN))
            bob = group.create_task(world.come(BOB))
            await until(lambda: len(world.groups.users_of(GROUP)) == 2)
            assert not ann.done()
            assert not bob.done()
            bound.set()


async def test_load_when_presence_fails_then_raises_and_the_next_tries_again() -> None:
    async with open_world() as world:
        world.set_members(ANN, BOB, seq=3)
        world.presence.errors = [DOWN]
        with pytest.raises(Unavailable):
            await world.come(ANN)
        await world.come(BOB)
        assert await world.presence.holds(GROUP)


async def test_load_when_the_user_leaves_meanwhile_then_the_read_does_not_bring_them_back() -> None:
    async with open_world() as world:
        await standing_at(world, 3, BOB)
        world.set_members(ANN, BOB, seq=3)
        world.conversations.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.come(ANN))
            await asyncio.sleep(0)
            world.push(5, (3, 5), gone=(ANN,))
            world.conversations.gate.set()
        assert world.groups.users_of(GROUP) == {BOB}


async def test_load_when_the_user_joins_meanwhile_then_the_read_does_not_take_them_out() -> None:
    async with open_world() as world:
        await standing_at(world, 3, BOB)
        world.conversations.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.come(ANN))
            await asyncio.sleep(0)
            world.push(5, (3, 5), joined=(ANN,))
            world.conversations.gate.set()
        assert world.groups.users_of(GROUP) == {ANN, BOB}


async def test_load_when_the_user_has_gone_meanwhile_then_nothing_is_kept() -> None:
    async with open_world() as world:
        world.set_members(ANN, seq=3)
        world.conversations.gate = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.come(ANN))
            await asyncio.sleep(0)
            world.go(ANN)
            world.conversations.gate.set()
        assert not len(world.groups)


async def test_forget_when_the_last_user_goes_then_unbound() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.go(ANN)
        assert len(world.groups) == 1
        world.go(BOB)
        await world.settle()
        assert not len(world.groups)
        assert not await world.presence.holds(GROUP)


async def test_load_when_it_follows_a_forget_at_once_then_bound_in_the_end() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.go(ANN)
        await world.come(ANN)
        await world.settle()
        assert await world.presence.holds(GROUP)


# ---- pushes --------------------------------------------------------------------------------------


async def test_push_when_nobody_is_here_then_nothing_is_read_or_written() -> None:
    async with open_world() as world:
        world.push(4, (3, 3))
        world.push(5, (3, 5), joined=(ANN,))
        assert not world.written
        assert not world.conversations.reads


async def test_push_when_the_index_is_unread_then_read_first_and_written_in_order() -> None:
    async with open_world() as world:
        world.set_members(ANN, EVE, seq=3)
        await world.come(ANN, BOB)
        for seq in (4, 5, 6):
            world.push(seq, (3, 3))
        assert not world.written
        await world.settle()
        assert world.written == [(4, (ANN,)), (5, (ANN,)), (6, (ANN,))]
        assert world.conversations.reads == 1


async def test_push_when_the_index_fits_then_written_at_once() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.push(5, (3, 3))
        assert world.written == [(5, (ANN, BOB))]


async def test_push_when_somebody_joins_then_they_see_it_and_what_follows() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.here.add(BOB)
        world.push(5, (3, 5), joined=(BOB,))
        world.push(6, (5, 5))
        assert world.written == [(5, (ANN, BOB)), (6, (ANN, BOB))]


async def test_push_when_somebody_goes_then_they_see_it_and_nothing_after() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.push(5, (3, 5), gone=(BOB,))
        world.push(6, (5, 5))
        assert world.written == [(5, (ANN, BOB)), (6, (ANN,))]


async def test_push_when_the_last_local_user_goes_then_the_group_is_dropped() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.push(5, (3, 5), gone=(ANN,))
        await world.settle()
        assert not len(world.groups)
        assert not await world.presence.holds(GROUP)


async def test_push_when_the_first_local_user_joins_then_bound_and_read_before_written() -> None:
    async with open_world() as world:
        await world.come(ANN)
        world.set_members(ANN, seq=5)
        world.push(5, (3, 5), joined=(ANN,))
        world.push(6, (5, 5))
        assert not world.written
        await world.settle()
        assert world.written == [(5, (ANN,)), (6, (ANN,))]
        assert await world.presence.holds(GROUP)


async def test_push_when_a_change_was_not_seen_here_then_nobody_gets_it_before_the_read() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.set_members(ANN, seq=6)  # Bob was removed at 6, and this unit was not told
        world.push(7, (6, 6))
        assert not world.written
        await world.settle()
        assert world.written == [(7, (ANN,))]


async def test_push_when_the_read_finds_somebody_here_then_they_get_it_too() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        await world.come(BOB)
        world.set_members(ANN, BOB, seq=6)  # Bob joined at 6, and this unit was not told
        world.push(7, (6, 6))
        await world.settle()
        assert world.written == [(7, (ANN, BOB))]


async def test_push_when_the_read_finds_that_all_have_gone_then_they_see_the_end_alone() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.set_members(seq=7)
        world.push(7, (6, 7), gone=(ANN,))
        await world.settle()
        assert world.written == [(7, (ANN,))]
        assert not len(world.groups)


async def test_push_when_it_is_older_than_the_index_then_told_to_ask_and_not_written() -> None:
    """Whoever joined at 9 may not see 5; the log decides, not the push."""
    async with open_world() as world:
        await standing_at(world, 9, ANN, BOB)
        world.push(5, (3, 3))
        world.push(5, (9, 9))  # a repeat, made against the state of now
        assert world.written == []
        assert world.missed == [(5, (ANN, BOB)), (5, (ANN, BOB))]


async def test_push_when_the_membership_entry_is_repeated_then_written_again() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.push(5, (3, 5), joined=(BOB,))
        world.push(5, (5, 5))
        assert world.written == [(5, (ANN,)), (5, (ANN,))]


async def test_push_when_the_read_is_behind_the_push_then_read_again() -> None:
    async with open_world() as world:
        world.set_members(ANN, seq=6)
        await world.come(ANN)
        world.conversations.stale = [((ANN,), Seq(3))]
        world.push(7, (6, 6))
        await world.settle()
        assert world.written == [(7, (ANN,))]


async def test_push_when_the_read_stays_behind_then_given_up_and_told_to_ask() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        reads = world.conversations.reads
        world.conversations.stale = [((ANN,), Seq(3))] * 9
        world.push(7, (6, 6))
        await world.settle()
        assert world.missed == [(7, (ANN,))]
        assert world.conversations.reads - reads == 3


async def test_push_when_the_reload_takes_somebody_out_then_told_to_ask() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.set_members(ANN, seq=6)
        world.missed.clear()
        world.push(7, (6, 6))
        await world.settle()
        assert (world.written, world.missed) == ([(7, (ANN,))], [(7, (BOB,))])


async def test_push_when_the_reload_takes_out_whom_the_push_does_then_they_see_it() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN, BOB)
        world.set_members(ANN, seq=7)
        world.missed.clear()
        world.push(7, (7, 7), gone=(BOB,))
        await world.settle()
        assert (world.written, world.missed) == ([(7, (ANN, BOB))], [])


async def test_push_when_the_index_cannot_be_read_then_told_to_ask() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.conversations.errors = [DOWN] * 3
        world.push(7, (6, 6), joined=(BOB,))
        world.push(8, (6, 6))
        await world.settle()
        assert world.missed == [(7, (ANN,)), (8, (ANN,))]
        assert world.groups.failed_reloads == 1


async def test_push_when_the_read_worked_at_last_then_written() -> None:
    async with open_world() as world:
        await standing_at(world, 3, ANN)
        world.set_members(ANN, seq=6)
        world.conversations.errors = [DOWN, DOWN]
        world.push(7, (6, 6))
        await world.settle()
        assert world.written == [(7, (ANN,))]


async def test_push_when_too_many_wait_for_the_read_then_the_rest_is_to_be_asked_for() -> None:
    async with open_world() as world:
        world.set_members(ANN, seq=3)
        await world.come(ANN)
        for seq in range(4, 4 + MAX_HELD + 2):
            world.push(seq, (3, 3))
        assert [seq for seq, _ in world.missed] == [4 + MAX_HELD, 5 + MAX_HELD]
        await world.settle()
        assert [seq for seq, _ in world.written] == list(range(4, 4 + MAX_HELD))


async def test_push_when_everybody_goes_during_the_read_then_nothing_is_written() -> None:
    async with open_world() as world:
        world.set_members(ANN, seq=3)
        await world.come(ANN)
        world.push(4, (3, 3))
        world.go(ANN)
        await world.settle()
        assert not world.written
        assert not len(world.groups)


async def test_push_when_a_membership_entry_waits_for_the_read_then_applied_in_order() -> None:
    async with open_world() as world:
        world.set_members(ANN, seq=3)
        world.here.add(BOB)
        await world.come(ANN)
        world.push(4, (3, 3))
        world.push(5, (3, 5), joined=(BOB,))
        world.push(6, (5, 5))
        await world.settle()
        assert world.written == [(4, (ANN,)), (5, (ANN, BOB)), (6, (ANN, BOB))]
