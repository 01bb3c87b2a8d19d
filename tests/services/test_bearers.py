"""Who has an access token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.logs import ANN, PHONE, account, new_operation_id
from tests.support.worlds import code_of

from tinyqq.errors import ErrorCode
from tinyqq.model.account import Device, DeviceKind
from tinyqq.ports.storage import AccountChanges
from tinyqq.services.bearers import AccessBearers
from tinyqq.services.tokens import AccessClaims, AccessTokens
from tinyqq.storage.open import Storage, open_storage
from tinyqq.testing.clock import FakeClock

BORN_MS = 7


class World:
    def __init__(self, storage: Storage) -> None:
        self.accounts = storage.accounts
        self.clock = FakeClock()
        self.tokens = AccessTokens(key=b"k" * 32, lifetime_s=60)
        self.bearers = AccessBearers(
            accounts=storage.accounts, tokens=self.tokens, clock=self.clock
        )

    def token(self, generation: int = BORN_MS) -> str:
        claims = AccessClaims(ANN, PHONE, generation)
        return self.tokens.issue(claims, now_ms=self.clock.now_ms())[0]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_storage(f"sqlite:///{tmp_path / 'tinyqq.db'}") as storage:
        await storage.accounts.create_account(account(ANN), new_operation_id())
        device = Device(ANN, PHONE, DeviceKind.WEB, "", b"r" * 32, BORN_MS, BORN_MS)
        await storage.accounts.put_device(device)
        yield World(storage)


async def test_token_when_good_then_its_user_and_device(world: World) -> None:
    found = await world.bearers.caller_of(world.token())
    assert (found.user_id, found.device_id, found.is_bot) == (ANN, PHONE, False)


async def test_token_when_false_or_old_then_refused(world: World) -> None:
    assert await code_of(world.bearers.caller_of("a.b.c")) is ErrorCode.TOKEN_INVALID
    earlier = world.bearers.caller_of(world.token(BORN_MS - 1))
    assert await code_of(earlier) is ErrorCode.DEVICE_REVOKED
    token = world.token()
    world.clock.advance(61)
    assert await code_of(world.bearers.caller_of(token)) is ErrorCode.TOKEN_EXPIRED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"deleted_at_ms": 1}, ErrorCode.DEVICE_REVOKED),
        ({"is_disabled": True}, ErrorCode.ACCOUNT_DISABLED),
        ({"must_change_password": True}, ErrorCode.PASSWORD_CHANGE_REQUIRED),
    ],
)
async def test_token_when_the_account_is_not_in_use_then_refused(
    world: World, changes: AccountChanges, code: ErrorCode
) -> None:
    await world.accounts.update_account(ANN, **changes)
    assert await code_of(world.bearers.caller_of(world.token())) is code


async def test_token_when_the_device_is_gone_then_refused(world: World) -> None:
    await world.accounts.delete_devices(ANN)
    assert await code_of(world.bearers.caller_of(world.token())) is ErrorCode.DEVICE_REVOKED
