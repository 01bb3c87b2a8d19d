"""Who knows the password or the recovery code, and what everybody else is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.support.accounts import (
    ADDRESS,
    PASSWORD,
    MemoryAccounts,
    add_account,
    cheap_passwords,
    credentials_of,
)

from tinyqq.errors import ErrorCode, InvalidRequest, RateLimited, Unauthenticated, Unavailable
from tinyqq.model.account import MAX_PASSWORD_CHARS
from tinyqq.model.ids import UserId
from tinyqq.services.credentials import new_recovery_code, recovery_hash
from tinyqq.services.passwords import PasswordPool
from tinyqq.testing.clock import FakeClock

NOBODY = UserId(99_999)


@asynccontextmanager
async def busy_pool() -> AsyncIterator[PasswordPool]:
    """A dear pool with no room, until the event loop goes on."""
    async with PasswordPool(memory_kib=16, passes=1, threads=1, max_waiting=0) as pool:
        job = asyncio.create_task(pool.hash(PASSWORD))
        await asyncio.sleep(0)
        yield pool
        await job


class Bench:
    """Credentials of one account."""

    def __init__(self, passwords: PasswordPool) -> None:
        self.accounts = MemoryAccounts()
        self.passwords = passwords
        self.credentials = credentials_of(self.accounts, passwords, FakeClock())
        self.ann = UserId(0)

    async def fill(self) -> None:
        self.ann = (await add_account(self.accounts, self.passwords)).user_id
        await self.accounts.update_account(self.ann, recovery_hash=recovery_hash("ABCDE-12345"))

    async def refusal(self, user_id: UserId, password: str) -> Unauthenticated:
        with pytest.raises(Unauthenticated) as caught:
            await self.credentials.check(user_id, password, address=ADDRESS)
        return caught.value

    async def code_refusal(self, user_id: UserId, code: str) -> Unauthenticated:
        with pytest.raises(Unauthenticated) as caught:
            await self.credentials.check_recovery_code(user_id, code, address=ADDRESS)
        return caught.value


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with cheap_passwords() as passwords:
        bench = Bench(passwords)
        await bench.fill()
        yield bench


async def test_check_when_the_password_is_right_then_the_account(bench: Bench) -> None:
    account = await bench.credentials.check(bench.ann, PASSWORD, address=ADDRESS)
    assert account == bench.accounts.accounts[bench.ann]


async def test_check_when_refused_then_same_words_and_same_work_whoever_it_is(
    bench: Bench,
) -> None:
    gone = await add_account(bench.accounts, bench.passwords)
    await bench.accounts.update_account(gone.user_id, deleted_at_ms=1)
    mute = await add_account(bench.accounts, bench.passwords)
    await bench.accounts.update_account(mute.user_id, password_hash="")
    told = []
    for user_id, password in [
        (bench.ann, "wrong password"),
        (NOBODY, PASSWORD),
        (gone.user_id, PASSWORD),
        (mute.user_id, PASSWORD),
    ]:
        before = bench.passwords.counters()["password_hashes_total"]
        error = await bench.refusal(user_id, password)
        hashed = bench.passwords.counters()["password_hashes_total"] - before
        told.append((error.code, str(error), hashed))
    assert told == [(ErrorCode.BAD_CREDENTIALS, "BAD_CREDENTIALS", 1)] * 4


async def test_check_when_the_password_is_longer_than_any_then_refused(bench: Bench) -> None:
    longest = "correct horse".ljust(MAX_PASSWORD_CHARS, "x")
    account = await add_account(bench.accounts, bench.passwords, password=longest)
    error = await bench.refusal(account.user_id, longest + "x")
    assert error.code is ErrorCode.BAD_CREDENTIALS
    assert await bench.credentials.check(account.user_id, longest) == account


async def test_check_when_disabled_then_only_who_knows_the_password_is_told(bench: Bench) -> None:
    await bench.accounts.update_account(bench.ann, is_disabled=True)
    assert (await bench.refusal(bench.ann, "wrong password")).code is ErrorCode.BAD_CREDENTIALS
    assert (await bench.refusal(bench.ann, PASSWORD)).code is ErrorCode.ACCOUNT_DISABLED


async def test_check_when_wrong_too_often_then_even_the_right_one_waits(bench: Bench) -> None:
    for _ in range(3):
        await bench.refusal(bench.ann, "wrong password")
    with pytest.raises(RateLimited):
        await bench.credentials.check(bench.ann, PASSWORD, address="elsewhere")


async def test_check_when_right_again_and_again_then_the_account_is_not_throttled(
    bench: Bench,
) -> None:
    for number in range(10):
        await bench.credentials.check(bench.ann, PASSWORD, address=f"address {number}")


async def test_check_when_the_pool_is_busy_then_the_attempt_does_not_count(bench: Bench) -> None:
    async with busy_pool() as pool:
        busy = credentials_of(bench.accounts, pool, FakeClock())
        for number in range(5):
            with pytest.raises(Unavailable):
                await busy.check(bench.ann, PASSWORD, address=f"address {number}")


async def test_check_recovery_code_when_typed_sloppily_then_still_right(bench: Bench) -> None:
    for code in ("ABCDE-12345", "abcde l2345", "ABCDE12345"):
        account = await bench.credentials.check_recovery_code(bench.ann, code, address=ADDRESS)
        assert account.user_id == bench.ann


async def test_check_recovery_code_when_wrong_then_refused_alike(bench: Bench) -> None:
    blank = await add_account(bench.accounts, bench.passwords)
    for user_id, code in [(bench.ann, "ABCDE-12346"), (NOBODY, "ABCDE-12345"), (blank.user_id, "")]:
        error = await bench.code_refusal(user_id, code)
        assert (error.code, error.fields) == (ErrorCode.BAD_RECOVERY_CODE, {})


async def test_check_recovery_code_when_guessed_too_often_then_throttled(bench: Bench) -> None:
    for _ in range(3):
        await bench.code_refusal(bench.ann, "wrong")
    with pytest.raises(RateLimited):
        await bench.credentials.check_recovery_code(bench.ann, "ABCDE-12345", address=ADDRESS)


async def test_check_recovery_code_when_disabled_then_refused(bench: Bench) -> None:
    await bench.accounts.update_account(bench.ann, is_disabled=True)
    error = await bench.code_refusal(bench.ann, "ABCDE-12345")
    assert error.code is ErrorCode.ACCOUNT_DISABLED


async def test_check_recovery_code_when_the_account_is_deleted_then_refused(bench: Bench) -> None:
    await bench.accounts.update_account(bench.ann, deleted_at_ms=1)
    assert (await bench.code_refusal(bench.ann, "ABCDE-12345")).code is ErrorCode.BAD_RECOVERY_CODE


async def test_hash_new_when_weak_then_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await bench.credentials.hash_new("12345678")
    assert caught.value.code is ErrorCode.WEAK_PASSWORD


async def test_rehash_when_the_cost_changed_then_a_hash_at_todays(bench: Bench) -> None:
    account = bench.accounts.accounts[bench.ann]
    assert await bench.credentials.rehash(account, PASSWORD) is None
    async with PasswordPool(memory_kib=16, passes=1, threads=1) as dearer:
        credentials = credentials_of(bench.accounts, dearer, FakeClock())
        stored = await credentials.rehash(account, PASSWORD)
        assert stored is not None
        assert not dearer.needs_rehash(stored)
        assert await credentials.is_password(replace(account, password_hash=stored), PASSWORD)


async def test_rehash_when_the_pool_is_busy_then_next_time(bench: Bench) -> None:
    async with busy_pool() as dearer:
        credentials = credentials_of(bench.accounts, dearer, FakeClock())
        account = bench.accounts.accounts[bench.ann]
        assert await credentials.rehash(account, PASSWORD) is None


def test_new_recovery_code_when_made_then_100_bits_in_groups() -> None:
    codes = {new_recovery_code() for _ in range(50)}
    assert len(codes) == 50
    for code in codes:
        assert [len(group) for group in code.split("-")] == [5, 5, 5, 5]
        assert not set(code) & set("OILU")
        assert code not in recovery_hash(code)
