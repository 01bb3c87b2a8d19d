"""Fan-out: this unit at once, the others by presence, in order; what cannot go is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, EVE, GROUP

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.account import KickReason
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.ids import ConversationId, GroupId, Seq, SessionId, UnitId, UserId
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.services import delivery as module
from tinyqq.services.delivery import DeliveryService
from tinyqq.services.lately import MAX_AGE_S
from tinyqq.testing.clock import FakeClock

HERE, THERE, ELSEWHERE = UnitId("here"), UnitId("there"), UnitId("elsewhere")
HINT = Hint((ANN,), PresenceChanged(ANN, online=True), SessionId(0))
KICK = Kick(BOB, KickReason.REVOKED, None, None, SessionId(0), "")


class Unit:
    """A unit that remembers what it was handed, and in which calls."""

    def __init__(self) -> None:
        self.got: list[object] = []
        self.calls = 0
        self.arrived = asyncio.Event()

    def push(self, pushes: Sequence[Push]) -> None:
        self._take(pushes)

    def hint(self, hints: Sequence[Hint]) -> None:
        self._take(hints)

    def kick(self, kicks: Sequence[Kick]) -> None:
        self._take(kicks)

    def _take(self, items: Sequence[object]) -> None:
        self.calls += 1
        self.got += items
        self.arrived.set()


class Places:
    """Presence that is told who is where."""

    def __init__(self) -> None:
        self.users: dict[UserId, frozenset[UnitId]] = {}
        self.groups: dict[GroupId, frozenset[UnitId]] = {}
        self.calls = 0
        self.is_away = False
        self.bugs = 0

    async def locate(
        self, user_ids: Sequence[UserId], group_ids: Sequence[GroupId]
    ) -> tuple[dict[UserId, frozenset[UnitId]], dict[GroupId, frozenset[UnitId]]]:
        self.calls += 1
        if self.is_away:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        if self.bugs:
            self.bugs -= 1
            raise ZeroDivisionError
        return (
            {one: self.users[one] for one in user_ids if one in self.users},
            {one: self.groups[one] for one in group_ids if one in self.groups},
        )


class Cluster:
    """A delivery service, its own unit and two others."""

    def __init__(self) -> None:
        self.units = {unit_id: Unit() for unit_id in (HERE, THERE, ELSEWHERE)}
        self.places = Places()
        self.peers: list[UnitId] = [THERE, ELSEWHERE]
        self.clock = FakeClock()
        self.service = DeliveryService(
            own=HERE,
            local=self.units[HERE],
            presence=self.places,  # type: ignore[arg-type] # only locate is called
            link=lambda unit_id: self.units.get(unit_id),
            peers=lambda: self.peers,
            clock=self.clock,
        )

    async def got(self, unit_id: UnitId) -> list[object]:
        async with asyncio.timeout(30):
            await self.units[unit_id].arrived.wait()
        return self.units[unit_id].got


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    made = Cluster()
    async with made.service:
        yield made


def push(
    seq: int = 1,
    conversation_id: ConversationId = ANN_BOB,
    *,
    joined: tuple[UserId, ...] = (),
    gone: tuple[UserId, ...] = (),
) -> Push:
    return Push(
        conversation_id, Seq(seq), ANN, 1, b"", Seq(0), Seq(0), joined, gone, SessionId(0)
    )  # fmt: skip


async def test_everything_then_reaches_this_unit_at_once(cluster: Cluster) -> None:
    cluster.service.push([push()])
    cluster.service.hint(HINT)
    cluster.service.kick(KICK)
    assert cluster.units[HERE].got == [push(), HINT, KICK]


async def test_receiver_here_then_no_other_unit_is_written_to() -> None:
    cluster = Cluster()
    cluster.places.users = {ANN: frozenset({HERE}), BOB: frozenset({HERE})}
    async with cluster.service:
        cluster.service.push([push()])
    assert cluster.service.counters()["handed_on_total"] == 0


async def test_receiver_elsewhere_then_its_unit_gets_one_batch(cluster: Cluster) -> None:
    cluster.places.users = {ANN: frozenset({HERE}), BOB: frozenset({THERE})}
    pushes = [push(seq) for seq in range(1, 9)]
    for one in pushes:
        cluster.service.push([one])
    assert await cluster.got(THERE) == pushes
    assert (cluster.units[THERE].calls, cluster.places.calls) == (1, 1)
    assert cluster.units[ELSEWHERE].got == []


async def test_group_then_one_push_for_each_unit_that_holds_members(cluster: Cluster) -> None:
    cluster.places.groups = {GroupId(GROUP): frozenset({HERE, THERE, ELSEWHERE})}
    cluster.service.push([push(1, GROUP)])
    assert await cluster.got(THERE) == await cluster.got(ELSEWHERE) == [push(1, GROUP)]


async def test_group_when_somebody_comes_or_goes_then_their_unit_hears_of_it(
    cluster: Cluster,
) -> None:
    cluster.places.users = {BOB: frozenset({THERE}), EVE: frozenset({ELSEWHERE})}
    cluster.service.push([push(1, GROUP, joined=(BOB,), gone=(EVE,))])
    assert len(await cluster.got(THERE)) == len(await cluster.got(ELSEWHERE)) == 1


async def test_mixed_then_order_is_kept(cluster: Cluster) -> None:
    cluster.places.users = {ANN: frozenset({THERE}), BOB: frozenset({THERE})}
    cluster.service.push([push(1), push(2)])
    cluster.service.hint(HINT)
    cluster.service.kick(KICK)
    cluster.service.push([push(3)])
    assert await cluster.got(THERE) == [push(1), push(2), HINT, KICK, push(3)]


async def test_no_peers_then_presence_is_not_asked() -> None:
    cluster = Cluster()
    cluster.peers = []
    async with cluster.service:
        cluster.service.push([push()])
    assert cluster.places.calls == 0


async def test_presence_away_then_everybody_gets_everything() -> None:
    cluster = Cluster()
    cluster.places.is_away = True
    async with cluster.service:
        cluster.service.push([push(), push(2)])
    assert cluster.units[THERE].got == cluster.units[ELSEWHERE].got == [push(), push(2)]
    assert cluster.units[HERE].got == [push(), push(2)]
    assert cluster.service.counters()["unlocated_total"] == 2


async def located(cluster: Cluster, *items: Push | Hint) -> None:
    """Presence has told where the receivers of these are; then it is away."""
    for item in items:
        cluster.units[THERE].arrived.clear()
        if isinstance(item, Hint):
            cluster.service.hint(item)
        else:
            cluster.service.push([item])
        await cluster.got(THERE)
    for unit in cluster.units.values():
        unit.got.clear()
        unit.arrived.clear()
    cluster.places.is_away = True


async def test_presence_away_then_pushes_and_hints_go_where_receivers_were_lately(
    cluster: Cluster,
) -> None:
    cluster.places.users = {BOB: frozenset({HERE, THERE})}  # Ann was nowhere
    cluster.places.groups = {GroupId(GROUP): frozenset({THERE})}
    hint = HINT._replace(user_ids=(BOB,))
    await located(cluster, push(), push(1, GROUP))
    cluster.service.push([push(2), push(2, GROUP)])
    cluster.service.hint(hint)
    assert await cluster.got(THERE) == [push(2), push(2, GROUP), hint]
    assert cluster.units[ELSEWHERE].got == []
    counters = cluster.service.counters()
    assert (counters["unlocated_total"], counters["remembered_total"]) == (3, 3)


async def test_presence_away_then_what_is_not_known_of_all_receivers_goes_everywhere(
    cluster: Cluster,
) -> None:
    cluster.places.users = {BOB: frozenset({THERE})}
    cluster.places.groups = {GroupId(GROUP): frozenset({THERE})}
    await located(cluster, push(), push(1, GROUP))
    unknown = push(2, GROUP, joined=(EVE,))
    cluster.service.push([unknown, push(3)])
    assert await cluster.got(ELSEWHERE) == [unknown]
    assert await cluster.got(THERE) == [unknown, push(3)]


async def test_presence_away_for_long_then_places_are_no_longer_believed(
    cluster: Cluster,
) -> None:
    cluster.places.users = {BOB: frozenset({THERE})}
    await located(cluster, push())
    cluster.clock.advance(2 * MAX_AGE_S)
    cluster.service.push([push(2)])
    assert await cluster.got(ELSEWHERE) == [push(2)]


async def test_presence_away_when_their_unit_has_gone_then_everywhere(cluster: Cluster) -> None:
    cluster.places.users = {BOB: frozenset({THERE})}
    await located(cluster, push())
    cluster.peers = [ELSEWHERE]
    cluster.service.push([push(2)])
    assert await cluster.got(ELSEWHERE) == [push(2)]


async def test_presence_away_then_kicks_go_everywhere(cluster: Cluster) -> None:
    cluster.places.users = {BOB: frozenset({THERE})}
    await located(cluster, push())
    replaced = KICK._replace(reason=KickReason.REPLACED)
    cluster.service.kick(replaced)
    assert await cluster.got(ELSEWHERE) == [replaced]


async def test_presence_away_for_many_batches_then_told_once_and_when_it_is_back(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tinyqq.services.delivery")
    cluster.places.users = {BOB: frozenset({THERE})}
    for is_away in (True, True, False, False, True):
        cluster.places.is_away = is_away
        cluster.units[THERE].arrived.clear()
        cluster.service.push([push()])
        await cluster.got(THERE)
    told = [one.message for one in caplog.records if one.name.startswith("tinyqq")]
    assert told == ["delivery.unlocated", "delivery.located_again", "delivery.unlocated"]


async def test_unit_without_a_link_then_dropped_and_counted() -> None:
    cluster = Cluster()
    cluster.places.users = {BOB: frozenset({UnitId("gone")})}
    async with cluster.service:
        cluster.service.push([push()])
    assert cluster.service.counters()["dropped_total"] == 1


async def test_full_queue_then_dropped_and_counted(cluster: Cluster) -> None:
    cluster.service.push([push()] * module.MAX_WAITING)
    cluster.service.push([push()])
    assert cluster.service.counters()["dropped_total"] == 1
    assert len(cluster.units[HERE].got) == module.MAX_WAITING + 1


async def test_leaving_then_what_waits_is_still_handed_on() -> None:
    cluster = Cluster()
    cluster.places.users = {BOB: frozenset({THERE})}
    async with cluster.service:
        cluster.service.push([push()])
    assert cluster.units[THERE].got == [push()]


async def test_session_without_right_then_every_unit_is_told_whatever_presence_knows(
    cluster: Cluster,
) -> None:
    cluster.service.kick(KICK)
    assert await cluster.got(THERE) == [KICK]
    assert await cluster.got(ELSEWHERE) == [KICK]


async def test_session_that_is_replaced_then_only_its_unit_is_told(cluster: Cluster) -> None:
    cluster.places.users = {BOB: frozenset({THERE})}
    replaced = KICK._replace(reason=KickReason.REPLACED)
    cluster.service.kick(replaced)
    assert await cluster.got(THERE) == [replaced]
    assert cluster.units[ELSEWHERE].got == []


async def test_bug_in_presence_then_everybody_gets_it_and_the_next_too(cluster: Cluster) -> None:
    cluster.places.bugs = 1
    cluster.places.users = {BOB: frozenset({THERE})}
    cluster.service.push([push(1)])
    assert await cluster.got(ELSEWHERE) == [push(1)]
    cluster.units[THERE].arrived.clear()
    cluster.service.push([push(2)])
    assert await cluster.got(THERE) == [push(1), push(2)]
