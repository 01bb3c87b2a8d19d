"""What only presence on Redis has: several units, and a Redis that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.eventually import eventually
from tests.support.redis_presence import IMPATIENT, QUICK, redis_presence
from tests.support.servers import safe_name

from tinyqq.errors import InvalidRequest, Unavailable
from tinyqq.lab.servers.redis import RedisServer, redis_cluster, watched_redis
from tinyqq.model.ids import GroupId, SessionId, UnitId, UserId
from tinyqq.presence.redis import RedisPresence
from tinyqq.presence.redis_commands import BUCKETS

pytestmark = pytest.mark.needs("redis")

ANN, BOB = UserId(10_001), UserId(10_002)
ONE, TWO = SessionId(1), SessionId(2)
GROUP = GroupId(20_000)
UNIT_1, UNIT_2 = UnitId("unit-1"), UnitId("unit-2")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may end."""
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return safe_name(request.node.name)


async def users(presence: RedisPresence, *user_ids: UserId) -> dict[UserId, frozenset[UnitId]]:
    return (await presence.locate(user_ids, ()))[0]


async def groups(presence: RedisPresence) -> frozenset[UnitId]:
    return (await presence.locate((), (GROUP,)))[1].get(GROUP, frozenset())


async def sees_group(presence: RedisPresence, *unit_ids: UnitId) -> bool:
    """Whether the group is on these units, as far as this one can tell."""
    try:
        return await groups(presence) == {*unit_ids}
    except Unavailable:
        return False


async def sees(presence: RedisPresence, user_id: UserId, *unit_ids: UnitId) -> bool:
    """Whether the user is on these units, as far as this one can tell."""
    try:
        return (await users(presence, user_id)).get(user_id, frozenset()) == {*unit_ids}
    except Unavailable:
        return False


def stored(server: RedisServer, prefix: str, kind: str, number: int) -> list[str]:
    """The hash as Redis has it."""
    return server.cli("HGETALL", f"{{{prefix}:{number % BUCKETS}}}{kind}{number}").split()


# ---- two units -----------------------------------------------------------------------------------


async def test_locate_when_two_units_hold_somebody_then_both(
    redis_server: RedisServer, prefix: str
) -> None:
    async with (
        redis_presence(redis_server.url, unit="unit-1", prefix=prefix) as one,
        redis_presence(redis_server.url, unit="unit-2", prefix=prefix) as two,
    ):
        await one.bind(ANN, ONE)
        await two.bind(ANN, TWO)
        await two.bind_group(GROUP)
        for presence in (one, two):
            assert await users(presence, ANN, BOB) == {ANN: frozenset({UNIT_1, UNIT_2})}
            assert await groups(presence) == {UNIT_2}


async def test_entry_when_logged_in_then_in_redis_and_not_after_logging_out(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        await presence.bind(ANN, ONE)
        await presence.bind_group(GROUP)
        assert stored(redis_server, prefix, "u", ANN) == ["1", "unit-1#first"]
        assert stored(redis_server, prefix, "g", GROUP) == ["unit-1", "unit-1#first"]
        key = f"{{{prefix}:{ANN % BUCKETS}}}u{ANN}"
        assert 0 < int(redis_server.cli("TTL", key)) <= QUICK.lifetime_s
        await presence.unbind(ANN, ONE)
        await presence.unbind_group(GROUP)
        assert stored(redis_server, prefix, "u", ANN) == []
        assert stored(redis_server, prefix, "g", GROUP) == []


async def test_locate_when_prefixes_differ_then_clusters_do_not_see_each_other(
    redis_server: RedisServer, prefix: str
) -> None:
    async with (
        redis_presence(redis_server.url, prefix=f"{prefix}a") as one,
        redis_presence(redis_server.url, unit="unit-2", prefix=f"{prefix}b") as other,
    ):
        await one.bind(ANN, ONE)
        assert await users(other, ANN) == {}


async def test_presence_when_it_ends_then_nothing_of_it_stays(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        await presence.bind(ANN, ONE)
        await presence.bind_group(GROUP)
    assert stored(redis_server, prefix, "u", ANN) == []
    assert stored(redis_server, prefix, "g", GROUP) == []
    with pytest.raises(Unavailable):
        await users(presence, ANN)


async def test_unbind_when_it_is_late_then_never_hits_the_next_incarnation(
    redis_server: RedisServer, prefix: str
) -> None:
    async with (
        redis_presence(redis_server.url, incarnation="old", prefix=prefix) as old,
        redis_presence(redis_server.url, incarnation="new", prefix=prefix) as new,
    ):
        for presence in (old, new):
            await presence.bind(ANN, ONE)
            await presence.bind_group(GROUP)
        await old.unbind(ANN, ONE)
        await old.unbind_group(GROUP)
        assert stored(redis_server, prefix, "u", ANN) == ["1", "unit-1#new"]
        assert stored(redis_server, prefix, "g", GROUP) == ["unit-1", "unit-1#new"]


async def test_bind_when_many_come_at_once_then_few_writes(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        people = [UserId(10_000 + number) for number in range(1_000)]
        await asyncio.gather(*(presence.bind(user_id, ONE) for user_id in people))
        assert len(await users(presence, *people)) == len(people)
        assert presence.counters()["entries"] == len(people)
        assert presence.counters()["writes_total"] <= 5


async def test_bind_when_it_goes_again_at_once_then_the_last_word_counts(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        await asyncio.gather(
            presence.bind(ANN, ONE), presence.unbind(ANN, ONE), presence.bind_group(GROUP)
        )
        assert stored(redis_server, prefix, "u", ANN) == []
        assert stored(redis_server, prefix, "g", GROUP) == ["unit-1", "unit-1#first"]


# ---- dead incarnations ---------------------------------------------------------------------------


async def test_locate_when_an_incarnation_is_dead_then_ignored(
    redis_server: RedisServer, prefix: str
) -> None:
    live = {("unit-1", "first"), ("unit-2", "second")}
    async with (
        redis_presence(
            redis_server.url, prefix=prefix, is_live=lambda unit, one: (unit, one) in live
        ) as presence,
        redis_presence(
            redis_server.url, unit="unit-2", incarnation="second", prefix=prefix
        ) as other,
    ):
        await other.bind(ANN, ONE)
        await other.bind_group(GROUP)
        assert await users(presence, ANN) == {ANN: frozenset({UNIT_2})}
        live.remove(("unit-2", "second"))
        assert await users(presence, ANN) == {}
        assert await groups(presence) == frozenset()
        assert stored(redis_server, prefix, "u", ANN) != []
        live.add(("unit-2", "second"))
        assert await users(presence, ANN) == {ANN: frozenset({UNIT_2})}


async def test_locate_when_an_incarnation_has_long_been_dead_then_swept(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(
        redis_server.url,
        prefix=prefix,
        is_live=lambda unit, _: unit != "unit-2",
        timings=replace(QUICK, dead_s=0.0),
    ) as presence:
        key = f"{{{prefix}:{ANN % BUCKETS}}}u{ANN}"
        redis_server.cli("HSET", key, "1", "unit-2#dead", "2", "unit-3#live")
        assert await users(presence, ANN) == {ANN: frozenset({UnitId("unit-3")})}
        await eventually(lambda: stored(redis_server, prefix, "u", ANN) == ["2", "unit-3#live"])


async def test_entries_when_swept_by_mistake_then_written_again(
    redis_server: RedisServer, prefix: str
) -> None:
    async with (
        redis_presence(redis_server.url, unit="unit-2", prefix=prefix) as victim,
        redis_presence(
            redis_server.url,
            prefix=prefix,
            is_live=lambda unit, _: unit != "unit-2",
            timings=replace(QUICK, dead_s=0.0),
        ) as mistaken,
    ):
        await victim.bind(ANN, ONE)
        assert await users(mistaken, ANN) == {}
        await eventually(lambda: mistaken.counters()["swept_entries_total"] == 1)
        await eventually(
            lambda: stored(redis_server, prefix, "u", ANN) == ["1", "unit-2#first"],
        )


async def test_locate_when_redis_has_too_much_of_this_unit_then_taken_out(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        key = f"{{{prefix}:{ANN % BUCKETS}}}u{ANN}"
        redis_server.cli("HSET", key, "9", "unit-1#first")
        assert await users(presence, ANN) == {}
        await eventually(lambda: stored(redis_server, prefix, "u", ANN) == [])


async def test_renew_when_redis_lacks_what_is_held_then_written_again(
    redis_server: RedisServer, prefix: str
) -> None:
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        await presence.bind(ANN, ONE)
        await presence.bind_group(GROUP)
        for kind, number in (("u", ANN), ("g", GROUP)):
            redis_server.cli("DEL", f"{{{prefix}:{number % BUCKETS}}}{kind}{number}")
        presence.renew([ANN, BOB], [GROUP])
        await eventually(lambda: stored(redis_server, prefix, "u", ANN) == ["1", "unit-1#first"])
        await eventually(lambda: bool(stored(redis_server, prefix, "g", GROUP)))
        assert stored(redis_server, prefix, "u", BOB) == []
        assert presence.counters()["renewed_entries_total"] == 2


async def test_renew_when_there_is_too_much_then_one_batch(
    redis_server: RedisServer, prefix: str
) -> None:
    few = replace(QUICK, batch=2)
    async with redis_presence(redis_server.url, prefix=prefix, timings=few) as presence:
        for session in range(5):
            await presence.bind(ANN, SessionId(session))
        presence.renew([ANN], [])
        assert presence.counters()["renewed_entries_total"] == 2


# ---- Redis fails ---------------------------------------------------------------------------------


async def test_presence_when_redis_is_flushed_then_written_again(redis: RedisServer) -> None:
    async with redis_presence(redis.url) as one, redis_presence(redis.url, unit="unit-2") as two:
        await one.bind(ANN, ONE)
        await one.bind_group(GROUP)
        told: list[str] = []
        one.watch(lambda: told.append("one"))
        two.watch(lambda: told.append("two"))
        redis.cli("FLUSHALL")
        await eventually(lambda: sees(two, ANN, UNIT_1))
        assert await groups(two) == {UNIT_1}
        assert one.counters()["rewritten_entries_total"] == 2
        assert two.counters()["rewritten_entries_total"] == 0
        assert told == ["one"]


async def test_presence_when_flushed_and_written_to_before_it_looks_then_still_found_out(
    redis: RedisServer,
) -> None:
    same_bucket = UserId(ANN + BUCKETS)
    async with redis_presence(redis.url, timings=replace(QUICK, check_s=60.0)) as presence:
        await presence.bind(ANN, ONE)
        redis.cli("FLUSHALL")
        await presence.bind(same_bucket, TWO)
        await eventually(lambda: stored(redis, "test", "u", ANN) == ["1", "unit-1#first"])
        assert presence.counters()["rewritten_entries_total"] == 2


async def test_presence_when_redis_restarts_empty_then_written_again(redis: RedisServer) -> None:
    async with redis_presence(redis.url) as one, redis_presence(redis.url, unit="unit-2") as two:
        await one.bind(ANN, ONE)
        lost = asyncio.Event()
        two.watch(lost.set)
        redis.kill()
        await lost.wait()
        redis.start()
        await eventually(lambda: sees(two, ANN, UNIT_1))


async def test_presence_when_redis_lacks_the_last_writes_then_written_again(
    redis_server: RedisServer, prefix: str
) -> None:
    """What a replica looks like that was promoted too early."""
    bucket = ANN % BUCKETS
    async with redis_presence(redis_server.url, prefix=prefix) as presence:
        number = f"{{{prefix}:{bucket}}}eunit-1#first"
        await presence.bind(ANN, ONE)
        before = redis_server.cli("GET", number).strip()
        await presence.bind(ANN, TWO)
        redis_server.cli("HDEL", f"{{{prefix}:{bucket}}}u{ANN}", "2")
        redis_server.cli("SET", number, before)
        await eventually(lambda: len(stored(redis_server, prefix, "u", ANN)) == 4)


async def test_presence_when_redis_hangs_then_calls_return_and_all_is_right_afterwards(
    redis: RedisServer,
) -> None:
    async with (
        redis_presence(redis.url, timings=IMPATIENT) as one,
        redis_presence(redis.url, unit="unit-2", timings=IMPATIENT) as two,
    ):
        await one.bind(ANN, ONE)
        await one.bind_group(GROUP)
        redis.pause()
        async with asyncio.timeout(30):
            with pytest.raises(Unavailable):
                await users(two, ANN)
            await one.unbind_group(GROUP)
            await one.bind_group(GROUP)
            await one.bind(BOB, ONE)
            await one.unbind(ANN, ONE)
        await eventually(lambda: one.state == "away")
        redis.resume()
        await eventually(lambda: sees(two, BOB, UNIT_1))
        await eventually(lambda: sees(two, ANN))
        await eventually(lambda: one.state == "ok")
        await eventually(lambda: sees_group(two, UNIT_1))


async def test_batch_when_its_outcome_is_unknown_then_written_twice(redis: RedisServer) -> None:
    """A server that hung may carry out the first attempt after the second."""
    quick = replace(IMPATIENT, bind_s=0.1, write_s=0.5)
    async with redis_presence(redis.url, timings=quick) as presence:
        redis.pause()
        await presence.bind(ANN, ONE)
        await eventually(lambda: presence.state == "away")
        redis.resume()
        await eventually(lambda: presence.counters()["written_entries_total"] == 2)
        assert stored(redis, "test", "u", ANN) == ["1", "unit-1#first"]


async def test_presence_when_redis_is_away_then_binds_return_at_once_and_are_written_later(
    tmp_path: Path,
) -> None:
    redis = RedisServer(tmp_path)
    quick = replace(IMPATIENT, write_s=0.5)
    async with (
        redis_presence(redis.url, timings=quick) as one,
        redis_presence(redis.url, unit="unit-2", timings=quick) as two,
    ):
        assert one.state == "away"
        async with asyncio.timeout(30):
            await one.bind(ANN, ONE)
            await one.bind(BOB, ONE)
            await one.unbind(BOB, ONE)
        with pytest.raises(Unavailable):
            await users(one, ANN)
        with redis:
            await eventually(lambda: sees(two, ANN, UNIT_1))
            await eventually(lambda: sees(two, BOB))
            assert one.counters()["redis_up"] == 1


async def test_presence_when_entries_near_their_end_then_written_again(
    redis_server: RedisServer, prefix: str
) -> None:
    quick = replace(QUICK, check_s=0.02, lifetime_s=1)
    async with redis_presence(redis_server.url, prefix=prefix, timings=quick) as presence:
        await presence.bind(ANN, ONE)
        await eventually(lambda: presence.counters()["written_entries_total"] >= 4)
        now = await asyncio.to_thread(stored, redis_server, prefix, "u", ANN)  # it writes on
        assert now == ["1", "unit-1#first"]


async def test_presence_when_the_url_is_wrong_then_an_error() -> None:
    with pytest.raises(InvalidRequest):
        redis_presence("memory")


async def test_presence_when_redis_is_away_from_the_start_then_logged_once(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    redis.kill()
    async with redis_presence(redis.url, timings=replace(IMPATIENT, write_s=0.5)) as presence:
        failures = presence.counters()["write_failures_total"]
        await eventually(lambda: presence.counters()["write_failures_total"] > failures)
        told = [one.message for one in caplog.records if one.name.startswith("tinyqq")]
        assert told == ["presence.redis_is_away"]


async def test_presence_when_redis_refuses_then_away(redis: RedisServer) -> None:
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    async with redis_presence(redis.url, timings=IMPATIENT) as presence:
        await presence.bind(ANN, ONE)
        await eventually(lambda: presence.state == "away")
        failures = presence.counters()["write_failures_total"]
        await eventually(lambda: presence.counters()["write_failures_total"] > failures)
        assert presence.state == "away"
        redis.cli("CONFIG", "SET", "maxmemory", "0")
        await eventually(lambda: stored(redis, "test", "u", ANN) != [])


async def test_presence_when_redis_says_what_cannot_be_read_then_away_until_it_can(
    redis: RedisServer,
) -> None:
    async with redis_presence(redis.url, timings=IMPATIENT) as presence:
        await presence.bind(ANN, ONE)
        garbage = "return redis.call('SET', KEYS[1], '\\255')"
        redis.cli("EVAL", garbage, "1", "{test:0}eunit-1#first")
        await eventually(lambda: presence.state == "away")
        redis.cli("FLUSHALL")
        await eventually(lambda: presence.state == "ok")
        await eventually(lambda: stored(redis, "test", "u", ANN) != [])


# ---- Sentinel and Cluster ------------------------------------------------------------------------


@pytest.mark.slow
async def test_presence_when_the_primary_dies_then_the_units_follow_the_sentinels(
    tmp_path: Path,
) -> None:
    with watched_redis(tmp_path) as watched:
        async with (
            redis_presence(watched.url, timings=IMPATIENT) as one,
            redis_presence(watched.url, unit="unit-2", timings=IMPATIENT) as two,
        ):
            await one.bind(ANN, ONE)
            await eventually(lambda: sees(two, ANN, UNIT_1))
            watched.primary.kill()
            await one.bind(BOB, ONE)
            await eventually(lambda: sees(two, BOB, UNIT_1))
            await eventually(lambda: sees(two, ANN, UNIT_1))


@pytest.mark.slow
async def test_presence_when_a_cluster_loses_a_primary_then_it_goes_on(tmp_path: Path) -> None:
    people = [UserId(10_000 + number) for number in range(200)]
    with redis_cluster(tmp_path) as servers:
        url = f"redis+cluster://127.0.0.1:{servers[1].port},127.0.0.1:{servers[2].port}"
        async with (
            redis_presence(url, timings=IMPATIENT) as one,
            redis_presence(url, unit="unit-2", timings=IMPATIENT) as two,
        ):

            async def is_whole() -> bool:
                try:
                    return len(await users(two, *people)) == len(people)
                except Unavailable:
                    return False

            await asyncio.gather(*(one.bind(user_id, ONE) for user_id in people))
            await eventually(is_whole)
            servers[0].kill()
            await asyncio.gather(*(one.bind(user_id, TWO) for user_id in people))
            await asyncio.gather(*(one.unbind(user_id, ONE) for user_id in people))
            await eventually(is_whole)
