"""The net: what was not pushed is found in the log, delivered after a moment, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.support.eventually import eventually
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, EVE, GROUP
from tests.support.net_fixtures import OWN, QUICK, THERE, World

from tinyqq.errors import ErrorCode, InvalidRequest, Unavailable
from tinyqq.model.ids import GroupId, Seq, own_conversation
from tinyqq.model.message import Kind
from tinyqq.services.net import NetLimits
from tinyqq.services.net_failures import DEAD_WRITER, UNKNOWN


@pytest.fixture
async def world() -> World:
    made = World()
    await made.begin()
    return made


# ---- what is repaired ----------------------------------------------------------------------------


async def test_tick_when_an_entry_was_not_pushed_then_delivered_after_a_moment(
    world: World,
) -> None:
    entry = world.tail.write(5)
    await world.tick()
    assert world.seqs() == []
    await world.tick()
    [push] = world.unit.got
    assert (push.conversation_id, push.seq, push.kind) == (*entry[:2], entry.kind)
    assert world.repairs() == {UNKNOWN: 1}
    assert world.presence.renewed == [({ANN, BOB}, set())]


async def test_tick_when_repaired_then_only_once(world: World) -> None:
    world.tail.write(5)
    for _ in range(5):
        await world.tick()
    assert world.seqs() == [5]


async def test_tick_when_the_push_came_before_or_soon_after_then_nothing(world: World) -> None:
    world.tail.write(5)
    world.unit.known.add((ANN_BOB, Seq(5)))
    world.tail.write(6)
    await world.tick()
    world.unit.known.add((ANN_BOB, Seq(6)))
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.tail.fetched, world.repairs()) == ([], [], {})
    assert world.net.counters()["pending"] == 0


async def test_tick_when_it_concerns_nobody_here_then_nothing(world: World) -> None:
    world.tail.write(5, own_conversation(EVE))
    world.tail.write(5, GROUP)
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.tail.fetched) == ([], [])


async def test_tick_when_they_left_meanwhile_then_nothing(world: World) -> None:
    world.tail.write(5)
    await world.tick()
    world.unit.here.clear()
    await world.tick()
    assert (world.seqs(), world.repairs()) == ([], {})


async def test_tick_when_it_is_ones_own_number_then_not_read(world: World) -> None:
    world.tail.write(5, writer=OWN)
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.net.counters()["keys_total"]) == ([], 0)


async def test_tick_when_ones_own_number_is_given_up_then_what_was_not_pushed(
    world: World,
) -> None:
    world.tail.write(5, writer=OWN)
    world.own = {OWN: 1}
    await world.tick()
    world.tail.write(6, writer=OWN)
    world.own = {}
    await world.tick()
    await world.tick()
    assert world.seqs() == [6]


async def test_tick_when_a_writer_is_new_then_read_from_its_first_row(world: World) -> None:
    world.tail.write(5, writer=7)
    for _ in range(3):
        await world.tick()
    assert world.seqs() == [5]
    assert world.repairs() == {DEAD_WRITER: 1}


async def test_tick_when_many_then_in_order_and_in_batches() -> None:
    world = World(NetLimits(batch=3))
    await world.begin()
    for seq in (3, 1, 2, 5, 4):
        world.tail.write(seq)
    await world.tick()
    await world.tick()
    assert world.seqs() == [1, 2, 3, 4, 5]


async def test_tick_when_an_entry_cannot_be_pushed_then_the_others_are(world: World) -> None:
    world.unit.here[GROUP] = 0
    bad = world.tail.write(5, GROUP, kind=Kind.MEMBER_JOINED)
    world.tail.rows[-1] = (world.tail.rows[-1][0], bad._replace(body=b"\xff"))
    world.tail.write(6)
    await world.tick()
    with pytest.raises(InvalidRequest):
        await world.tick()
    await world.tick()
    assert world.seqs() == [6]


# ---- who has just come ---------------------------------------------------------------------------


async def test_tick_when_somebody_came_after_the_last_reading_then_delivered_but_not_counted(
    world: World,
) -> None:
    eve = own_conversation(EVE)
    world.tail.write(5, eve)
    world.unit.here[eve] = world.unit.number
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.repairs()) == ([5], {})
    assert world.net.counters()["arrivals_total"] == 1
    assert world.presence.renewed == []


async def test_tick_when_somebody_came_before_the_last_reading_then_counted(world: World) -> None:
    eve = own_conversation(EVE)
    world.unit.here[eve] = world.unit.number
    await world.tick()
    world.tail.write(5, eve)
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.repairs()) == ([5], {UNKNOWN: 1})


# ---- groups --------------------------------------------------------------------------------------


async def test_tick_when_of_a_group_then_as_old_as_the_group_is(world: World) -> None:
    world.unit.here[GROUP] = 0
    world.tail.members_seq[GROUP] = Seq(4)
    world.tail.write(5, GROUP)
    await world.tick()
    await world.tick()
    [push] = world.unit.got
    assert (push.members_before, push.members_seq) == (4, 4)
    assert world.presence.renewed == [(set(), {GroupId(GROUP)})]


async def test_tick_when_somebody_joined_a_group_unknown_here_then_delivered(
    world: World,
) -> None:
    world.unit.here[own_conversation(EVE)] = 0
    world.tail.members_seq[GROUP] = Seq(5)
    world.tail.write(5, GROUP, kind=Kind.MEMBER_JOINED, users=(EVE,))
    await world.tick()
    await world.tick()
    [push] = world.unit.got
    assert (push.joined, push.members_seq) == ((EVE,), 5)
    assert world.repairs() == {UNKNOWN: 1}


async def test_tick_when_somebody_who_is_not_here_joined_then_nothing(world: World) -> None:
    world.tail.write(5, GROUP, kind=Kind.MEMBER_JOINED, users=(EVE,))
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.net.counters()["pending"]) == ([], 0)


async def test_tick_when_the_first_member_joined_then_what_followed_is_looked_for(
    world: World,
) -> None:
    for seq in (4, 5, 6):
        world.tail.write(seq, GROUP)
    await world.tick()
    world.unit.joined.append((GroupId(GROUP), Seq(4)))
    world.unit.here[GROUP] = world.unit.number
    world.unit.known.add((GROUP, Seq(5)))
    await world.tick()
    await world.tick()
    assert (world.seqs(), world.repairs()) == ([6], {})
    assert world.net.counters()["arrivals_total"] == 1


async def test_tick_when_looking_for_what_followed_fails_then_looked_for_again(
    world: World,
) -> None:
    world.tail.write(5, GROUP)
    await world.tick()
    world.unit.joined.append((GroupId(GROUP), Seq(4)))
    world.unit.here[GROUP] = world.unit.number
    world.tail.errors = [Unavailable(ErrorCode.UNAVAILABLE)]
    with pytest.raises(Unavailable):
        await world.tick()
    await world.tick()
    await world.tick()
    assert world.seqs() == [5]


# ---- bounds and failures -------------------------------------------------------------------------


async def test_tick_when_the_process_slept_then_pushes_get_their_time_again(world: World) -> None:
    world.tail.write(5)
    await world.tick()
    world.clock.advance(3.0)
    await world.net.tick()
    assert world.seqs() == []
    await world.tick()
    assert world.seqs() == [5]


async def test_tick_when_the_process_is_always_late_then_still_delivered(world: World) -> None:
    world.tail.write(5)
    await world.tick()
    for _ in range(4):
        world.clock.advance(0.4)
        await world.net.tick()
    assert world.seqs() == [5]


async def test_tick_when_the_log_cannot_be_read_then_later(world: World) -> None:
    world.tail.write(5)
    world.tail.errors = [Unavailable(ErrorCode.UNAVAILABLE)]
    with pytest.raises(Unavailable):
        await world.tick()
    await world.tick()
    world.tail.write(6)
    world.tail.errors = [Unavailable(ErrorCode.UNAVAILABLE)]
    with pytest.raises(Unavailable):
        await world.tick()
    for _ in range(3):
        await world.tick()
    assert world.seqs() == [5, 6]


async def test_tick_when_there_is_too_much_for_one_reading_then_the_rest_with_the_next() -> None:
    world = World(NetLimits(max_keys=2))
    await world.begin()
    for seq in (1, 2, 3):
        world.tail.write(seq)
    await world.tick()
    assert world.net.counters()["keys_total"] == 2
    await world.tick()
    await world.tick()
    assert world.seqs() == [1, 2, 3]


async def test_tick_when_too_much_waits_then_nothing_is_read_until_it_is_delivered() -> None:
    world = World(NetLimits(max_pending=2))
    await world.begin()
    for seq in (1, 2, 3):
        world.tail.write(seq)
    await world.tick(0.1)
    world.tail.write(4)
    await world.tick(0.1)
    assert world.net.counters()["keys_total"] == 3
    for _ in range(3):
        await world.tick()
    assert world.seqs() == [1, 2, 3, 4]


async def test_tick_when_reading_fails_for_long_then_pushes_are_kept_in_mind(
    world: World,
) -> None:
    kept = world.unit.kept
    world.tail.errors = [Unavailable(ErrorCode.UNAVAILABLE)] * 40
    for _ in range(40):
        with pytest.raises(Unavailable):
            await world.tick()
    assert world.unit.kept == kept + 1


# ---- the loop ------------------------------------------------------------------------------------


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    async with asyncio.timeout(30), world.net:
        yield world


async def reads(world: World, count: int) -> None:
    """Wait until the log was asked that often more."""
    wanted = world.tail.reads + count
    await eventually(lambda: world.tail.reads >= wanted)


async def test_run_when_entered_then_it_reads_again_and_again() -> None:
    async with running(World(QUICK)) as world:
        await reads(world, 3)
        assert world.net.state == "ok"
    assert world.net.counters()["failures_total"] == 0


async def test_run_when_the_log_cannot_be_read_then_it_says_so_and_goes_on() -> None:
    world = World(QUICK)
    failures = [Unavailable(ErrorCode.UNAVAILABLE), RuntimeError("a bug")]
    world.tail.errors = [*failures]
    async with running(world):
        await reads(world, 1)
        assert world.net.state == "blind"
        await eventually(lambda: world.net.state == "ok")
        assert world.net.counters()["failures_total"] == len(failures)


@pytest.mark.parametrize("cause", ["link", "node", "presence"])
async def test_run_when_something_fails_then_it_reads_at_once(cause: str) -> None:
    async with running(World(NetLimits(interval_s=60.0, least_pause_s=0.001))) as world:
        await reads(world, 2)
        if cause == "link":
            world.net.link_broke(THERE)
        elif cause == "node":
            world.registry.show()
        else:
            world.presence.on_loss[0]()
        await reads(world, 1)


async def test_state_when_there_is_more_than_can_be_read_then_behind() -> None:
    world = World(NetLimits(max_pending=1))
    await world.begin()
    world.tail.write(1)
    await world.tick(0.1)
    assert world.net.state == "ok"
    for _ in range(60):
        await world.tick(0.1)
        world.net._stalled_s = world.clock.monotonic()
    assert world.net.state == "behind"


# ---- a part of the log that is away --------------------------------------------------------------


async def test_tick_when_a_shard_is_away_then_what_lies_on_others_is_delivered(
    world: World,
) -> None:
    world.unit.here[GROUP] = 0
    world.tail.away = {ANN_BOB}
    world.tail.write(5)
    world.tail.write(7, GROUP, writer=3)
    for _ in range(3):
        await world.tick()
    assert [(push.conversation_id, push.seq) for push in world.unit.got] == [(GROUP, 7)]
    world.tail.away.clear()
    await world.tick()
    await world.tick()
    assert world.seqs() == [7, 5]


async def test_tick_when_a_shard_is_away_then_pushes_are_remembered_and_it_is_behind(
    world: World,
) -> None:
    await world.tick()
    kept = world.unit.kept
    world.tail.away = {ANN_BOB}
    for _ in range(20):
        await world.tick()
    assert world.unit.kept <= kept + 1
    assert world.net.state == "behind"
    world.tail.away.clear()
    await world.tick()
    await world.tick()
    assert (world.unit.kept > kept + 10, world.net.state) == (True, "ok")


async def test_repair_when_its_shard_has_gone_meanwhile_then_others_first_and_it_later(
    world: World,
) -> None:
    world.unit.here[GROUP] = 0
    world.tail.write(5)
    world.tail.write(7, GROUP, writer=3)
    await world.tick()
    world.tail.away = {ANN_BOB}
    await world.tick()
    await world.tick()
    assert world.seqs() == [7]
    world.tail.away.clear()
    await world.tick()
    assert world.seqs() == [7, 5]
    assert world.net.counters()["pending"] == 0


async def test_joined_when_its_shard_is_away_then_looked_after_later(world: World) -> None:
    world.unit.joined = [(GroupId(GROUP), Seq(3))]
    world.unit.here[GROUP] = 0
    world.tail.write(4, GROUP, writer=OWN)
    world.tail.away = {GROUP}
    world.tail.write(5)
    await world.tick()
    await world.tick()
    assert world.seqs() == [5]
    world.tail.away.clear()
    await world.tick()
    await world.tick()
    assert world.seqs() == [5, 4]
