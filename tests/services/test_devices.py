"""Devices: listed, bounded, logged out."""

from __future__ import annotations

import pytest
from tests.support.accounts import LAPTOP, PHONE, MemoryAccounts, caller_of
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.model.account import Device, DeviceKind, KickReason
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.services.devices import MAX_DEVICES, Devices

ANN, BOB = UserId(10001), UserId(10002)


def device(device_id: DeviceId, *, user_id: UserId = ANN, seen_at_ms: int = 1) -> Device:
    return Device(user_id, device_id, DeviceKind.MOBILE, "phone", b"h", 1, seen_at_ms)


class Bench:
    """The devices of a store."""

    def __init__(self) -> None:
        self.accounts = MemoryAccounts()
        self.delivery = RecordingDelivery()
        self.devices = Devices(accounts=self.accounts, delivery=self.delivery)

    async def put(self, *devices: Device) -> None:
        for one in devices:
            await self.devices.put(one)

    async def ids(self, user_id: UserId = ANN) -> list[DeviceId]:
        return [one.device_id for one in (await self.devices.list(caller_of(user_id))).devices]


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_list_when_asked_then_the_last_seen_first_and_the_callers_marked(
    bench: Bench,
) -> None:
    await bench.put(device(PHONE, seen_at_ms=1), device(LAPTOP, seen_at_ms=2))
    await bench.put(device(PHONE, user_id=BOB))
    listed = (await bench.devices.list(caller_of(ANN, PHONE))).devices
    assert [(one.device_id, one.current) for one in listed] == [(LAPTOP, False), (PHONE, True)]


async def test_put_when_there_are_too_many_then_the_longest_unseen_is_logged_out(
    bench: Bench,
) -> None:
    many = [
        device(DeviceId(bytes([number]) * 16), seen_at_ms=number)
        for number in range(1, MAX_DEVICES + 2)
    ]
    await bench.put(*many)
    assert len(await bench.ids()) == MAX_DEVICES
    assert many[0].device_id not in await bench.ids()
    assert [kick.only for kick in bench.delivery.kicks] == [(many[0].device_id,)]


async def test_put_when_the_clock_went_back_then_never_the_new_one_itself(bench: Bench) -> None:
    many = [device(DeviceId(bytes([number]) * 16), seen_at_ms=9) for number in range(1, 51)]
    new = device(PHONE, seen_at_ms=1)
    await bench.put(*many, new)
    assert PHONE in await bench.ids()


async def test_revoke_when_it_is_ours_then_forgotten_and_kicked_by_name(bench: Bench) -> None:
    await bench.put(device(PHONE), device(LAPTOP))
    await bench.devices.revoke(caller_of(ANN, PHONE), LAPTOP)
    assert await bench.ids() == [PHONE]
    assert bench.delivery.kicks == [(ANN, KickReason.REVOKED, (LAPTOP,), None, 0, "phone")]


async def test_revoke_when_it_is_somebody_elses_then_not_found(bench: Bench) -> None:
    await bench.put(device(LAPTOP, user_id=BOB))
    with pytest.raises(NotFound) as caught:
        await bench.devices.revoke(caller_of(ANN, PHONE), LAPTOP)
    assert caught.value.code is ErrorCode.DEVICE_NOT_FOUND
    assert await bench.ids(BOB) == [LAPTOP]


async def test_end_all_when_one_is_kept_then_the_others_go(bench: Bench) -> None:
    await bench.put(device(PHONE), device(LAPTOP))
    await bench.devices.end_all(
        ANN, KickReason.PASSWORD_CHANGED, keep_device=PHONE, keep=SessionId(7)
    )
    assert await bench.ids() == [PHONE]
    assert bench.delivery.kicks == [(ANN, KickReason.PASSWORD_CHANGED, None, None, 7, "")]


async def test_end_all_when_none_is_kept_then_all_go(bench: Bench) -> None:
    await bench.put(device(PHONE), device(LAPTOP))
    await bench.devices.end_all(ANN, KickReason.ACCOUNT_DELETED)
    assert await bench.ids() == []
    assert bench.delivery.kicks == [(ANN, KickReason.ACCOUNT_DELETED, None, None, 0, "")]
