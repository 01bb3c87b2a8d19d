from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tinyqq.clock import SystemClock
from tinyqq.lab.population import PasswordCost, Population
from tinyqq.lab.prepare import prepare
from tinyqq.model.ids import (
    ConversationId,
    direct_conversation,
    group_conversation,
    own_conversation,
)
from tinyqq.services.tokens import refresh_hash
from tinyqq.storage.open import Storage, open_storage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with open_storage(f"sqlite:///{tmp_path / 'tinyqq.db'}") as opened:
        yield opened


async def populate(storage: Storage) -> Population:
    return await prepare(
        accounts=storage.accounts,
        log_writer=storage.log_writer,
        clock=SystemClock(),
        people=7,
        pairs=2,
        members=5,
        cost=PasswordCost(memory_kib=8, passes=1),
    )


async def test_prepare_when_done_then_tokens_belong_to_devices(storage: Storage) -> None:
    population = await populate(storage)
    person = population.people[6]
    device = await storage.accounts.find_device_by_refresh(refresh_hash(person.token))
    assert device is not None
    assert (device.user_id, device.device_id) == (person.user_id, person.device_id)


async def test_prepare_when_done_then_pairs_are_friends(storage: Storage) -> None:
    people = (await populate(storage)).people
    friends = [await storage.conversations.list_friend_ids(one.user_id) for one in people[:5]]
    assert friends == [
        (people[1].user_id,), (people[0].user_id,), (people[3].user_id,), (people[2].user_id,), (),
    ]  # fmt: skip


async def test_prepare_when_done_then_the_group_has_its_members(storage: Storage) -> None:
    population = await populate(storage)
    members, members_seq = await storage.conversations.list_member_ids(population.group_id)
    assert members == tuple(one.user_id for one in population.people[:5])
    assert members_seq == 5


async def test_prepare_when_done_then_states_continue_the_log(storage: Storage) -> None:
    population = await populate(storage)
    one, other = population.people[0].user_id, population.people[1].user_id
    direct, group = direct_conversation(one, other), group_conversation(population.group_id)
    states = await storage.log_writer.load([direct, group])
    assert (states[direct].head_seq, states[group].head_seq) == (2, 5)
    assert states[direct].listed == {one, other}


async def test_prepare_when_done_then_everybody_lists_their_own_notes(storage: Storage) -> None:
    population = await populate(storage)
    person = population.people[6]
    overview = await storage.log_reader.read_overview(
        person.user_id,
        person.device_id,
        known=(),
        with_cursors=False,
        after_conversation_id=ConversationId(0),
        limit=10,
    )
    assert [line.conversation_id for line in overview.conversations] == [
        own_conversation(person.user_id)
    ]
