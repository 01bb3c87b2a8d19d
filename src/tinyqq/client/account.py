"""One's account, devices and profile, and other people's profiles, as a client asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tinyqq.model.account import (
    ChangePassword,
    DeleteAccount,
    DeviceInfo,
    DeviceList,
    GetProfile,
    ListDevices,
    Profile,
    ProfileList,
    RevokeDevice,
    SearchUsers,
    UpdateProfile,
)
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.wire.packets import PacketType


class AccountCall(Protocol):
    """Asks the server; ``repeat=False``: never twice, for what cannot be done twice."""

    async def __call__(
        self, packet_type: PacketType, record: object, *, repeat: bool = True
    ) -> Any:
        """The answer's record; raises what the server answered."""
        ...


class Account:
    """``me.account``. Every method raises what the server answers (see ``errors.py``).

    Unavailable CONNECTION_LOST from what changes something means that nobody knows whether it was
    done.

    Args:
        me: gives the number of the user who is logged in.
    """

    def __init__(self, call: AccountCall, *, me: Callable[[], UserId]) -> None:
        self._call = call
        self._me = me

    async def profile(self, user_id: int = 0) -> Profile:
        """A user's profile; without a number your own."""
        request = GetProfile(UserId(user_id or self._me()))
        profile: Profile = await self._call(PacketType.GET_PROFILE, request)
        return profile

    async def update_profile(
        self,
        *,
        nickname: str | None = None,
        signature: str | None = None,
        avatar: str | None = None,
        allow_strangers: bool | None = None,
    ) -> Profile:
        """Change what is given; returns the whole."""
        request = UpdateProfile(nickname, signature, avatar, allow_strangers)
        profile: Profile = await self._call(PacketType.UPDATE_PROFILE, request)
        return profile

    async def search(self, query: str, *, limit: int = 20) -> tuple[Profile, ...]:
        """Find users by number or by a part of the nickname."""
        answer: ProfileList = await self._call(PacketType.SEARCH_USERS, SearchUsers(query, limit))
        return answer.profiles

    async def devices(self) -> tuple[DeviceInfo, ...]:
        """Where you are logged in."""
        answer: DeviceList = await self._call(PacketType.LIST_DEVICES, ListDevices())
        return answer.devices

    async def revoke(self, device_id: DeviceId) -> None:
        """Log a device out."""
        await self._call(PacketType.REVOKE_DEVICE, RevokeDevice(device_id), repeat=False)

    async def change_password(self, old_password: str, new_password: str) -> None:
        """Change it; every other device is logged out."""
        await self._call(
            PacketType.CHANGE_PASSWORD, ChangePassword(old_password, new_password), repeat=False
        )

    async def delete(self, password: str, *, confirm_user_id: int) -> None:
        """Delete the account for good; ``confirm_user_id`` must be your own number."""
        await self._call(
            PacketType.DELETE_ACCOUNT,
            DeleteAccount(password, UserId(confirm_user_id)),
            repeat=False,
        )
