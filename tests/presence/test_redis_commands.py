"""The commands of presence, on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.servers import safe_name

from tinyqq.lab.servers.redis import RedisServer
from tinyqq.presence.entries import Entry
from tinyqq.presence.redis_client import RedisClient, open_redis
from tinyqq.presence.redis_commands import (
    BUCKETS,
    MAX_KEYS,
    RedisCommands,
    Sweep,
    bucket_of,
    entry_key,
)
from tinyqq.presence.redis_url import parse_redis_url

pytestmark = pytest.mark.needs("redis")

MINE, OTHERS = "unit-1#first", "unit-2#dead"


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    return safe_name(request.node.name)


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator[RedisClient]:
    async with open_redis(parse_redis_url(redis_server.url)) as client:
        yield client


@pytest.fixture
def commands(client: RedisClient, prefix: str) -> RedisCommands:
    return RedisCommands(client=client, prefix=prefix, value=MINE, lifetime_s=100)


def entry(prefix: str, number: int, field: str = "1") -> Entry:
    return Entry(number % BUCKETS, entry_key(prefix, "u", number), field)


def test_key_when_made_then_it_names_its_bucket() -> None:
    key = entry_key("a:b", "u", 10_001)
    assert (key, bucket_of(key)) == ("{a:b:1}u10001", 1)


async def test_read_when_there_is_nothing_then_empty(commands: RedisCommands, prefix: str) -> None:
    assert await commands.read([entry(prefix, 1).key]) == [{}]


async def test_read_when_many_are_asked_then_in_their_order(
    commands: RedisCommands, prefix: str
) -> None:
    entries = [entry(prefix, number, str(number)) for number in range(MAX_KEYS + 1)]
    await commands.write(dict.fromkeys(entries, True), 1, ())
    keys = [one.key for one in reversed(entries)]
    answers = await commands.read([*keys, keys[0]])
    assert answers == [*({one.field: MINE} for one in reversed(entries)), {str(MAX_KEYS): MINE}]


async def test_write_when_held_then_it_expires_some_day(
    commands: RedisCommands, client: RedisClient, prefix: str
) -> None:
    one = entry(prefix, 1)
    await commands.write({one: True}, 1, ())
    assert 0 < await client.ttl(one.key) <= 100


async def test_write_when_not_held_then_deleted_if_it_is_still_this_unit_s(
    commands: RedisCommands, client: RedisClient, prefix: str
) -> None:
    mine, others = entry(prefix, 1, "1"), entry(prefix, 1, "2")
    await commands.write({mine: True}, 1, ())
    await client.hset(others.key, others.field, OTHERS)
    await commands.write({mine: False, others: False}, 2, ())
    assert await commands.read([mine.key]) == [{"2": OTHERS}]


async def test_write_when_done_then_the_buckets_that_it_touched_have_its_number(
    commands: RedisCommands, prefix: str
) -> None:
    assert await commands.read_numbers() == [None] * BUCKETS
    await commands.write({entry(prefix, 1): True, entry(prefix, 3): False}, 7, ())
    expected = {1: "7", 3: "7"}
    assert await commands.read_numbers() == [expected.get(bucket) for bucket in range(BUCKETS)]


async def test_write_when_done_then_it_tells_which_numbers_were_there(
    commands: RedisCommands, prefix: str
) -> None:
    one, two = entry(prefix, 1), entry(prefix, 2)
    assert await commands.write({one: True}, 1, ()) == {1: None}
    assert await commands.write({two: True, one: True}, 2, [Sweep(two, OTHERS)]) == {
        1: "1",
        2: None,
    }
    assert await commands.write({}, 3, ()) == {}


async def test_sweep_when_the_value_is_still_the_same_then_deleted_with_the_owner_s_number(
    commands: RedisCommands, client: RedisClient, prefix: str
) -> None:
    dead = RedisCommands(client=client, prefix=prefix, value=OTHERS, lifetime_s=100)
    left, taken = entry(prefix, 1), entry(prefix, 2)
    await dead.write({left: True, taken: True}, 1, ())
    await commands.write({taken: True}, 1, ())
    await commands.write({}, 2, (Sweep(left, OTHERS), Sweep(taken, OTHERS)))
    assert await commands.read([left.key, taken.key]) == [{}, {"1": MINE}]
    numbers = await dead.read_numbers()
    assert (numbers[1], numbers[2]) == (None, "1")
