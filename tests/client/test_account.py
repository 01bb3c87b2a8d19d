"""What a client asks about accounts."""

from __future__ import annotations

from tests.support.asking import Asked
from tests.support.entries import ANN, BOB

from tinyqq.client.account import Account
from tinyqq.model.account import (
    ChangePassword,
    DeleteAccount,
    DeviceInfo,
    DeviceKind,
    DeviceList,
    GetProfile,
    Profile,
    ProfileList,
    RevokeDevice,
    SearchUsers,
    UpdateProfile,
)
from tinyqq.model.ids import DeviceId

PROFILE = Profile(BOB, "Bob")
DEVICE = DeviceInfo(DeviceId(bytes(16)), DeviceKind.CLI, "", 0, 0)


def account(asked: Asked) -> Account:
    return Account(asked, me=lambda: ANN)


async def test_profile_when_no_number_then_ones_own() -> None:
    asked = Asked(PROFILE, PROFILE)
    assert await account(asked).profile() == PROFILE
    await account(asked).profile(BOB)
    assert asked.records == [GetProfile(ANN), GetProfile(BOB)]


async def test_update_profile_when_some_fields_then_only_those() -> None:
    asked = Asked(PROFILE)
    assert await account(asked).update_profile(signature="hi") == PROFILE
    assert asked.records == [UpdateProfile(signature="hi")]


async def test_search_when_found_then_the_profiles() -> None:
    asked = Asked(ProfileList((PROFILE,)))
    assert await account(asked).search("Bo", limit=3) == (PROFILE,)
    assert asked.records == [SearchUsers("Bo", 3)]


async def test_devices_when_asked_then_all() -> None:
    assert await account(Asked(DeviceList((DEVICE,)))).devices() == (DEVICE,)


async def test_changes_when_asked_for_then_never_repeated() -> None:
    asked = Asked()
    await account(asked).revoke(DEVICE.device_id)
    await account(asked).change_password("old", "new")
    await account(asked).delete("password", confirm_user_id=ANN)
    assert asked.records == [
        RevokeDevice(DEVICE.device_id),
        ChangePassword("old", "new"),
        DeleteAccount("password", ANN),
    ]
    assert asked.repeats == [False, False, False]
