"""The devices of an account: which can log in by token, and ending that."""

from __future__ import annotations

from typing import Final

from tinyqq.errors import ErrorCode, NotFound
from tinyqq.model.account import Caller, Device, DeviceInfo, DeviceList, KickReason
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.ports.delivery import Delivery, Kick
from tinyqq.ports.storage import AccountStore

MAX_DEVICES: Final = 50
"""Devices of an account; one more pushes out the one that was not seen for longest."""


class Devices:
    """Lists devices and logs them out."""

    def __init__(self, *, accounts: AccountStore, delivery: Delivery) -> None:
        self._accounts = accounts
        self._delivery = delivery

    async def list(self, caller: Caller) -> DeviceList:
        """The caller's devices."""
        devices = await self._accounts.list_devices(caller.user_id)
        return DeviceList(
            tuple(
                DeviceInfo(
                    one.device_id,
                    one.kind,
                    one.name,
                    one.created_at_ms,
                    one.last_seen_at_ms,
                    current=one.device_id == caller.device_id,
                )
                for one in devices
            )
        )

    async def put(self, device: Device) -> None:
        """Store a device that has just logged in, within the bound."""
        await self._accounts.put_device(device)
        devices = await self._accounts.list_devices(device.user_id)
        for old in devices[MAX_DEVICES:]:
            if old.device_id != device.device_id:
                await self.end_one(device.user_id, old.device_id, KickReason.REVOKED)

    async def revoke(self, caller: Caller, device_id: DeviceId) -> None:
        """Log out one of the caller's devices.

        Raises:
            NotFound: DEVICE_NOT_FOUND.
        """
        by = await self._accounts.find_device(caller.user_id, caller.device_id)
        name = by.name if by else ""
        if not await self.end_one(caller.user_id, device_id, KickReason.REVOKED, by_device=name):
            raise NotFound(ErrorCode.DEVICE_NOT_FOUND)

    async def end_one(
        self,
        user_id: UserId,
        device_id: DeviceId,
        reason: KickReason,
        *,
        keep: SessionId = SessionId(0),
        by_device: str = "",
    ) -> bool:
        """Forget one device and its tokens, and end its sessions but *keep*; False: unknown."""
        gone = await self._accounts.delete_devices(user_id, only=device_id)
        self._delivery.kick(Kick(user_id, reason, (device_id,), None, keep, by_device))
        return bool(gone)

    async def end_all(
        self,
        user_id: UserId,
        reason: KickReason,
        *,
        keep_device: DeviceId | None = None,
        keep: SessionId = SessionId(0),
    ) -> None:
        """Forget all devices but *keep_device*, with their tokens; end all sessions but *keep*."""
        await self._accounts.delete_devices(user_id, keep=keep_device)
        self._delivery.kick(Kick(user_id, reason, None, None, keep, ""))
