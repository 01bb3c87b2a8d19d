"""Accounts in memory, and a user role around them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Unpack

from tinyqq.model.account import Account, Caller, Device
from tinyqq.model.ids import DeviceId, OperationId, SessionId, UserId
from tinyqq.ports.storage import AccountChanges, Seen
from tinyqq.services.credentials import Credentials
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.throttle import Rate, Throttle, ThrottleRates
from tinyqq.testing.clock import FakeClock

ADDRESS = "203.0.113.5"
PASSWORD = "correct horse"
PHONE, LAPTOP = DeviceId(b"p" * 16), DeviceId(b"l" * 16)


class MemoryAccounts:
    """An account store that forgets."""

    def __init__(self) -> None:
        self.accounts: dict[UserId, Account] = {}
        self.devices: dict[tuple[UserId, DeviceId], Device] = {}
        self.secrets: dict[str, bytes] = {}
        self.seen_batches: list[int] = []
        self._operations: dict[OperationId, UserId] = {}
        self._next: dict[str, int] = {}

    async def create_account(self, account: Account, operation_id: OperationId) -> Account:
        user_id = self._operations.setdefault(operation_id, account.user_id)
        return self.accounts.setdefault(user_id, account)

    async def create_accounts(self, accounts: Iterable[Account], devices: Iterable[Device]) -> None:
        self.accounts.update((one.user_id, one) for one in accounts)
        self.devices.update(((one.user_id, one.device_id), one) for one in devices)

    async def find_account(self, user_id: UserId) -> Account | None:
        return self.accounts.get(user_id)

    async def find_accounts(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Account]:
        return {one: self.accounts[one] for one in user_ids if one in self.accounts}

    async def search_accounts(self, query: str, limit: int) -> tuple[Account, ...]:
        found = [
            one
            for _, one in sorted(self.accounts.items())
            if one.is_usable and query.casefold() in one.nickname.casefold()
        ]
        return tuple(found[:limit])

    async def list_accounts(
        self, after_user_id: UserId, limit: int, query: str = ""
    ) -> tuple[Account, ...]:
        found = [
            one
            for number, one in sorted(self.accounts.items())
            if number > after_user_id
            and (str(number) == query or query.casefold() in one.nickname.casefold())
        ]
        return tuple(found[:limit])

    async def update_account(self, user_id: UserId, **changes: Unpack[AccountChanges]) -> bool:
        if user_id not in self.accounts:
            return False
        self.accounts[user_id] = replace(self.accounts[user_id], **changes)
        return True

    async def put_device(self, device: Device) -> None:
        self.devices[device.user_id, device.device_id] = device

    async def find_device(self, user_id: UserId, device_id: DeviceId) -> Device | None:
        return self.devices.get((user_id, device_id))

    async def find_device_by_refresh(self, refresh_hash: bytes) -> Device | None:
        found = [one for one in self.devices.values() if one.refresh_hash == refresh_hash]
        return found[0] if found else None

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        found = [one for one in self.devices.values() if one.user_id == user_id]
        return tuple(sorted(found, key=lambda one: -one.last_seen_at_ms))

    async def note_seen(self, seen: Sequence[Seen]) -> None:
        self.seen_batches.append(len(seen))
        await asyncio.sleep(0)
        for user_id, device_id, at_ms in seen:
            key = (user_id, device_id)
            if key in self.devices:
                self.devices[key] = replace(self.devices[key], last_seen_at_ms=at_ms)
            await self.update_account(user_id, last_seen_at_ms=at_ms)

    async def delete_devices(
        self, user_id: UserId, *, only: DeviceId | None = None, keep: DeviceId | None = None
    ) -> tuple[DeviceId, ...]:
        gone = [
            one.device_id
            for one in await self.list_devices(user_id)
            if only in (None, one.device_id) and one.device_id != keep
        ]
        for device_id in gone:
            del self.devices[user_id, device_id]
        return tuple(gone)

    async def take_numbers(self, counter: str, count: int) -> int:
        first = self._next.get(counter, 10_001)
        self._next[counter] = first + count
        return first

    async def get_secret(self, name: str, candidate: bytes) -> bytes:
        return self.secrets.setdefault(name, candidate)


@asynccontextmanager
async def cheap_passwords() -> AsyncIterator[PasswordPool]:
    """A password pool whose hashes cost next to nothing."""
    async with PasswordPool(memory_kib=8, passes=1, threads=1) as pool:
        yield pool


def narrow_throttle(clock: FakeClock) -> Throttle:
    """A throttle that tests can run into."""
    return Throttle(
        clock=clock,
        rates=ThrottleRates(
            log_ins_per_account=Rate(3, 60),
            log_ins_per_address=Rate(6, 60),
            registrations_per_address=Rate(3, 60),
        ),
    )


async def add_account(
    accounts: MemoryAccounts, passwords: PasswordPool, *, password: str = PASSWORD
) -> Account:
    """A new account, straight into the store."""
    user_id = UserId(await accounts.take_numbers("user", 1))
    account = Account(user_id, f"user{user_id}", await passwords.hash(password))
    accounts.accounts[user_id] = account
    return account


def credentials_of(
    accounts: MemoryAccounts, passwords: PasswordPool, clock: FakeClock
) -> Credentials:
    """Credentials with a throttle that tests can run into."""
    return Credentials(accounts=accounts, passwords=passwords, throttle=narrow_throttle(clock))


def caller_of(user_id: UserId, device_id: DeviceId = PHONE, session: int = 1) -> Caller:
    """A session of a user."""
    return Caller(user_id, device_id, SessionId(session))
