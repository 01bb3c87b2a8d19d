"""Which bucket lies where, and that it stays there when shards are added."""

from __future__ import annotations

import pytest
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, GROUP

from tinyqq.errors import Unavailable
from tinyqq.model.ids import ConversationId, UserId, direct_conversation
from tinyqq.storage.shards import BUCKETS, Shards, read_shards, shards_of, spread


def definition(buckets: str, expression: str = "`conversation_id` MOD 1021") -> str:
    """What a server says of a table."""
    return (
        "CREATE TABLE `message` (\n  `seq` bigint(20)\n) ENGINE=SPIDER COMMENT='…'\n"
        f" PARTITION BY LIST ({expression})\n"
        f"(PARTITION `shard_1` VALUES IN ({buckets}) COMMENT = '…' ENGINE = SPIDER,\n"
        " PARTITION `shard_2` VALUES IN (0) COMMENT = '…' ENGINE = SPIDER)"
    )


def test_shards_when_there_is_one_then_everything_lies_there() -> None:
    assert shards_of(spread(1)) == Shards()
    assert {Shards().of(key) for key in (ANN_BOB, ANN_OWN, GROUP)} == {0}
    assert Shards().common([ANN_BOB, GROUP]) == 0


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_spread_when_over_any_number_then_each_bucket_once_and_shares_alike(count: int) -> None:
    buckets = spread(count)
    assert sorted(bucket for some in buckets for bucket in some) == list(range(BUCKETS))
    sizes = [len(some) for some in buckets]
    assert max(sizes) - min(sizes) <= 1


def test_spread_when_one_is_added_then_buckets_move_to_the_new_one_only() -> None:
    before, after = shards_of(spread(3)).by_bucket, shards_of(spread(4)).by_bucket
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {3}
    assert len(moved) == BUCKETS // 4


def test_shards_when_somebody_has_many_chats_then_they_lie_on_all_of_them() -> None:
    shards = shards_of(spread(4))
    chats = [direct_conversation(ANN, UserId(20_000 + number)) for number in range(BUCKETS)]
    counts = [sum(shards.of(key) == shard for key in chats) for shard in range(4)]
    assert max(counts) - min(counts) <= 1


def test_common_when_on_different_shards_then_none() -> None:
    shards = shards_of(spread(2))
    assert shards.common([ConversationId(BUCKETS), ConversationId(2 * BUCKETS)]) == 0
    assert shards.common([ConversationId(BUCKETS), ConversationId(2 * BUCKETS - 1)]) is None
    assert shards.common([]) is None


def test_read_when_the_table_is_not_shared_out_then_one() -> None:
    assert read_shards("CREATE TABLE `message` (…) ENGINE=InnoDB") == Shards()


def test_read_when_shared_out_then_as_the_server_has_it() -> None:
    shards = read_shards(definition(",".join(map(str, range(1, BUCKETS)))))
    assert shards == Shards(2, (1, *(BUCKETS - 1) * (0,)))


@pytest.mark.parametrize(
    "unknown",
    [
        definition("1,2,3"),
        definition(",".join(map(str, range(1, BUCKETS))), "`seq` MOD 1021"),
        definition("").replace("VALUES IN", "VALUES LESS THAN"),
    ],
)
def test_read_when_shared_out_in_another_way_then_refused(unknown: str) -> None:
    with pytest.raises(Unavailable, match="other partitions"):
        read_shards(unknown)


def test_any_of_when_asked_then_a_conversation_of_that_shard() -> None:
    shards = shards_of(spread(3))
    assert [shards.of(shards.any_of(shard)) for shard in range(3)] == [0, 1, 2]
    assert Shards().of(Shards().any_of(0)) == 0


def test_read_when_partitions_have_other_names_then_refused() -> None:
    rest = ",".join(map(str, range(1, BUCKETS)))
    assert read_shards(definition(rest)).count == 2
    with pytest.raises(Unavailable):
        read_shards(definition(rest).replace("shard_1", "first"))
