"""Which shard a conversation lies on, when the log is spread over several servers.

A conversation belongs to a bucket, the remainder of its id; the partitions of the table ``message``
say which buckets lie on which shard, and every process reads it there. Whatever is numbered by
conversation lies in the same buckets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId

BUCKETS: Final = 1021
"""A prime: the chats of a busy account, whose ids differ in their lower half, fall into all of
them."""

PARTITION: Final = "shard_%d"
"""The partition that lies on a shard; the first one's number is 1."""

_IS_SHARDED: Final = re.compile(r"ENGINE=SPIDER\b")
_BY_BUCKET: Final = re.compile(rf"PARTITION BY LIST \(`conversation_id` MOD {BUCKETS}\)")
_PARTITION: Final = re.compile(r"PARTITION `(\w+)` VALUES IN \(([\d,]+)\)")


@dataclass(frozen=True, slots=True)
class Shards:
    """Where conversations lie. ``by_bucket``: the shard of each bucket; empty: there is one for
    all."""

    count: int = 1
    by_bucket: tuple[int, ...] = ()

    def of(self, conversation_id: ConversationId) -> int:
        """The shard of a conversation, from 0."""
        return self.by_bucket[conversation_id % BUCKETS] if self.by_bucket else 0

    def any_of(self, shard: int) -> ConversationId:
        """Some conversation of a shard, from 0, whether it exists or not."""
        return ConversationId(self.by_bucket.index(shard) if self.by_bucket else 0)

    def common(self, conversation_ids: Iterable[ConversationId]) -> int | None:
        """The one shard on which all of these lie; None: there is none."""
        found = {self.of(key) for key in conversation_ids}
        return found.pop() if len(found) == 1 else None


def spread(count: int) -> tuple[tuple[int, ...], ...]:
    """The buckets of each of *count* shards, ascending.

    Nearly the same number for each; from one count to the next, buckets move to the new shard only.
    """
    shards: list[list[int]] = [list(range(BUCKETS))]
    while len(shards) < count:
        share = BUCKETS // (len(shards) + 1)
        newest: list[int] = []
        while len(newest) < share:
            newest.append(max(shards, key=len).pop())
        shards.append(sorted(newest))
    return tuple(map(tuple, shards))


def shards_of(buckets: Sequence[Sequence[int]]) -> Shards:
    """From the buckets of each shard."""
    if len(buckets) == 1:
        return Shards()
    by_bucket = {bucket: shard for shard, some in enumerate(buckets) for bucket in some}
    return Shards(len(buckets), tuple(by_bucket[bucket] for bucket in range(BUCKETS)))


def read_shards(definition: str) -> Shards:
    """From what ``SHOW CREATE TABLE message`` says; that asks no shard, so that a process can also
    start while one is away.

    Raises:
        Unavailable: the table is spread over servers in a way that this version does not know.
    """
    if not _IS_SHARDED.search(definition):
        return Shards()
    partitions = _PARTITION.findall(definition)
    buckets = [[int(bucket) for bucket in values.split(",")] for _, values in partitions]
    names = [PARTITION % number for number in range(1, len(partitions) + 1)]
    if (
        not _BY_BUCKET.search(definition)
        or [name for name, _ in partitions] != names
        or sorted(chain(*buckets)) != list(range(BUCKETS))
    ):
        raise Unavailable(
            ErrorCode.UNAVAILABLE,
            reason="the table message has other partitions than `tinyqq schema --spider` prints",
        )
    return shards_of(buckets)
