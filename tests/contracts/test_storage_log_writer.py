"""What a lane relies on: all or nothing, one row per number and per operation, fresh state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.support.logs import (
    ANN,
    ANN_BOB,
    ANN_OWN,
    BOB,
    EVE,
    GROUP,
    ZOE,
    account,
    entry,
    in_group,
    messages,
    new_operation_id,
    put_group,
    put_member,
)

from tinyqq.model.conversation import (
    DropJoinRequest,
    Effect,
    EraseEntry,
    PutJoinRequest,
    PutRelation,
)
from tinyqq.model.group import Role
from tinyqq.model.ids import ConversationId, Seq, direct_conversation
from tinyqq.model.message import Entry, Kind
from tinyqq.ports.storage import AppendFailed, SendKey
from tinyqq.storage.open import Storage, open_storage


async def refused(
    storage: Storage,
    entries: Sequence[Entry],
    effects: Sequence[tuple[ConversationId, Effect]] = (),
) -> bool:
    """Append what cannot be; returns whether the outcome is known."""
    return (await failure(storage, entries, effects)).outcome_known


async def failure(
    storage: Storage,
    entries: Sequence[Entry],
    effects: Sequence[tuple[ConversationId, Effect]] = (),
) -> AppendFailed:
    """Append what cannot be."""
    with pytest.raises(AppendFailed) as caught:
        await storage.log_writer.append(entries, effects)
    return caught.value


async def heads(storage: Storage, *ids: ConversationId) -> list[tuple[int, int]]:
    """Last seq and ordinal of each."""
    states = await storage.log_writer.load(ids)
    return [(states[key].head_seq, states[key].head_ordinal) for key in ids]


# ---- what others have added ---------------------------------------------------------------------


async def test_read_after_when_some_heads_are_known_then_what_comes_after_them(
    storage: Storage,
) -> None:
    notice = entry(3, ANN_OWN, kind=Kind.MEMBER_REMOVED)
    await storage.log_writer.append([*messages(4), *messages(2, ANN_OWN), notice], [])
    known = {ANN_BOB: Seq(2), ANN_OWN: Seq(1), GROUP: Seq(0)}
    added = sorted(await storage.log_writer.read_after(known, 10))
    assert added == sorted(
        [
            *((ANN_BOB, seq, Kind.TEXT) for seq in (3, 4)),
            (ANN_OWN, 2, Kind.TEXT),
            (ANN_OWN, 3, Kind.MEMBER_REMOVED),
        ]
    )


async def test_read_after_when_there_is_more_then_the_first_of_it(storage: Storage) -> None:
    await storage.log_writer.append(messages(5), [])
    added = await storage.log_writer.read_after({ANN_BOB: Seq(1)}, 3)
    assert [one.seq for one in added] == [2, 3, 4]
    assert await storage.log_writer.read_after({ANN_BOB: Seq(5)}, 3) == ()


# ---- appending -----------------------------------------------------------------------------------


async def test_append_when_reopened_then_the_heads_are_where_they_were(storage_url: str) -> None:
    async with open_storage(storage_url) as storage:
        await storage.log_writer.append([*messages(3), *messages(2, ANN_OWN)], [])
    async with open_storage(storage_url) as storage:
        assert await heads(storage, ANN_BOB, ANN_OWN, GROUP) == [(3, 3), (2, 2), (0, 0)]


async def test_append_when_read_back_then_every_field_is_the_same(storage: Storage) -> None:
    written = entry(1, ordinal=1, sender_id=BOB, kind=77, body=bytes(range(256)))
    await storage.log_writer.append([written], [])
    assert await storage.log_reader.find_entry(ANN_BOB, Seq(1)) == written


async def test_append_when_a_number_is_taken_then_nothing_is_written(storage: Storage) -> None:
    await storage.log_writer.append(messages(2), [])
    failed = await failure(storage, [*messages(1, ANN_OWN), entry(2), entry(3)])
    assert (failed.outcome_known, failed.key_taken) == (True, True)
    assert await heads(storage, ANN_BOB, ANN_OWN) == [(2, 2), (0, 0)]


async def test_append_when_an_operation_repeats_then_nothing_is_written(storage: Storage) -> None:
    first = entry(1)
    await storage.log_writer.append([first], [])
    again = entry(2, operation_id=first.client_message_id)
    assert await refused(storage, [again, *messages(1, ANN_OWN)])
    assert await heads(storage, ANN_BOB, ANN_OWN) == [(1, 1), (0, 0)]


async def test_append_when_another_sender_has_that_operation_then_it_is_written(
    storage: Storage,
) -> None:
    first = entry(1)
    other = entry(2, sender_id=BOB, operation_id=first.client_message_id)
    await storage.log_writer.append([first, other], [])
    assert await heads(storage, ANN_BOB) == [(2, 2)]


@pytest.mark.parametrize("broken", [{"body": None}, {"seq": 2**70}, {"sender_id": object()}])
async def test_append_when_a_row_cannot_be_stored_then_nothing_is_written(
    storage: Storage, broken: dict[str, object]
) -> None:
    good = messages(3)
    failed = await failure(storage, [good[0], good[1]._replace(**broken), good[2]])  # type: ignore[arg-type]  # broken on purpose
    assert (failed.outcome_known, failed.key_taken) == (True, False)
    await storage.log_writer.append(good, [])
    assert await heads(storage, ANN_BOB) == [(3, 3)]


async def test_append_when_it_fails_then_no_effect_is_left(storage: Storage) -> None:
    await storage.log_writer.append(messages(1), [])
    taken = [entry(1, GROUP, kind=Kind.GROUP_CREATED), entry(1)]
    assert await refused(storage, taken, in_group(put_group(), put_member(ANN)))
    state = (await storage.log_writer.load([GROUP]))[GROUP]
    assert (state.group, state.members, state.head_seq) == (None, {}, 0)


async def test_append_when_an_effect_fails_then_no_entry_is_left(storage: Storage) -> None:
    bad = put_member(ANN, since=2**70)
    assert await refused(storage, [entry(1, GROUP)], in_group(bad))
    assert await heads(storage, GROUP) == [(0, 0)]


# ---- effects -------------------------------------------------------------------------------------


async def test_load_when_a_group_was_made_then_it_has_everything(storage: Storage) -> None:
    waiting = PutJoinRequest(EVE, 5, "let me in", BOB)
    effects = (put_group(), put_member(ANN, role=Role.OWNER), put_member(BOB, 2), waiting)
    entries = [entry(1, GROUP, kind=Kind.GROUP_CREATED), entry(2, GROUP, kind=Kind.MEMBER_JOINED)]
    await storage.log_writer.append(entries, in_group(*effects))
    state = (await storage.log_writer.load([GROUP]))[GROUP]
    assert state.group == effects[0]
    assert state.members == {ANN: effects[1], BOB: effects[2]}
    assert state.requests == {EVE: waiting}
    assert state.members_seq == 2


async def test_load_when_a_member_has_left_then_only_the_others_are_present(
    storage: Storage,
) -> None:
    first = in_group(put_group(), put_member(ANN), put_member(BOB))
    await storage.log_writer.append([entry(1, GROUP, kind=Kind.GROUP_CREATED)], first)
    left = in_group(put_member(BOB, until=2))
    await storage.log_writer.append([entry(2, GROUP, kind=Kind.MEMBER_LEFT)], left)
    state = (await storage.log_writer.load([GROUP]))[GROUP]
    assert set(state.members) == {ANN}


async def test_load_when_other_entries_followed_then_members_seq_stays(storage: Storage) -> None:
    first = in_group(put_group(), put_member(ANN))
    await storage.log_writer.append([entry(1, GROUP, kind=Kind.GROUP_CREATED)], first)
    renamed = in_group(put_group(name="Rivals"))
    later = [entry(2, GROUP, kind=Kind.GROUP_CHANGED), entry(3, GROUP)]
    await storage.log_writer.append(later, renamed)
    state = (await storage.log_writer.load([GROUP]))[GROUP]
    assert (state.members_seq, state.head_seq) == (1, 3)
    assert state.group == put_group(name="Rivals")


async def test_load_when_a_request_was_dropped_then_nobody_waits(storage: Storage) -> None:
    effects = in_group(PutJoinRequest(EVE, 5), PutJoinRequest(ZOE, 6), DropJoinRequest(EVE))
    await storage.log_writer.append([entry(1, GROUP)], effects)
    state = (await storage.log_writer.load([GROUP]))[GROUP]
    assert state.requests == {ZOE: PutJoinRequest(ZOE, 6)}


async def test_erase_when_done_then_the_content_is_gone_from_the_log(storage: Storage) -> None:
    await storage.log_writer.append(messages(2), [])
    recall = entry(3, ordinal=2, kind=Kind.RECALL)
    await storage.log_writer.append([recall], [(ANN_BOB, EraseEntry(Seq(1)))])
    erased = await storage.log_reader.find_entry(ANN_BOB, Seq(1))
    kept = await storage.log_reader.find_entry(ANN_BOB, Seq(2))
    assert erased is not None
    assert (erased.kind, erased.body, erased.ordinal) == (Kind.RECALLED, b"", 1)
    assert kept is not None
    assert kept.body == b"hello"


# ---- direct conversations ------------------------------------------------------------------------


async def test_load_when_two_are_related_then_both_sides_are_there(storage: Storage) -> None:
    mine = PutRelation(ANN, is_friend=True)
    theirs = PutRelation(BOB, is_friend=True, is_blocked=True, requested_at_ms=7, note="hi")
    await storage.log_writer.append([entry(1)], [(ANN_BOB, mine), (ANN_BOB, theirs)])
    state = (await storage.log_writer.load([ANN_BOB]))[ANN_BOB]
    assert state.relations == {ANN: mine, BOB: theirs}


async def test_load_when_accounts_differ_then_only_usable_ones_are_reachable(
    storage: Storage,
) -> None:
    accounts = [
        account(ANN, allow_strangers=True),
        account(BOB),
        account(EVE, is_disabled=True),
        account(ZOE, deleted_at_ms=5, allow_strangers=True),
    ]
    await storage.accounts.create_accounts(accounts, [])
    ids = [direct_conversation(ANN, other) for other in (BOB, EVE, ZOE)]
    states = await storage.log_writer.load(ids)
    assert [states[key].reachable for key in ids] == [{ANN, BOB}, {ANN}, {ANN}]
    assert [states[key].open_to_strangers for key in ids] == [{ANN}] * 3


async def test_load_when_one_of_two_has_it_listed_then_only_that_one(storage: Storage) -> None:
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB), (EVE, direct_conversation(ANN, EVE))])
    state = (await storage.log_writer.load([ANN_BOB]))[ANN_BOB]
    assert state.listed == {ANN}


async def test_load_when_asked_for_nothing_then_nothing(storage: Storage) -> None:
    assert await storage.log_writer.load([]) == {}


# ---- operations and lists ------------------------------------------------------------------------


async def test_find_sent_when_some_are_in_the_log_then_only_those(storage: Storage) -> None:
    there = messages(2)
    await storage.log_writer.append(there, [])
    keys = [SendKey(one.conversation_id, one.sender_id, one.client_message_id) for one in there]
    absent = SendKey(ANN_BOB, ANN, new_operation_id())
    someone_elses = keys[0]._replace(sender_id=BOB)
    found = await storage.log_writer.find_sent([absent, someone_elses, *keys])
    assert found == dict(zip(keys, there, strict=True))


async def test_ensure_listed_when_there_already_then_the_remark_stays(storage: Storage) -> None:
    await storage.accounts.create_accounts([account(ANN), account(BOB)], [])
    await storage.log_writer.append([entry(1)], [(ANN_BOB, PutRelation(ANN, is_friend=True))])
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB)])
    await storage.conversations.set_remark(ANN, ANN_BOB, "Bobby")
    await storage.log_writer.ensure_listed([(ANN, ANN_BOB), (BOB, ANN_BOB)])
    [contact] = await storage.conversations.list_contacts(ANN)
    assert contact.remark == "Bobby"


async def test_ensure_listed_when_given_nothing_then_nothing_happens(storage: Storage) -> None:
    await storage.log_writer.ensure_listed([])
