"""The log in memory keeps the promises of LogWriter, and fails when asked to."""

from __future__ import annotations

import pytest
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, befriend, operation_id

from tinyqq.errors import Unavailable
from tinyqq.model.conversation import EraseEntry, PutRelation
from tinyqq.model.ids import OperationId, Seq
from tinyqq.model.message import Entry, Kind
from tinyqq.ports.storage import AppendFailed, SendKey
from tinyqq.testing.log import MemoryLog


def entry(seq: int, key: OperationId | None = None) -> Entry:
    return Entry(ANN_BOB, Seq(seq), seq, ANN, key or operation_id(), 1, Kind.TEXT, b"x")


async def test_append_then_loaded_and_found() -> None:
    log, one = MemoryLog(accounts=[ANN]), entry(1)
    await log.append([one], [(ANN_BOB, PutRelation(BOB, is_friend=True))])
    state = (await log.load([ANN_BOB]))[ANN_BOB]
    assert (state.head_seq, state.relation(BOB).is_friend, state.reachable) == (1, True, {ANN})
    key = SendKey(ANN_BOB, ANN, one.client_message_id)
    assert await log.find_sent([key]) == {key: one}


async def test_append_when_seq_or_id_is_taken_then_nothing_is_written() -> None:
    log, key = MemoryLog(), operation_id()
    await log.append([entry(1, key)], [])
    for bad in (entry(1), entry(3), entry(2, key)):
        with pytest.raises(AppendFailed) as caught:
            await log.append([bad], [])
        assert caught.value.outcome_known
    assert len(log.entries[ANN_BOB]) == 1


async def test_faults_then_used_up_in_order() -> None:
    log = MemoryLog()
    log.faults = ["down", "unknown", "lost"]
    with pytest.raises(Unavailable):
        await log.append([entry(1)], [])
    with pytest.raises(AppendFailed):
        await log.append([entry(1)], [])
    with pytest.raises(AppendFailed):
        await log.append([entry(2)], [])
    assert len(log.entries[ANN_BOB]) == 1


async def test_erase_then_body_is_gone() -> None:
    log = MemoryLog()
    await log.append([entry(1)], [])
    await log.append([entry(2)], [(ANN_BOB, EraseEntry(Seq(1)))])
    assert log.entries[ANN_BOB][0][6:8] == (Kind.RECALLED, b"")


async def test_load_then_a_copy() -> None:
    log = MemoryLog()
    befriend((await log.load([ANN_BOB]))[ANN_BOB], ANN, BOB)
    assert not log.state(ANN_BOB).relation(BOB).is_friend
