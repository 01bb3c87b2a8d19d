"""Users and groups for administrators: found, looked at, changed; every table in pages."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tinyqq.errors import Conflict, ErrorCode, Forbidden, Unavailable
from tinyqq.http.admin import Admin, AdminRouter, PageAsked, note_deed, number_in
from tinyqq.model.account import Account, Device
from tinyqq.model.group import GroupInfo, Member
from tinyqq.model.ids import HELPER_ID, OPERATION_ID_BYTES, GroupId, OperationId, UnitId, UserId
from tinyqq.ports.admin import AccountDesk, GroupDesk
from tinyqq.ports.presence import Presence

_DONE: Final = HTTPStatus.NO_CONTENT


class AdminUsers:
    """Answers ``/v1/admin/users…``.

    Args:
        presence: says which units people are at.
    """

    def __init__(self, accounts: AccountDesk, presence: Presence) -> None:
        self._accounts = accounts
        self._presence = presence

    def add_to(self, router: AdminRouter) -> None:
        """Take the paths."""
        router.add("GET", "/users", self.find)
        router.add("GET", "/users/{user_id}/devices", self.list_devices)
        router.add("POST", "/users/{user_id}/disable", self.disable)
        router.add("POST", "/users/{user_id}/enable", self.enable)
        router.add("POST", "/users/{user_id}/password", self.reset_password)
        router.add("POST", "/users/{user_id}/log-out", self.log_out)

    async def find(self, request: web.Request, _: Admin) -> web.Response:
        """A page of accounts."""
        page = PageAsked.of(request)
        found = await self._accounts.find_users(page.query, UserId(page.after), page.limit + 1)
        where = await self._where([one.user_id for one in found])
        rows = [_user(one, where.get(one.user_id, frozenset())) for one in found]
        return _page("users", rows, page.limit)

    async def list_devices(self, request: web.Request, _: Admin) -> web.Response:
        """The devices of an account; bounded by how many it may have."""
        devices = await self._accounts.list_devices(UserId(number_in(request, "user_id")))
        return web.json_response({"devices": [_device(one) for one in devices]})

    async def disable(self, request: web.Request, admin: Admin) -> web.Response:
        """Shut an account out: not oneself, who could not come back, and not the helper."""
        user_id = UserId(number_in(request, "user_id"))
        if user_id == admin.user_id:
            raise Conflict(ErrorCode.SELF_NOT_ALLOWED, user_id=user_id)
        if user_id == HELPER_ID:
            raise Forbidden(ErrorCode.HELPER_STAYS, user_id=user_id)
        await self._accounts.set_disabled(user_id, True)
        note_deed(admin, "disable", user_id=user_id)
        return web.Response(status=_DONE)

    async def enable(self, request: web.Request, admin: Admin) -> web.Response:
        """Let an account in again."""
        user_id = UserId(number_in(request, "user_id"))
        await self._accounts.set_disabled(user_id, False)
        note_deed(admin, "enable", user_id=user_id)
        return web.Response(status=_DONE)

    async def reset_password(self, request: web.Request, admin: Admin) -> web.Response:
        """A new password, told here once."""
        user_id = UserId(number_in(request, "user_id"))
        password = await self._accounts.reset_password(user_id)
        note_deed(admin, "reset password", user_id=user_id)
        return web.json_response({"password": password})

    async def log_out(self, request: web.Request, admin: Admin) -> web.Response:
        """Log out every device."""
        user_id = UserId(number_in(request, "user_id"))
        await self._accounts.log_out(user_id)
        note_deed(admin, "log out", user_id=user_id)
        return web.Response(status=_DONE)

    async def _where(self, user_ids: list[UserId]) -> dict[UserId, frozenset[UnitId]]:
        try:
            return (await self._presence.locate(user_ids, ()))[0]
        except Unavailable:
            return {}  # nobody knows: they are shown as if they were nowhere


class AdminGroups:
    """Answers ``/v1/admin/groups…``."""

    def __init__(self, groups: GroupDesk) -> None:
        self._groups = groups

    def add_to(self, router: AdminRouter) -> None:
        """Take the paths."""
        router.add("GET", "/groups", self.find)
        router.add("GET", "/groups/{group_id}/members", self.list_members)
        router.add("POST", "/groups/{group_id}/dismiss", self.dismiss)

    async def find(self, request: web.Request, _: Admin) -> web.Response:
        """A page of groups."""
        page = PageAsked.of(request)
        found = await self._groups.find_groups(page.query, GroupId(page.after), page.limit + 1)
        return _page("groups", [_group(one) for one in found], page.limit)

    async def list_members(self, request: web.Request, _: Admin) -> web.Response:
        """A page of members."""
        page = PageAsked.of(request)
        group_id = GroupId(number_in(request, "group_id"))
        found = await self._groups.list_members(group_id, UserId(page.after), page.limit)
        members = [_member(one) for one in found.members]
        return web.json_response({"members": members, "more": found.more})

    async def dismiss(self, request: web.Request, admin: Admin) -> web.Response:
        """End a group."""
        group_id = GroupId(number_in(request, "group_id"))
        operation_id = OperationId(os.urandom(OPERATION_ID_BYTES))
        await self._groups.dismiss(group_id, admin.user_id, operation_id)
        note_deed(admin, "dismiss", group_id=group_id)
        return web.Response(status=_DONE)


def _page(name: str, rows: list[dict[str, Any]], limit: int) -> web.Response:
    """One row more than was asked for was looked for: it says whether there is another page."""
    return web.json_response({name: rows[:limit], "more": len(rows) > limit})


def _user(account: Account, units: frozenset[UnitId]) -> dict[str, Any]:
    return {
        "user_id": str(account.user_id),
        "nickname": account.nickname,
        "is_bot": account.is_bot,
        "is_admin": account.is_admin,
        "is_disabled": account.is_disabled,
        "must_change_password": account.must_change_password,
        "created_at_ms": account.created_at_ms,
        "last_seen_at_ms": account.last_seen_at_ms,
        "units": sorted(units),
    }


def _device(device: Device) -> dict[str, Any]:
    return {
        "device_id": device.device_id.hex(),
        "kind": device.kind.name.lower(),
        "name": device.name,
        "created_at_ms": device.created_at_ms,
        "last_seen_at_ms": device.last_seen_at_ms,
    }


def _group(info: GroupInfo) -> dict[str, Any]:
    return {
        "group_id": str(info.group_id),
        "name": info.name,
        "owner_id": str(info.owner_id),
        "members": info.members,
        "member_limit": info.member_limit,
        "created_at_ms": info.created_at_ms,
        "is_dismissed": info.dismissed,
    }


def _member(member: Member) -> dict[str, Any]:
    return {
        "user_id": str(member.user_id),
        "nickname": member.nickname,
        "card": member.card,
        "role": member.role.name.lower(),
        "joined_at_ms": member.joined_at_ms,
    }
