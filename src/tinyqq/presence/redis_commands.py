"""What presence asks of Redis: every question and every batch is one round trip.

Scripts rather than single commands: to pack a command and to take its answer apart costs a unit
several times what it costs Redis to carry it out. All keys of a script are of one bucket, which is
a slot of a Redis Cluster; elsewhere one script may have them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio.cluster import RedisCluster

from tinyqq.presence.entries import Entry
from tinyqq.presence.redis_client import RedisClient

BUCKETS: Final = 16
MAX_KEYS: Final = 1_000
"""Of one script, so that nobody else waits for it for long."""

_READ: Final = """
local found = {}
for i, key in ipairs(KEYS) do found[i] = redis.call('HGETALL', key) end
return found
"""

_WRITE: Final = """
local value, lifetime = ARGV[1], ARGV[2]
for i = 2, #KEYS do
    local key, field = KEYS[i], ARGV[2 * i]
    if ARGV[2 * i + 1] == '1' then
        redis.call('HSET', key, field, value)
        redis.call('EXPIRE', key, lifetime)
    elseif redis.call('HGET', key, field) == value then
        redis.call('HDEL', key, field)
    end
end
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[3], 'EX', lifetime)
return before
"""
"""Keys: the number's, then each entry's. Arguments: the unit's value, the lifetime, the number;
then of each entry its field and whether it is held. One that is not held is deleted if it still has
the unit's value. Answers with the number that was there: after a loss it is another one than the
unit has written, and the new one would hide that."""

_SWEEP: Final = """
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('DEL', KEYS[2])
end
"""
"""Delete another's entry if it still has that value, and the number of its owner with it."""


class Sweep(NamedTuple):
    """An entry of a dead incarnation, with the value that it had."""

    entry: Entry
    value: str


def entry_key(prefix: str, kind: str, number: int) -> str:
    """The hash of a user (kind ``u``) or a group (``g``). The braces decide its slot."""
    return f"{{{prefix}:{number % BUCKETS}}}{kind}{number}"


def bucket_of(key: str) -> int:
    """The bucket that a key names."""
    return int(key[: key.index("}")].rpartition(":")[2])


class RedisCommands:
    """The commands of one unit.

    All of them raise what :data:`tinyqq.presence.redis_client.REDIS_ERRORS` names, and leave the
    deadline to the caller.

    Args:
        value: ``unit#incarnation`` of this process.
    """

    def __init__(self, *, client: RedisClient, prefix: str, value: str, lifetime_s: int) -> None:
        self._client = client
        self._is_cluster = isinstance(client, RedisCluster)
        self._prefix = prefix
        self._value = value
        self._lifetime_s = lifetime_s

    async def read(self, keys: Sequence[str]) -> list[dict[str, str]]:
        """The hashes, in the order of the keys; empty: there is none."""
        pipe = self._client.pipeline(transaction=False)
        parts = self._parts(keys)
        for part in parts:
            pipe.eval(_READ, len(part), *part)
        found: dict[str, dict[str, str]] = {}
        for part, answers in zip(parts, await pipe.execute(), strict=True):
            for key, flat in zip(part, answers, strict=True):
                found[key] = dict(zip(flat[::2], flat[1::2], strict=True))
        return [found[key] for key in keys]

    async def read_numbers(self) -> list[str | None]:
        """The numbers of this unit, by bucket."""
        pipe = self._client.pipeline(transaction=False)
        for bucket in range(BUCKETS):
            pipe.get(self._number_key(bucket, self._value))
        numbers: list[str | None] = await pipe.execute()
        return numbers

    async def write(
        self, entries: Mapping[Entry, bool], number: int, sweeps: Iterable[Sweep]
    ) -> dict[int, str | None]:
        """Write entries (True: held), and the number of every bucket that is touched; returns the
        numbers that were there before."""
        pipe = self._client.pipeline(transaction=False)
        by_bucket: dict[int, list[Entry]] = {}
        for entry in entries:
            by_bucket.setdefault(entry.bucket, []).append(entry)
        for bucket, its in by_bucket.items():
            keys = [self._number_key(bucket, self._value), *(entry.key for entry in its)]
            arguments: list[Any] = [self._value, self._lifetime_s, number]
            for entry in its:
                arguments += (entry.field, int(entries[entry]))
            pipe.eval(_WRITE, len(keys), *keys, *arguments)
        for entry, value in sweeps:
            owner = self._number_key(entry.bucket, value)
            pipe.eval(_SWEEP, 2, entry.key, owner, entry.field, value)
        return dict(zip(by_bucket, await pipe.execute(), strict=False))

    def _parts(self, keys: Sequence[str]) -> list[Sequence[str]]:
        """The keys as scripts may have them."""
        groups: dict[int, list[str]] = {}
        for key in keys:
            groups.setdefault(bucket_of(key) if self._is_cluster else 0, []).append(key)
        return [
            group[start : start + MAX_KEYS]
            for group in groups.values()
            for start in range(0, len(group), MAX_KEYS)
        ]

    def _number_key(self, bucket: int, value: str) -> str:
        return f"{{{self._prefix}:{bucket}}}e{value}"
