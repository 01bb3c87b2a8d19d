"""Operations of several steps: refusals that let repeats through, telling everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.lane_fixtures import operation_id
from tests.support.worlds import ANN, BOB, EVE, World, code_of, open_world

from tinyqq.errors import Conflict, ErrorCode
from tinyqq.model.conversation import ConversationState, Plan
from tinyqq.model.ids import own_conversation
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.services.steps import Step, refuse, take, tell

OWN = own_conversation(ANN)


def grant(state: ConversationState, now_ms: int) -> Plan:
    return Plan(Kind.FRIEND_ADDED, Notice(user_ids=(BOB,), note="hi"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def granted(world: World) -> Entry:
    return await take(world.lane, Step(OWN, ANN, operation_id(), grant), (Kind.FRIEND_ADDED,))


async def test_refuse_when_new_then_it_raises_the_error(world: World) -> None:
    rule = refuse(Conflict(ErrorCode.GROUP_FULL))
    refused = take(world.lane, Step(OWN, ANN, operation_id(), rule), (Kind.FRIEND_ADDED,))
    assert await code_of(refused) is ErrorCode.GROUP_FULL


async def test_refuse_when_a_repeat_of_something_granted_then_the_first_entry(
    world: World,
) -> None:
    first = await granted(world)
    rule = refuse(Conflict(ErrorCode.GROUP_FULL))
    step = Step(OWN, ANN, first.client_message_id, rule)
    assert await take(world.lane, step, (Kind.FRIEND_ADDED,)) == first


async def test_take_when_the_entry_is_of_another_kind_then_the_id_was_reused(
    world: World,
) -> None:
    step = Step(OWN, ANN, operation_id(), grant)
    assert await code_of(take(world.lane, step, (Kind.BLOCKED,))) is ErrorCode.OPERATION_REUSED


async def test_tell_when_repeated_then_everybody_has_it_once(world: World) -> None:
    entry = await granted(world)
    for _ in range(2):
        await tell(world.lane, entry, (BOB, EVE))
    for user_id in (BOB, EVE):
        [(kind, sender_id, notice)] = await world.told(user_id)
        assert (kind, sender_id, notice.note) == (Kind.FRIEND_ADDED, ANN, "hi")


async def test_tell_when_it_cannot_be_written_then_says_so(world: World) -> None:
    entry = await granted(world)
    await world.lane.__aexit__(None, None, None)
    assert await code_of(tell(world.lane, entry, (BOB, EVE))) is ErrorCode.DRAINING
