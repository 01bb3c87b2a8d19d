"""Accounts, devices, numbers and secrets, as every storage keeps them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from tests.support.logs import ANN, BOB, EVE, LAPTOP, PHONE, ZOE, account, new_operation_id

from tinyqq.errors import Conflict
from tinyqq.model.account import Account, Device, DeviceKind
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.ports.storage import Seen
from tinyqq.storage.open import Storage, open_storage


def device(device_id: DeviceId = PHONE, user_id: UserId = ANN, seen_at_ms: int = 5) -> Device:
    """A device with a token of its own."""
    token = (bytes(device_id) + user_id.to_bytes(16, "big"))[:32]
    return Device(user_id, device_id, DeviceKind.MOBILE, "phone", token, 1, seen_at_ms)


# ---- accounts ------------------------------------------------------------------------------------


async def test_account_when_created_then_found_with_every_field(storage: Storage) -> None:
    written = Account(
        ANN, "Ann", "hash", "recovery", "hello", "avatar",
        is_bot=True, is_admin=True, is_disabled=True, must_change_password=True,
        allow_strangers=True, is_welcomed=True,
        created_at_ms=1, deleted_at_ms=2, last_seen_at_ms=3,
    )  # fmt: skip
    assert await storage.accounts.create_account(written, new_operation_id()) == written
    assert await storage.accounts.find_account(ANN) == written


async def test_account_when_the_operation_repeats_then_the_first_one(storage: Storage) -> None:
    first, operation_id = account(ANN, "Ann"), new_operation_id()
    await storage.accounts.create_account(first, operation_id)
    again = await storage.accounts.create_account(account(BOB, "Other"), operation_id)
    assert again == first
    assert await storage.accounts.find_account(BOB) is None


async def test_account_when_its_number_is_taken_then_conflict(storage: Storage) -> None:
    await storage.accounts.create_account(account(ANN), new_operation_id())
    with pytest.raises(Conflict):
        await storage.accounts.create_account(account(ANN, "Other"), new_operation_id())


async def test_accounts_when_made_in_bulk_then_they_and_their_devices_are_there(
    storage: Storage,
) -> None:
    many = [account(UserId(20_000 + number)) for number in range(500)]
    devices = [device(user_id=one.user_id) for one in many]
    await storage.accounts.create_accounts(many, devices)
    found = await storage.accounts.find_accounts([one.user_id for one in many] + [ANN])
    assert found == {one.user_id: one for one in many}
    assert await storage.accounts.find_device(many[7].user_id, PHONE) == devices[7]


async def test_accounts_when_one_of_many_is_taken_then_none_is_made(storage: Storage) -> None:
    await storage.accounts.create_accounts([account(BOB)], [])
    with pytest.raises(Conflict):
        await storage.accounts.create_accounts([account(ANN), account(BOB)], [device()])
    assert await storage.accounts.find_account(ANN) is None


async def test_accounts_when_none_are_given_then_nothing_happens(storage: Storage) -> None:
    await storage.accounts.create_accounts([], [])
    assert await storage.accounts.find_accounts([]) == {}


async def test_account_when_changed_then_only_those_fields(storage: Storage) -> None:
    before = account(ANN, "Ann")
    await storage.accounts.create_account(before, new_operation_id())
    assert await storage.accounts.update_account(ANN, nickname="Anna", is_disabled=True)
    after = await storage.accounts.find_account(ANN)
    assert after == replace(before, nickname="Anna", is_disabled=True)


async def test_account_when_there_is_none_then_nothing_to_change(storage: Storage) -> None:
    assert not await storage.accounts.update_account(ANN, nickname="Anna")


async def test_search_when_a_part_matches_then_usable_ones_by_number(storage: Storage) -> None:
    people = [
        account(ZOE, "ÄNNCHEN"),
        account(ANN, "Hannah"),
        account(BOB, "anna", is_disabled=True),
        account(EVE, "小安娜"),
    ]
    await storage.accounts.create_accounts(people, [])
    search = storage.accounts.search_accounts
    assert await search("ANN", 10) == (people[1],)
    assert await search("änn", 10) == (people[0],)
    assert await search("nn", 10) == (people[1], people[0])
    assert await search("nn", 1) == (people[1],)
    assert await search("安", 10) == (people[3],)


@pytest.mark.parametrize("query", ["%", "_", "a%b", "/"])
async def test_search_when_it_has_wildcards_then_they_are_plain_letters(
    storage: Storage, query: str
) -> None:
    await storage.accounts.create_accounts([account(ANN, "axb"), account(BOB, f"<{query}>")], [])
    assert [one.user_id for one in await storage.accounts.search_accounts(query, 9)] == [BOB]


async def test_search_when_renamed_then_by_the_new_name_only(storage: Storage) -> None:
    await storage.accounts.create_accounts([account(ANN, "Ann")], [])
    await storage.accounts.update_account(ANN, nickname="Berta")
    assert await storage.accounts.search_accounts("ann", 9) == ()
    assert len(await storage.accounts.search_accounts("BERT", 9)) == 1


async def test_accounts_when_listed_then_all_by_number_in_pages(storage: Storage) -> None:
    people = [account(ANN), account(BOB, is_disabled=True), account(EVE, deleted_at_ms=1)]
    await storage.accounts.create_accounts(reversed(people), [])
    assert await storage.accounts.list_accounts(UserId(0), 2) == tuple(people[:2])
    assert await storage.accounts.list_accounts(BOB, 2) == (people[2],)


async def test_accounts_when_looked_for_then_by_number_or_name_whatever_their_state(
    storage: Storage,
) -> None:
    people = [
        account(ANN, "Ann"),
        replace(account(BOB, "HANNAH"), is_disabled=True),
        account(ZOE, "50%"),
    ]
    await storage.accounts.create_accounts(people, [])

    async def find(query: str, after: UserId = UserId(0)) -> list[UserId]:
        return [one.user_id for one in await storage.accounts.list_accounts(after, 9, query)]

    assert await find("ann") == [ANN, BOB]
    assert await find("ann", ANN) == [BOB]
    assert await find("%") == [ZOE]
    assert await find(str(BOB)) == [BOB]
    assert await find("9" * 30) == []


# ---- devices -------------------------------------------------------------------------------------


async def test_device_when_put_then_found_by_id_and_by_token(storage: Storage) -> None:
    await storage.accounts.put_device(device())
    assert await storage.accounts.find_device(ANN, PHONE) == device()
    assert await storage.accounts.find_device_by_refresh(device().refresh_hash) == device()
    assert await storage.accounts.find_device(BOB, PHONE) is None
    assert await storage.accounts.find_device_by_refresh(b"?" * 32) is None


async def test_device_when_put_again_then_the_old_token_is_dead(storage: Storage) -> None:
    await storage.accounts.put_device(device())
    renewed = replace(device(), refresh_hash=b"n" * 32, name="new phone")
    await storage.accounts.put_device(renewed)
    assert await storage.accounts.find_device_by_refresh(device().refresh_hash) is None
    assert await storage.accounts.list_devices(ANN) == (renewed,)


async def test_devices_when_listed_then_the_most_recently_seen_first(storage: Storage) -> None:
    old, new = device(PHONE, seen_at_ms=5), device(LAPTOP, seen_at_ms=6)
    for one in (old, new, device(PHONE, BOB)):
        await storage.accounts.put_device(one)
    assert await storage.accounts.list_devices(ANN) == (new, old)


async def test_seen_when_noted_then_of_device_and_account(storage: Storage) -> None:
    await storage.accounts.create_accounts([account(ANN), account(BOB)], [device()])
    await storage.accounts.note_seen([Seen(ANN, PHONE, 70), Seen(BOB, PHONE, 71)])
    found = await storage.accounts.find_device(ANN, PHONE)
    assert found is not None
    assert found.last_seen_at_ms == 70
    people = await storage.accounts.find_accounts([ANN, BOB])
    assert [people[one].last_seen_at_ms for one in (ANN, BOB)] == [70, 71]
    assert await storage.accounts.find_device(BOB, PHONE) is None


async def test_seen_when_nobody_was_then_nothing_happens(storage: Storage) -> None:
    await storage.accounts.note_seen([])


@pytest.mark.parametrize(
    ("choice", "gone"),
    [({}, {PHONE, LAPTOP}), ({"only": PHONE}, {PHONE}), ({"keep": PHONE}, {LAPTOP})],
)
async def test_devices_when_deleted_then_the_chosen_ones_and_only_this_user_s(
    storage: Storage, choice: dict[str, DeviceId], gone: set[DeviceId]
) -> None:
    await storage.accounts.create_accounts([], [device(), device(LAPTOP), device(PHONE, BOB)])
    assert set(await storage.accounts.delete_devices(ANN, **choice)) == gone
    left = {one.device_id for one in await storage.accounts.list_devices(ANN)}
    assert left == {PHONE, LAPTOP} - gone
    assert await storage.accounts.find_device(BOB, PHONE) is not None


# ---- numbers and secrets -------------------------------------------------------------------------


async def test_numbers_when_taken_then_consecutive_from_their_first(storage: Storage) -> None:
    take = storage.accounts.take_numbers
    assert [await take("user", 1), await take("user", 3), await take("user", 1)] == [
        10_001,
        10_002,
        10_005,
    ]
    assert [await take("group", 1), await take("other", 1)] == [10_001, 1]


async def test_numbers_when_taken_at_the_same_time_then_never_twice(storage: Storage) -> None:
    sizes = [1 + number % 4 for number in range(60)]
    firsts = await asyncio.gather(*(storage.accounts.take_numbers("user", one) for one in sizes))
    taken = [first + n for first, size in zip(firsts, sizes, strict=True) for n in range(size)]
    assert len(set(taken)) == sum(sizes)


async def test_numbers_when_reopened_then_they_go_on(storage_url: str) -> None:
    async with open_storage(storage_url) as storage:
        before = await storage.accounts.take_numbers("user", 10)
    async with open_storage(storage_url) as storage:
        assert await storage.accounts.take_numbers("user", 1) >= before + 10


async def test_secret_when_several_want_to_set_it_then_the_first_wins(storage: Storage) -> None:
    candidates = [bytes([number]) * 32 for number in range(8)]
    kept = await asyncio.gather(*(storage.accounts.get_secret("key", one) for one in candidates))
    assert len(set(kept)) == 1
    assert await storage.accounts.get_secret("key", b"late") == kept[0]
    assert await storage.accounts.get_secret("other", b"own") == b"own"
