"""Loading costs the same number of statements for one conversation and for hundreds."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, GROUP, entry, in_group, put_group
from tests.support.statements import recorded, table_scans

from tinyqq.model.conversation import ConversationState
from tinyqq.model.ids import ConversationId, OperationId, UserId, direct_conversation
from tinyqq.ports.storage import SendKey
from tinyqq.storage.log_writer import SqlLogWriter, find_sent, load_states
from tinyqq.storage.sqlite import SqliteDatabase


def conversations(number: int) -> list[ConversationId]:
    """As many direct ones and groups, and one's own."""
    direct = [direct_conversation(ANN, UserId(20_000 + one)) for one in range(number)]
    return [ANN_OWN, *direct, *(ConversationId(20_000 + one) for one in range(number))]


@pytest.mark.parametrize("number", [1, 400])
def test_load_when_there_are_many_then_seven_statements_by_their_keys(
    conn: Connection, number: int
) -> None:
    with recorded(conn) as statements:
        states = load_states(conn, conversations(number))
    assert list(states) == conversations(number)
    assert len(statements) == 7
    assert table_scans(conn, statements) == []


def test_load_when_only_the_own_conversation_then_only_its_head(conn: Connection) -> None:
    with recorded(conn) as statements:
        assert load_states(conn, [ANN_OWN]) == {ANN_OWN: ConversationState(ANN_OWN)}
    assert len(statements) == 1


def test_find_sent_when_many_are_asked_for_then_one_statement_by_the_key(
    conn: Connection,
) -> None:
    keys = [SendKey(ANN_BOB, BOB, OperationId(n.to_bytes(16, "big"))) for n in range(1_000)]
    with recorded(conn) as statements:
        assert find_sent(conn, keys) == {}
    assert len(statements) == 1
    assert table_scans(conn, statements) == []


async def test_writer_when_used_then_everything_goes_through_the_database(
    database: SqliteDatabase,
) -> None:
    writer = SqlLogWriter(database=database)
    await writer.ensure_listed([])
    await writer.ensure_listed([(ANN, ANN_BOB)])
    written = entry(1, GROUP)
    await writer.append([written], in_group(put_group()))
    await writer.append([entry(1)], [])
    states = await writer.load([GROUP, ANN_BOB])
    assert (states[GROUP].group, states[ANN_BOB].listed) == (put_group(), {ANN})
    key = SendKey(GROUP, ANN, written.client_message_id)
    assert await writer.find_sent([key]) == {key: written}
