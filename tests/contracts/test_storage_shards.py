"""What a read asks of shards: only those where its conversations lie, and never a whole table."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    BOB,
    EVE,
    PHONE,
    account,
    log_of,
    new_operation_id,
    put_group,
    put_member,
)
from tests.support.spider import emptied

from tinyqq.lab.servers.spider import SpiderServers
from tinyqq.model.conversation import PutJoinRequest, PutRelation
from tinyqq.model.ids import ConversationId, GroupId, Seq, UserId
from tinyqq.model.message import Kind
from tinyqq.ports.storage import SendKey
from tinyqq.storage.open import Storage, open_storage
from tinyqq.storage.shards import BUCKETS

pytestmark = [pytest.mark.needs("spider"), pytest.mark.slow]
GROUP: Final = ConversationId(60 * BUCKETS)
"""On the first shard; conversations of Ann and Bob are on the second."""
BOTH: Final = (ANN_BOB, GROUP)
KEYS: Final = [SendKey(key, ANN, new_operation_id()) for key in BOTH]

Read = Callable[[Storage], Awaitable[Any]]
OF_THE_SECOND: Final[dict[str, Read]] = {
    "page": lambda s: s.log_reader.read_page(ANN, ANN_BOB, Seq(0), 50),
    "history": lambda s: s.log_reader.read_history(ANN, ANN_BOB, Seq(0), 50),
    "heads": lambda s: s.log_reader.read_heads([ANN_BOB, ANN_OWN]),
    "entry": lambda s: s.log_reader.find_entry(ANN_BOB, Seq(1)),
    "operation": lambda s: s.log_reader.find_operation(KEYS[0]),
    "visible": lambda s: s.log_reader.find_visible(BOB, KEYS[0]),
    "contact": lambda s: s.conversations.find_contact(ANN, BOB),
    "load": lambda s: s.log_writer.load([ANN_BOB, ANN_OWN]),
    "find_sent": lambda s: s.log_writer.find_sent(KEYS[:1]),
}
OF_THE_FIRST: Final[dict[str, Read]] = {
    "page": lambda s: s.log_reader.read_page(ANN, GROUP, Seq(0), 50),
    "load": lambda s: s.log_writer.load([GROUP]),
    "group": lambda s: s.conversations.find_group(GroupId(GROUP), ANN),
    "member_ids": lambda s: s.conversations.list_member_ids(GroupId(GROUP)),
    "members": lambda s: s.conversations.list_members(GroupId(GROUP), UserId(0), 9),
    "requests": lambda s: s.conversations.list_join_requests(GroupId(GROUP)),
}
OF_BOTH: Final[dict[str, Read]] = {
    "overview": lambda s: s.log_reader.read_overview(
        ANN, PHONE, known=[], with_cursors=False, after_conversation_id=ConversationId(0), limit=9
    ),
    "heads": lambda s: s.log_reader.read_heads(BOTH),
    "load": lambda s: s.log_writer.load(BOTH),
    "find_sent": lambda s: s.log_writer.find_sent(KEYS),
    "contacts": lambda s: s.conversations.list_contacts(ANN),
    "friend_ids": lambda s: s.conversations.list_friend_ids(ANN),
    "group_ids": lambda s: s.conversations.list_group_ids(ANN),
    "groups": lambda s: s.conversations.list_groups(ANN),
    "invitations": lambda s: s.conversations.list_invitations(ANN, 9),
}


@pytest.fixture
async def storage(spider: SpiderServers) -> Any:
    """Ann, her friend Bob, and their group, where Eve waits at the door."""
    async with open_storage(emptied(spider)) as opened:
        await opened.accounts.create_accounts([account(one) for one in (ANN, BOB)], [])
        await opened.log_writer.ensure_listed([(ANN, key) for key in BOTH])
        kinds = [Kind.TEXT, Kind.TEXT, Kind.MEMBER_JOINED]
        group = (put_group(), put_member(ANN), put_member(BOB), PutJoinRequest(EVE, 5))
        effects = [(GROUP, effect) for effect in group]
        await opened.log_writer.append(log_of(kinds, GROUP), effects)
        friends = [(ANN_BOB, PutRelation(one, is_friend=True)) for one in (ANN, BOB)]
        await opened.log_writer.append(log_of(kinds, ANN_BOB), friends)
        yield opened


class Queries:
    """What the shards were asked for since the last look."""

    def __init__(self, servers: SpiderServers) -> None:
        self._servers = servers.shards
        for shard in self._servers:
            shard.ask(f"SET GLOBAL general_log_file='{shard.folder}/queries.log', general_log=1")
        self.seen()

    def seen(self) -> list[list[str]]:
        """Rows asked for of each."""
        found = []
        for shard in self._servers:
            log = shard.folder / "queries.log"
            text = log.read_text(encoding="utf-8", errors="replace")
            found.append(re.findall(r"select .* from `tinyqq`.*|select a\.id.*", text))
            log.write_text("")
        return found

    def stop(self) -> None:
        """No longer write them down."""
        for shard in self._servers:
            shard.ask("SET GLOBAL general_log=0")


@pytest.fixture
def queries(spider: SpiderServers) -> Iterator[Queries]:
    made = Queries(spider)
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("shard", "reads"),
    [({0}, OF_THE_FIRST), ({1}, OF_THE_SECOND), ({0, 1}, OF_BOTH)],
    ids=["first", "second", "both"],
)
async def test_reads_when_about_some_shards_then_no_other_is_asked_and_no_table_is_fetched(
    storage: Storage, queries: Queries, shard: set[int], reads: dict[str, Read]
) -> None:
    for name, read in reads.items():
        queries.seen()
        await read(storage)
        seen = queries.seen()
        assert {number for number, asked in enumerate(seen) if asked} <= shard, name
        assert any(seen), name
        assert [one for asked in seen for one in asked if " where " not in one] == [], name
