"""Profiles: what others see, what changes, what is found."""

from __future__ import annotations

from typing import cast

import pytest
from tests.support.accounts import MemoryAccounts, caller_of
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.model.account import (
    Account,
    Caller,
    Profile,
    ProfileChanged,
    SearchUsers,
    UpdateProfile,
)
from tinyqq.model.friend import Contact, ContactList, ListContacts
from tinyqq.model.ids import UserId
from tinyqq.ports.delivery import Hint
from tinyqq.ports.services import FriendApi
from tinyqq.services.profiles import MAX_FOUND, Profiles

ANN, BOB, EVE, GONE = (UserId(number) for number in (10001, 10002, 10003, 10004))


@pytest.fixture
def accounts() -> MemoryAccounts:
    accounts = MemoryAccounts()
    for account in (
        Account(ANN, "安娜", "h", signature="hi", allow_strangers=True, is_admin=True),
        Account(BOB, "Bob 10001", "h", allow_strangers=True, is_admin=True, created_at_ms=5),
        Account(EVE, "bobby", "h", is_disabled=True),
        Account(GONE, "", "", deleted_at_ms=1),
    ):
        accounts.accounts[account.user_id] = account
    return accounts


class Circle:
    """Whom Ann knows."""

    def __init__(self) -> None:
        self.is_away = False

    async def list_contacts(self, caller: Caller, request: ListContacts) -> ContactList:
        if self.is_away:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        return ContactList((Contact(BOB, is_friend=True), Contact(EVE, is_blocked=True)))


@pytest.fixture
def circle() -> Circle:
    return Circle()


@pytest.fixture
def delivery() -> RecordingDelivery:
    return RecordingDelivery()


@pytest.fixture
def profiles(accounts: MemoryAccounts, circle: Circle, delivery: RecordingDelivery) -> Profiles:
    return Profiles(accounts=accounts, friends=cast(FriendApi, circle), delivery=delivery)


async def found(profiles: Profiles, query: str, limit: int = 20) -> list[UserId]:
    result = await profiles.search(caller_of(ANN), SearchUsers(query, limit))
    return [one.user_id for one in result.profiles]


async def test_get_when_it_is_anothers_then_without_settings_and_rights(profiles: Profiles) -> None:
    assert await profiles.get(caller_of(ANN), BOB) == Profile(BOB, "Bob 10001", created_at_ms=5)


async def test_get_when_it_is_ones_own_then_the_whole(profiles: Profiles) -> None:
    own = Profile(ANN, "安娜", signature="hi", allow_strangers=True, is_admin=True)
    assert await profiles.get(caller_of(ANN), ANN) == own


@pytest.mark.parametrize("user_id", [GONE, UserId(99_999)])
async def test_get_when_there_is_no_such_user_then_not_found(
    profiles: Profiles, user_id: UserId
) -> None:
    with pytest.raises(NotFound) as caught:
        await profiles.get(caller_of(ANN), user_id)
    assert caught.value.code is ErrorCode.USER_NOT_FOUND


@pytest.mark.parametrize(
    ("update", "told"),
    [
        (UpdateProfile(nickname="Ann"), ProfileChanged(ANN, "Ann")),
        (UpdateProfile(avatar="ab"), ProfileChanged(ANN, "安娜", "ab")),
    ],
)
async def test_update_when_it_is_the_name_or_picture_then_friends_and_own_devices_are_told(
    profiles: Profiles,
    delivery: RecordingDelivery,
    update: UpdateProfile,
    told: ProfileChanged,
) -> None:
    caller = caller_of(ANN)
    await profiles.update(caller, update)
    assert delivery.hints == [Hint((ANN, BOB), told, caller.session_id)]


async def test_update_when_friends_see_nothing_of_it_then_nobody_is_told(
    profiles: Profiles, delivery: RecordingDelivery
) -> None:
    await profiles.update(caller_of(ANN), UpdateProfile(signature="x", allow_strangers=False))
    assert delivery.hints == []


async def test_update_when_nobody_can_be_told_then_it_is_done_all_the_same(
    profiles: Profiles, circle: Circle, delivery: RecordingDelivery
) -> None:
    circle.is_away = True
    assert (await profiles.update(caller_of(ANN), UpdateProfile(nickname="Ann"))).nickname == "Ann"
    assert delivery.hints == []


async def test_update_when_some_fields_are_given_then_only_they_change(profiles: Profiles) -> None:
    update = UpdateProfile(nickname=" Ann ", allow_strangers=False)
    profile = await profiles.update(caller_of(ANN), update)
    assert profile == Profile(ANN, "Ann", signature="hi", is_admin=True)
    profile = await profiles.update(caller_of(ANN), UpdateProfile(signature="", avatar="cat"))
    assert (profile.nickname, profile.signature, profile.avatar) == ("Ann", "", "cat")
    assert await profiles.update(caller_of(ANN), UpdateProfile()) == profile


@pytest.mark.parametrize(
    ("update", "code"),
    [
        (UpdateProfile(nickname=" "), ErrorCode.BAD_NICKNAME),
        (UpdateProfile(signature="x" * 201), ErrorCode.TEXT_TOO_LONG),
        (UpdateProfile(avatar="x" * 129), ErrorCode.TEXT_TOO_LONG),
    ],
)
async def test_update_when_a_field_is_bad_then_nothing_changes(
    profiles: Profiles, accounts: MemoryAccounts, update: UpdateProfile, code: ErrorCode
) -> None:
    before = accounts.accounts[ANN]
    with pytest.raises(InvalidRequest) as caught:
        await profiles.update(caller_of(ANN), update)
    assert caught.value.code is code
    assert accounts.accounts[ANN] == before


async def test_search_when_it_is_a_number_then_its_owner_first(profiles: Profiles) -> None:
    assert await found(profiles, "10001") == [ANN, BOB]
    assert await found(profiles, "10001", limit=1) == [ANN]


async def test_search_when_it_is_part_of_a_name_then_whoever_can_be_reached(
    profiles: Profiles,
) -> None:
    assert await found(profiles, "BOB") == [BOB]
    assert await found(profiles, "娜") == [ANN]


@pytest.mark.parametrize("query", ["10003", "10004", "2147483648", "9" * 32, "１０００１", "²"])
async def test_search_when_it_is_nobodys_number_then_nothing(
    profiles: Profiles, query: str
) -> None:
    assert await found(profiles, query) == []


async def test_search_when_the_limit_is_0_then_as_many_as_there_may_be(
    profiles: Profiles,
) -> None:
    assert await found(profiles, "o", limit=0) == [BOB]


@pytest.mark.parametrize(
    ("query", "limit", "code"),
    [
        ("", 20, ErrorCode.INVALID_REQUEST),
        ("x" * 33, 20, ErrorCode.INVALID_REQUEST),
        ("bob", MAX_FOUND + 1, ErrorCode.PAGE_TOO_LARGE),
    ],
)
async def test_search_when_it_asks_too_much_or_nothing_then_refused(
    profiles: Profiles, query: str, limit: int, code: ErrorCode
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await found(profiles, query, limit)
    assert caught.value.code is code
