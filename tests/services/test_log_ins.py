"""Log-ins by password and by token, and every way a token can be no good any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.support.accounts import (
    ADDRESS,
    LAPTOP,
    PASSWORD,
    PHONE,
    MemoryAccounts,
    add_account,
    caller_of,
    cheap_passwords,
    credentials_of,
)
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.account import Device, DeviceKind, LogIn, Resume
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.ports.services import Login
from tinyqq.ports.storage import ACCOUNT_DEVICE
from tinyqq.services.devices import Devices
from tinyqq.services.log_ins import LogIns
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.tokens import AccessTokens, new_refresh_token
from tinyqq.testing.clock import FakeClock

DAY_S = 24 * 3600


class Bench:
    """Log-ins of one account; ``on_put`` happens while a device is being stored."""

    def __init__(self, passwords: PasswordPool) -> None:
        self.accounts = MemoryAccounts()
        self.passwords = passwords
        self.clock = FakeClock()
        self.welcomed: list[tuple[UserId, str]] = []
        self.welcome_fails = False
        self.ann = UserId(0)
        self.log_ins = self.build(passwords)

    def build(self, passwords: PasswordPool, *, accounts: MemoryAccounts | None = None) -> LogIns:
        store = accounts or self.accounts
        return LogIns(
            accounts=store,
            credentials=credentials_of(store, passwords, self.clock),
            devices=Devices(accounts=store, delivery=RecordingDelivery()),
            tokens=AccessTokens(key=b"k" * 32),
            clock=self.clock,
            welcome=self._welcome,
        )

    async def _welcome(self, user_id: UserId, language: str) -> None:
        if self.welcome_fails:
            raise Unavailable(ErrorCode.BUSY)
        self.welcomed.append((user_id, language))

    async def log_in(
        self,
        *,
        device_id: DeviceId = PHONE,
        kind: DeviceKind = DeviceKind.MOBILE,
        name: str = "my phone",
        log_ins: LogIns | None = None,
    ) -> Login:
        request = LogIn(self.ann, PASSWORD, device_id, kind, name)
        return await (log_ins or self.log_ins).log_in(
            request, address=ADDRESS, session_id=SessionId(5), language="zh"
        )

    async def resume(self, token: str, device_id: DeviceId = PHONE) -> Login:
        return await self.log_ins.resume(
            Resume(token, device_id), session_id=SessionId(6), language="en"
        )

    async def refusal(self, token: str, device_id: DeviceId = PHONE) -> ErrorCode:
        with pytest.raises(Unauthenticated) as caught:
            await self.resume(token, device_id)
        return caught.value.code


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with cheap_passwords() as passwords:
        bench = Bench(passwords)
        bench.ann = (await add_account(bench.accounts, passwords)).user_id
        yield bench


async def test_log_in_when_right_then_a_session_and_tokens(bench: Bench) -> None:
    login = await bench.log_in()
    caller = login.caller
    assert (caller.user_id, caller.device_id, caller.session_id) == (bench.ann, PHONE, 5)
    assert (caller.language, caller.is_bot) == ("zh", False)
    assert (login.device_kind, login.device_name) == (DeviceKind.MOBILE, "my phone")
    assert login.answer.nickname == f"user{bench.ann}"
    assert login.answer.session_id == 5
    assert login.answer.access_expires_at_ms > bench.clock.now_ms()
    for token in (login.answer.access_token, login.answer.refresh_token):
        assert (await bench.resume(token)).caller.session_id == 6


async def test_log_in_when_again_on_the_same_device_then_earlier_tokens_end(bench: Bench) -> None:
    first = (await bench.log_in()).answer
    bench.clock.advance(1)
    second = (await bench.log_in()).answer
    assert await bench.refusal(first.access_token) is ErrorCode.DEVICE_REVOKED
    assert await bench.refusal(first.refresh_token) is ErrorCode.TOKEN_INVALID
    await bench.resume(second.access_token)


async def test_log_in_when_it_is_a_bot_then_as_a_bot_whatever_it_says(bench: Bench) -> None:
    bench.accounts.accounts[bench.ann] = replace(bench.accounts.accounts[bench.ann], is_bot=True)
    login = await bench.log_in(kind=DeviceKind.DESKTOP)
    assert (login.device_kind, login.caller.is_bot) == (DeviceKind.BOT, True)
    assert bench.welcomed == []


async def test_log_in_when_the_device_id_stands_for_the_account_then_refused(bench: Bench) -> None:
    with pytest.raises(InvalidRequest):
        await bench.log_in(device_id=ACCOUNT_DEVICE)


@pytest.mark.parametrize("name", ["x" * 65, "two\nlines"])
async def test_log_in_when_the_device_name_is_bad_then_refused(bench: Bench, name: str) -> None:
    with pytest.raises(InvalidRequest):
        await bench.log_in(name=name)


async def test_log_in_when_a_password_change_is_due_then_it_says_so(bench: Bench) -> None:
    await bench.accounts.update_account(bench.ann, must_change_password=True)
    login = await bench.log_in()
    assert login.answer.must_change_password
    assert (await bench.resume(login.answer.access_token)).answer.must_change_password


async def test_log_in_when_the_cost_changed_then_the_hash_is_made_anew(bench: Bench) -> None:
    async with PasswordPool(memory_kib=16, passes=1, threads=1) as dearer:
        await bench.log_in(log_ins=bench.build(dearer))
        stored = bench.accounts.accounts[bench.ann].password_hash
        assert not dearer.needs_rehash(stored)
        assert await dearer.verify(stored, PASSWORD)


class ChangingAccounts(MemoryAccounts):
    """A store in which somebody changes an account just before a device is stored."""

    def __init__(self, other: MemoryAccounts, **changes: object) -> None:
        super().__init__()
        self.accounts = other.accounts
        self._changes = changes

    async def put_device(self, device: Device) -> None:
        account = self.accounts[device.user_id]
        self.accounts[device.user_id] = replace(account, **self._changes)  # type: ignore[arg-type]
        await super().put_device(device)


@pytest.mark.parametrize(
    "changes", [{"password_hash": "new"}, {"is_disabled": True}, {"deleted_at_ms": 1}]
)
async def test_log_in_when_the_account_changes_meanwhile_then_refused_and_no_device_stays(
    bench: Bench, changes: dict[str, object]
) -> None:
    store = ChangingAccounts(bench.accounts, **changes)
    with pytest.raises(Unauthenticated):
        await bench.log_in(log_ins=bench.build(bench.passwords, accounts=store))
    assert store.devices == {}


async def test_resume_when_by_token_then_no_new_refresh_token(bench: Bench) -> None:
    login = await bench.log_in()
    assert login.answer.refresh_token
    resumed = await bench.resume(login.answer.refresh_token)
    assert resumed.answer.refresh_token == ""
    assert (resumed.device_kind, resumed.device_name) == (DeviceKind.MOBILE, "my phone")
    assert resumed.caller.language == "en"


async def test_resume_when_by_another_device_then_invalid(bench: Bench) -> None:
    answer = (await bench.log_in()).answer
    for token in (answer.access_token, answer.refresh_token):
        assert await bench.refusal(token, LAPTOP) is ErrorCode.TOKEN_INVALID


async def test_resume_when_the_device_was_revoked_then_refused(bench: Bench) -> None:
    answer = (await bench.log_in()).answer
    await bench.accounts.delete_devices(bench.ann, only=PHONE)
    assert await bench.refusal(answer.access_token) is ErrorCode.DEVICE_REVOKED
    assert await bench.refusal(answer.refresh_token) is ErrorCode.TOKEN_INVALID


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"is_disabled": True}, ErrorCode.ACCOUNT_DISABLED),
        ({"deleted_at_ms": 1}, ErrorCode.DEVICE_REVOKED),
    ],
)
async def test_resume_when_the_account_is_out_of_use_then_refused(
    bench: Bench, changes: dict[str, int], code: ErrorCode
) -> None:
    answer = (await bench.log_in()).answer
    bench.accounts.accounts[bench.ann] = replace(
        bench.accounts.accounts[bench.ann],
        **changes,  # type: ignore[arg-type]
    )
    assert await bench.refusal(answer.access_token) is code
    assert await bench.refusal(answer.refresh_token) is code


async def test_resume_when_the_access_token_is_old_then_expired_but_the_refresh_token_good(
    bench: Bench,
) -> None:
    answer = (await bench.log_in()).answer
    bench.clock.advance(16 * 60)
    assert await bench.refusal(answer.access_token) is ErrorCode.TOKEN_EXPIRED
    await bench.resume(answer.refresh_token)


async def test_resume_when_the_device_comes_back_within_90_days_then_it_goes_on(
    bench: Bench,
) -> None:
    token = (await bench.log_in()).answer.refresh_token
    for _ in range(3):
        bench.clock.advance(89 * DAY_S)
        await bench.resume(token)
    bench.clock.advance(90 * DAY_S)
    assert await bench.refusal(token) is ErrorCode.TOKEN_EXPIRED


async def test_resume_when_it_is_a_bots_token_then_from_any_device_and_for_ever(
    bench: Bench,
) -> None:
    token, token_hash = new_refresh_token()
    device = Device(bench.ann, LAPTOP, DeviceKind.BOT, "bot", token_hash, 1, 1)
    await bench.accounts.put_device(device)
    login = await bench.resume(token, PHONE)
    assert (login.caller.device_id, login.device_kind) == (LAPTOP, DeviceKind.BOT)
    await bench.resume(login.answer.access_token, PHONE)


async def test_resume_when_often_then_last_seen_is_written_once_an_hour(bench: Bench) -> None:
    token = (await bench.log_in()).answer.refresh_token
    logged_in_ms = bench.clock.now_ms()
    seen = []
    for _ in range(3):
        bench.clock.advance(25 * 60)
        await bench.resume(token)
        device = await bench.accounts.find_device(bench.ann, PHONE)
        assert device is not None
        seen.append(device.last_seen_at_ms - logged_in_ms)
    assert seen == [0, 0, 75 * 60 * 1000]


async def test_seen_when_told_then_account_and_device_have_the_time(bench: Bench) -> None:
    await bench.log_in()
    bench.clock.advance(10)
    await bench.log_ins.seen(caller_of(bench.ann, PHONE))
    device = await bench.accounts.find_device(bench.ann, PHONE)
    assert device is not None
    assert device.last_seen_at_ms == bench.clock.now_ms()
    assert bench.accounts.accounts[bench.ann].last_seen_at_ms == bench.clock.now_ms()


async def test_seen_when_a_thousand_go_at_once_then_a_handful_of_writes(bench: Bench) -> None:
    callers = [caller_of(UserId(20_000 + number)) for number in range(1_000)]
    async with asyncio.TaskGroup() as group:
        for caller in callers:
            group.create_task(bench.log_ins.seen(caller))
    assert bench.accounts.seen_batches == [1, 999]


async def test_greet_when_new_then_welcomed_once_in_the_language(bench: Bench) -> None:
    login = await bench.log_in()
    await bench.resume(login.answer.refresh_token)
    assert bench.welcomed == [(bench.ann, "zh")]


async def test_greet_when_the_welcome_fails_then_logged_in_and_tried_again(bench: Bench) -> None:
    bench.welcome_fails = True
    login = await bench.log_in()
    bench.welcome_fails = False
    await bench.resume(login.answer.refresh_token)
    assert bench.welcomed == [(bench.ann, "en")]


async def test_log_in_when_wrong_then_no_device_is_stored(bench: Bench) -> None:
    request = LogIn(bench.ann, "wrong password", PHONE, DeviceKind.WEB)
    with pytest.raises(TinyQQError):
        await bench.log_ins.log_in(request, address=ADDRESS, session_id=SessionId(5), language="")
    assert bench.accounts.devices == {}
