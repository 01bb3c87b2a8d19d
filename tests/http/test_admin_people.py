"""Users and groups for administrators."""

from __future__ import annotations

from typing import Any

from tests.support.admin_api import ANN, ROOT, open_desk

from tinyqq.errors import ErrorCode, NotFound, Unavailable
from tinyqq.model.account import Account, Device, DeviceKind
from tinyqq.model.group import GroupInfo, JoinPolicy, Member, MemberList, Role
from tinyqq.model.ids import HELPER_ID, DeviceId, GroupId, SessionId, UnitId, UserId
from tinyqq.presence.memory import MemoryPresence


class Accounts:
    """Implements ``ports.admin.AccountDesk``: writes down what is asked."""

    def __init__(self) -> None:
        self.done: list[tuple[str, int]] = []
        self.asked: list[tuple[str, int, int]] = []

    async def find_users(self, query: str, after: UserId, limit: int) -> tuple[Account, ...]:
        self.asked.append((query, after, limit))
        numbers = range(after + 1, after + 1 + limit)
        return tuple(Account(UserId(one), "<b>小明", "secret hash", "code") for one in numbers)

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        return (Device(user_id, DeviceId(b"d" * 16), DeviceKind.WEB, "Firefox", b"hash", 1, 2),)

    async def reset_password(self, user_id: UserId) -> str:
        self.done.append(("password", user_id))
        return "a new one"

    async def set_disabled(self, user_id: UserId, disabled: bool) -> None:
        if user_id == 99_999:
            raise NotFound(ErrorCode.USER_NOT_FOUND, user_id=user_id)
        self.done.append(("disable" if disabled else "enable", user_id))

    async def log_out(self, user_id: UserId) -> None:
        self.done.append(("log-out", user_id))


class Groups:
    """Implements ``ports.admin.GroupDesk``."""

    def __init__(self) -> None:
        self.dismissed: list[tuple[int, int]] = []

    async def find_groups(self, query: str, after: GroupId, limit: int) -> tuple[GroupInfo, ...]:
        return (GroupInfo(GroupId(20_001), query, JoinPolicy.OPEN, members=3, owner_id=ANN),)

    async def list_members(self, group_id: GroupId, after: UserId, limit: int) -> MemberList:
        return MemberList((Member(ANN, "Ann", "", Role.OWNER, 7),), more=True)

    async def dismiss(self, group_id: GroupId, by: UserId, operation_id: Any) -> None:
        assert len(operation_id) == 16
        self.dismissed.append((group_id, by))


class Away(MemoryPresence):
    """Cannot be reached."""

    async def locate(self, *_: object) -> Any:
        raise Unavailable(ErrorCode.UNAVAILABLE)


async def test_users_when_looked_for_then_a_page_without_any_secret() -> None:
    accounts = Accounts()
    async with open_desk(accounts=accounts) as desk:
        status, told = await desk.ask("GET", "/users?query=明&after=5&limit=2")
    assert (status, [one["user_id"] for one in told["users"]], told["more"]) == (
        200,
        ["6", "7"],
        True,
    )
    assert accounts.asked == [("明", 5, 3)]
    assert "hash" not in str(told)


async def test_users_when_they_are_somewhere_then_told_where() -> None:
    presence = MemoryPresence(unit_id=UnitId("b"))
    await presence.bind(UserId(7), SessionId(1))
    async with open_desk(accounts=Accounts(), presence=presence) as desk:
        _, told = await desk.ask("GET", "/users?after=5&limit=2")
    assert [one["units"] for one in told["users"]] == [[], ["b"]]


async def test_users_when_nobody_knows_where_they_are_then_found_all_the_same() -> None:
    async with open_desk(accounts=Accounts(), presence=Away(unit_id=UnitId("b"))) as desk:
        status, told = await desk.ask("GET", "/users?limit=2")
    assert (status, [one["units"] for one in told["users"]]) == (200, [[], []])


async def test_devices_when_listed_then_without_their_tokens() -> None:
    async with open_desk(accounts=Accounts()) as desk:
        _, told = await desk.ask("GET", f"/users/{ANN}/devices")
    [device] = told["devices"]
    assert (device["kind"], device["name"], device["last_seen_at_ms"]) == ("web", "Firefox", 2)
    assert "hash" not in str(told)


async def test_user_when_something_is_decided_then_done() -> None:
    accounts = Accounts()
    async with open_desk(accounts=accounts) as desk:
        for deed in ("disable", "enable", "log-out"):
            assert (await desk.ask("POST", f"/users/{ANN}/{deed}"))[0] == 204
        answer = await desk.ask("POST", f"/users/{ANN}/password")
        assert answer == (200, {"password": "a new one"})
    assert accounts.done == [(deed, ANN) for deed in ("disable", "enable", "log-out", "password")]


async def test_disable_when_oneself_the_helper_or_nobody_then_refused() -> None:
    accounts = Accounts()
    async with open_desk(accounts=accounts) as desk:
        for user_id, code in (
            (ROOT, ErrorCode.SELF_NOT_ALLOWED),
            (HELPER_ID, ErrorCode.HELPER_STAYS),
            (99_999, ErrorCode.USER_NOT_FOUND),
        ):
            assert (await desk.ask("POST", f"/users/{user_id}/disable"))[1]["code"] == code
        assert (await desk.ask("POST", "/users/x/disable"))[0] == 400
    assert accounts.done == []


async def test_groups_when_looked_for_then_a_page() -> None:
    async with open_desk(groups=Groups()) as desk:
        _, told = await desk.ask("GET", "/groups?query=爬山")
        [group] = told["groups"]
        assert (group["group_id"], group["name"], group["owner_id"], told["more"]) == (
            "20001",
            "爬山",
            str(ANN),
            False,
        )
        _, told = await desk.ask("GET", "/groups/20001/members?limit=1")
        assert (told["members"][0]["role"], told["more"]) == ("owner", True)


async def test_group_when_dismissed_then_in_the_administrators_name() -> None:
    groups = Groups()
    async with open_desk(groups=groups) as desk:
        assert (await desk.ask("POST", "/groups/20001/dismiss"))[0] == 204
    assert groups.dismissed == [(20_001, ROOT)]
