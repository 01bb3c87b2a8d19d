"""Hashing in threads: right and wrong, costs, bounds."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from tests.support.accounts import cheap_passwords

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.services.passwords import PasswordPool


async def test_verify_when_the_password_is_right_then_true() -> None:
    async with cheap_passwords() as pool:
        assert await pool.verify(await pool.hash("correct horse"), "correct horse")


async def test_verify_when_the_password_is_wrong_then_false() -> None:
    async with cheap_passwords() as pool:
        assert not await pool.verify(await pool.hash("correct horse"), "battery staple")


async def test_verify_when_typed_with_another_keyboard_then_the_same() -> None:
    async with cheap_passwords() as pool:
        assert await pool.verify(await pool.hash("p\u00e4sswort\uff11"), "pa\u0308sswort1")


@pytest.mark.parametrize("nothing", [None, ""])
async def test_verify_when_there_is_no_hash_then_false_after_the_same_work(
    nothing: str | None,
) -> None:
    async with cheap_passwords() as pool:
        before = pool.counters()["password_hashes_total"]
        assert not await pool.verify(nothing, "anything")
        assert pool.counters()["password_hashes_total"] == before + 1


async def test_verify_when_the_hash_is_unreadable_then_false_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cheap_passwords() as pool:
        with caplog.at_level(logging.ERROR):
            assert not await pool.verify("$argon2id$nonsense", "anything")
    assert "password.hash_unreadable" in caplog.text


async def test_hash_when_made_twice_then_salted_differently() -> None:
    async with cheap_passwords() as pool:
        assert await pool.hash("correct horse") != await pool.hash("correct horse")


async def test_needs_rehash_when_the_cost_changed_then_true() -> None:
    async with cheap_passwords() as pool:
        stored = await pool.hash("correct horse")
        dearer = PasswordPool(memory_kib=16, passes=2)
        assert not pool.needs_rehash(stored)
        assert dearer.needs_rehash(stored)
    assert "m=8,t=1,p=1" in stored


async def test_hash_when_too_many_wait_then_busy_and_room_again_later() -> None:
    async with PasswordPool(memory_kib=8, passes=1, threads=1, max_waiting=1) as pool:
        jobs = [asyncio.create_task(pool.hash("correct horse")) for _ in range(3)]
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
        refused = [one for one in outcomes if isinstance(one, Unavailable)]
        assert [(one.code, one.retry_after_s > 0) for one in refused] == [(ErrorCode.BUSY, True)]
        assert await pool.hash("correct horse")
        assert pool.counters()["password_refused_total"] == 1


async def test_hash_when_the_caller_goes_away_then_its_place_is_free() -> None:
    async with PasswordPool(memory_kib=8, passes=1, threads=1, max_waiting=0) as pool:
        gone = asyncio.create_task(pool.hash("correct horse"))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert pool.counters()["password_waiting"] == 0
        assert await pool.hash("correct horse")


async def test_pool_when_left_then_its_threads_end() -> None:
    def threads() -> list[Any]:
        return [one for one in threading.enumerate() if one.name.startswith("password")]

    async with cheap_passwords():
        assert threads()
    assert threads() == []
