"""Role friend: who is told of what, presence of new friends, contacts, repeats."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from tests.support.lane_fixtures import operation_id
from tests.support.worlds import ANN, BOB, EVE, World, caller, code_of, open_world

from tinyqq.errors import ErrorCode
from tinyqq.model import friendship
from tinyqq.model.account import Account
from tinyqq.model.friend import (
    MAX_NOTE_CHARS,
    AnswerFriend,
    Contact,
    DeleteFriend,
    ListContacts,
    PresenceChanged,
    RequestFriend,
    SetBlocked,
    SetRemark,
)
from tinyqq.model.ids import HELPER_ID, MAX_USER_ID, UserId, direct_conversation
from tinyqq.model.message import Kind
from tinyqq.services.friends import FriendService


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def friends(world: World) -> FriendService:
    return world.friends()


async def contacts(friends: FriendService, user_id: UserId) -> dict[UserId, Contact]:
    found = await friends.list_contacts(caller(user_id), ListContacts())
    return {contact.user_id: contact for contact in found.contacts}


async def ask(friends: FriendService, one: UserId, other: UserId, note: str = "") -> None:
    await friends.request_friend(caller(one), RequestFriend(operation_id(), other, note))


async def answer(friends: FriendService, one: UserId, other: UserId, *, accept: bool) -> None:
    await friends.answer_friend(caller(one), AnswerFriend(operation_id(), other, accept))


async def block(friends: FriendService, one: UserId, other: UserId, *, blocked: bool) -> None:
    await friends.set_blocked(caller(one), SetBlocked(operation_id(), other, blocked))


# ---- requests ------------------------------------------------------------------------------------


async def test_request_friend_when_asked_then_both_learn_in_their_own_conversations(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB, " hi ")
    for user_id in (ANN, BOB):
        [(kind, sender_id, notice)] = await world.told(user_id)
        assert (kind, sender_id) == (Kind.FRIEND_REQUESTED, ANN)
        assert (notice.user_ids, notice.note) == ((BOB,), "hi")


async def test_request_friend_when_repeated_then_nothing_is_written_twice(
    world: World, friends: FriendService
) -> None:
    request = RequestFriend(operation_id(), BOB, "hi")
    for _ in range(2):
        await friends.request_friend(caller(ANN), request)
    assert len(await world.told(BOB)) == 1
    assert len(await world.entries(ANN, direct_conversation(ANN, BOB))) == 1


async def test_request_friend_when_an_earlier_try_told_nobody_then_a_repeat_tells(
    world: World, friends: FriendService
) -> None:
    request = RequestFriend(operation_id(), BOB)
    rule = partial(friendship.request, asker_id=ANN, note="")
    place = direct_conversation(ANN, BOB)
    await world.lane.change(place, ANN, request.operation_id, rule)
    await friends.request_friend(caller(ANN), request)
    assert await world.told_kinds(BOB) == [Kind.FRIEND_REQUESTED]


async def test_request_friend_when_repeated_after_the_answer_then_the_first_outcome(
    world: World, friends: FriendService
) -> None:
    request = RequestFriend(operation_id(), BOB)
    await friends.request_friend(caller(ANN), request)
    await answer(friends, BOB, ANN, accept=True)
    await friends.request_friend(caller(ANN), request)
    assert await world.told_kinds(BOB) == [Kind.FRIEND_REQUESTED, Kind.FRIEND_ADDED]


async def test_request_friend_when_both_ask_then_friends_and_both_learn(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB)
    await ask(friends, BOB, ANN)
    assert (await contacts(friends, ANN))[BOB].is_friend
    assert (await contacts(friends, BOB))[ANN].is_friend
    for user_id in (ANN, BOB):
        assert await world.told_kinds(user_id) == [Kind.FRIEND_REQUESTED, Kind.FRIEND_ADDED]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (ANN, ErrorCode.SELF_NOT_ALLOWED),
        (0, ErrorCode.USER_NOT_FOUND),
        (MAX_USER_ID + 1, ErrorCode.USER_NOT_FOUND),
        (10_999, ErrorCode.USER_NOT_FOUND),
    ],
)
async def test_request_friend_when_nobody_to_ask_then_refused(
    friends: FriendService, number: int, code: ErrorCode
) -> None:
    assert await code_of(ask(friends, ANN, UserId(number))) is code


@pytest.mark.parametrize("note", ["a\nb", "x" * (MAX_NOTE_CHARS + 1)])
async def test_request_friend_when_the_note_is_no_line_then_refused(
    friends: FriendService, note: str
) -> None:
    assert await code_of(ask(friends, ANN, BOB, note)) is ErrorCode.INVALID_REQUEST


async def test_operation_when_its_id_was_used_for_something_else_then_refused(
    friends: FriendService,
) -> None:
    used = operation_id()
    await friends.request_friend(caller(ANN), RequestFriend(used, BOB))
    reuse = friends.set_blocked(caller(ANN), SetBlocked(used, BOB, True))
    assert await code_of(reuse) is ErrorCode.OPERATION_REUSED


async def test_answer_friend_when_declined_then_both_learn_and_may_ask_again(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB)
    await answer(friends, BOB, ANN, accept=False)
    assert await world.told_kinds(ANN) == [Kind.FRIEND_REQUESTED, Kind.REQUEST_DECLINED]
    assert await world.told_kinds(BOB) == [Kind.FRIEND_REQUESTED, Kind.REQUEST_DECLINED]
    assert await contacts(friends, ANN) == {}
    await ask(friends, ANN, BOB)


async def test_answer_friend_when_accepted_then_each_sees_the_others_presence(
    world: World, friends: FriendService
) -> None:
    world.presence.online = {BOB}
    await ask(friends, ANN, BOB)
    assert world.delivery.hints == []
    await answer(friends, BOB, ANN, accept=True)
    assert {hint.user_ids: hint.record for hint in world.delivery.hints} == {
        (ANN,): PresenceChanged(BOB, True, 1),
        (BOB,): PresenceChanged(ANN, False, 1),
    }


# ---- ends and blocks -----------------------------------------------------------------------------


async def test_delete_friend_when_deleted_then_gone_for_both_and_the_other_is_not_told(
    world: World, friends: FriendService
) -> None:
    await world.befriend(ANN, BOB)
    await friends.delete_friend(caller(ANN), DeleteFriend(operation_id(), BOB))
    assert await contacts(friends, ANN) == await contacts(friends, BOB) == {}
    assert await world.told_kinds(ANN) == [Kind.FRIEND_ADDED, Kind.FRIEND_REMOVED]
    assert await world.told_kinds(BOB) == [Kind.FRIEND_ADDED]


async def test_set_blocked_when_blocked_then_only_a_refusal_tells_the_other(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB)
    await block(friends, BOB, ANN, blocked=True)
    assert await world.told_kinds(ANN) == [Kind.FRIEND_REQUESTED]
    assert await code_of(ask(friends, ANN, BOB)) is ErrorCode.BLOCKED
    assert (await contacts(friends, BOB))[ANN].is_blocked


async def test_set_blocked_when_unblocked_then_asking_is_possible_again(
    world: World, friends: FriendService
) -> None:
    await block(friends, BOB, ANN, blocked=True)
    await block(friends, BOB, ANN, blocked=False)
    await ask(friends, ANN, BOB)
    assert await world.told_kinds(BOB) == [Kind.BLOCKED, Kind.UNBLOCKED, Kind.FRIEND_REQUESTED]


# ---- contacts ------------------------------------------------------------------------------------


async def test_list_contacts_when_friends_then_presence_is_shown_of_them_alone(
    world: World, friends: FriendService
) -> None:
    await world.befriend(ANN, BOB)
    await ask(friends, EVE, ANN, "hello")
    world.presence.online = {BOB, EVE}
    found = await contacts(friends, ANN)
    assert (found[BOB].online, found[BOB].last_seen_at_ms) == (True, 1)
    assert (found[EVE].online, found[EVE].last_seen_at_ms) == (False, 0)
    assert (found[EVE].request_received_at_ms, found[EVE].note) == (world.clock.now_ms(), "hello")


async def test_list_contacts_when_presence_is_away_then_listed_without_it(
    world: World, friends: FriendService
) -> None:
    await world.befriend(ANN, BOB)
    world.presence.online = {BOB}
    world.presence.is_away = True
    assert not (await contacts(friends, ANN))[BOB].online


async def test_list_contacts_when_a_request_has_expired_then_left_out(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB)
    assert BOB in await contacts(friends, ANN)
    assert ANN in await contacts(friends, BOB)
    world.clock.advance(30 * 24 * 3600 + 1)
    assert await contacts(friends, ANN) == await contacts(friends, BOB) == {}


async def test_list_contacts_when_the_asker_has_gone_then_left_out(
    world: World, friends: FriendService
) -> None:
    await ask(friends, ANN, BOB)
    await world.storage.accounts.update_account(ANN, deleted_at_ms=1)
    assert await contacts(friends, BOB) == {}


async def test_set_remark_when_set_then_shown_to_oneself_only(
    world: World, friends: FriendService
) -> None:
    await world.befriend(ANN, BOB)
    await friends.set_remark(caller(ANN), SetRemark(BOB, " Bobby "))
    assert (await contacts(friends, ANN))[BOB].remark == "Bobby"
    assert (await contacts(friends, BOB))[ANN].remark == ""


async def test_set_remark_when_of_oneself_then_refused(friends: FriendService) -> None:
    call = friends.set_remark(caller(ANN), SetRemark(ANN, "me"))
    assert await code_of(call) is ErrorCode.SELF_NOT_ALLOWED


async def test_befriend_when_the_server_speaks_for_one_then_only_the_other_is_told(
    world: World, friends: FriendService
) -> None:
    await world.storage.accounts.create_accounts([Account(HELPER_ID, "小Q", "")], [])
    await friends.befriend(HELPER_ID, ANN, operation_id())
    assert await world.told_kinds(ANN) == [Kind.FRIEND_ADDED]
    assert await world.told_kinds(HELPER_ID) == []
    assert (await contacts(friends, ANN))[HELPER_ID].online
