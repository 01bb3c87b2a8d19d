"""What an operator does with accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.support.accounts import PASSWORD, MemoryAccounts, cheap_passwords
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.errors import Conflict, ErrorCode, InvalidRequest, NotFound
from tinyqq.model.account import Device, DeviceKind, KickReason
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.services.admin import AccountAdmin
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.tokens import refresh_hash
from tinyqq.testing.clock import FakeClock


class Bench:
    """An operator at work."""

    def __init__(self, passwords: PasswordPool) -> None:
        self.accounts = MemoryAccounts()
        self.delivery = RecordingDelivery()
        self.passwords = passwords
        self.clock = FakeClock()
        self.admin = AccountAdmin(
            accounts=self.accounts, passwords=passwords, delivery=self.delivery, clock=self.clock
        )

    async def add_device(self, user_id: UserId) -> None:
        device = Device(user_id, DeviceId(b"d" * 16), DeviceKind.CLI, "", b"h", 1, 1)
        await self.accounts.put_device(device)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with cheap_passwords() as passwords:
        yield Bench(passwords)


async def test_create_account_when_given_everything_then_stored(bench: Bench) -> None:
    account = await bench.admin.create_account(
        nickname=" root ", password=PASSWORD, is_admin=True, must_change_password=True
    )
    assert bench.accounts.accounts[account.user_id] == account
    assert (account.nickname, account.is_admin, account.must_change_password) == (
        "root",
        True,
        True,
    )
    assert account.created_at_ms == bench.clock.now_ms()
    assert not account.is_welcomed
    assert await bench.passwords.verify(account.password_hash, PASSWORD)


async def test_create_account_when_badly_filled_in_then_refused(bench: Bench) -> None:
    for nickname, password in [("", PASSWORD), ("root", "short")]:
        with pytest.raises(InvalidRequest):
            await bench.admin.create_account(nickname=nickname, password=password)
    assert bench.accounts.accounts == {}


async def test_set_password_when_set_then_it_must_be_changed_and_all_are_logged_out(
    bench: Bench,
) -> None:
    user_id = (await bench.admin.create_account(nickname="ann", password=PASSWORD)).user_id
    await bench.add_device(user_id)
    await bench.admin.set_password(user_id, "battery staple")
    account = bench.accounts.accounts[user_id]
    assert account.must_change_password
    assert await bench.passwords.verify(account.password_hash, "battery staple")
    assert bench.accounts.devices == {}
    assert [kick.reason for kick in bench.delivery.kicks] == [KickReason.PASSWORD_CHANGED]


async def test_set_password_when_it_may_stay_then_no_change_is_due(bench: Bench) -> None:
    user_id = (await bench.admin.create_account(nickname="ann", password=PASSWORD)).user_id
    await bench.admin.set_password(user_id, "battery staple", must_change=False)
    assert not bench.accounts.accounts[user_id].must_change_password


async def test_set_disabled_when_shut_out_then_kicked_and_tokens_are_gone(bench: Bench) -> None:
    user_id = (await bench.admin.create_account(nickname="ann", password=PASSWORD)).user_id
    await bench.add_device(user_id)
    await bench.admin.set_disabled(user_id, True)
    assert bench.accounts.accounts[user_id].is_disabled
    assert bench.accounts.devices == {}
    assert [kick.reason for kick in bench.delivery.kicks] == [KickReason.ACCOUNT_DISABLED]
    await bench.admin.set_disabled(user_id, False)
    assert bench.accounts.accounts[user_id].is_usable
    assert len(bench.delivery.kicks) == 1


async def test_changes_when_there_is_no_such_account_then_not_found(bench: Bench) -> None:
    gone = (await bench.admin.create_account(nickname="gone", is_bot=True)).user_id
    await bench.accounts.update_account(gone, deleted_at_ms=1)
    for user_id in (gone, UserId(99_999)):
        with pytest.raises(NotFound):
            await bench.admin.set_password(user_id, PASSWORD)
        with pytest.raises(NotFound):
            await bench.admin.set_disabled(user_id, True)
        with pytest.raises(NotFound):
            await bench.admin.mint_bot_token(user_id)


async def test_mint_bot_token_when_it_is_a_bot_then_its_device_holds_the_token(
    bench: Bench,
) -> None:
    account = await bench.admin.create_account(nickname="echo", is_bot=True)
    token = await bench.admin.mint_bot_token(account.user_id, name="server room")
    device = await bench.accounts.find_device_by_refresh(refresh_hash(token))
    assert device is not None
    assert (device.user_id, device.kind, device.name) == (
        account.user_id,
        DeviceKind.BOT,
        "server room",
    )
    assert account.password_hash == ""
    assert account.is_welcomed


async def test_mint_bot_token_when_it_is_a_person_then_refused(bench: Bench) -> None:
    account = await bench.admin.create_account(nickname="ann", password=PASSWORD)
    with pytest.raises(Conflict) as caught:
        await bench.admin.mint_bot_token(account.user_id)
    assert caught.value.code is ErrorCode.CONFLICT


async def test_mint_accounts_when_many_then_each_can_log_in_by_its_token(bench: Bench) -> None:
    hashed = bench.passwords.counters()["password_hashes_total"]
    minted = await bench.admin.mint_accounts(2_500)
    assert [one.user_id for one in minted] == list(range(10_001, 12_501))
    assert len({one.token for one in minted}) == 2_500
    assert bench.passwords.counters()["password_hashes_total"] == hashed
    for one in (minted[0], minted[1_000], minted[-1]):
        device = await bench.accounts.find_device(one.user_id, one.device_id)
        assert device is not None
        assert device.refresh_hash == refresh_hash(one.token)
        account = bench.accounts.accounts[one.user_id]
        assert (account.nickname, account.password_hash) == (f"load{one.user_id}", "")


async def test_mint_accounts_when_none_then_none(bench: Bench) -> None:
    assert await bench.admin.mint_accounts(0) == ()


async def test_iter_accounts_when_there_are_many_then_all_by_number(bench: Bench) -> None:
    minted = await bench.admin.mint_accounts(1_100)
    listed = [account.user_id async for account in bench.admin.iter_accounts()]
    assert listed == [one.user_id for one in minted]


async def test_find_users_when_looked_for_then_pages_without_deleted_ones(bench: Bench) -> None:
    made = [await bench.admin.create_account(nickname=name) for name in ("Ann", "Hannah", "Bob")]
    ann, hannah, bob = (one.user_id for one in made)
    await bench.admin.set_disabled(hannah, True)
    await bench.accounts.update_account(bob, deleted_at_ms=1)

    async def find(query: str, after: int = 0, limit: int = 9) -> list[int]:
        found = await bench.admin.find_users(query, UserId(after), limit)
        return [one.user_id for one in found]

    assert await find("") == [ann, hannah]
    assert await find("ann", limit=1) == [ann]
    assert await find("ann", after=ann) == [hannah]
    assert await find(str(hannah)) == [hannah]
    assert await find("nobody") == []


async def test_log_out_when_asked_then_no_device_is_left(bench: Bench) -> None:
    user_id = (await bench.admin.create_account(nickname="ann")).user_id
    await bench.add_device(user_id)
    assert [one.user_id for one in await bench.admin.list_devices(user_id)] == [user_id]
    await bench.admin.log_out(user_id)
    assert await bench.admin.list_devices(user_id) == ()
    assert [kick.reason for kick in bench.delivery.kicks] == [KickReason.REVOKED]
    for call in (bench.admin.log_out, bench.admin.list_devices):
        with pytest.raises(NotFound):
            await call(UserId(99_999))


async def test_reset_password_when_asked_then_a_new_one_that_must_be_changed(bench: Bench) -> None:
    user_id = (await bench.admin.create_account(nickname="ann", password=PASSWORD)).user_id
    password = await bench.admin.reset_password(user_id)
    account = bench.accounts.accounts[user_id]
    assert await bench.passwords.verify(account.password_hash, password)
    assert account.must_change_password
