"""The user role's door: registering, passwords, the end of an account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from tests.support.accounts import (
    ADDRESS,
    LAPTOP,
    PASSWORD,
    PHONE,
    MemoryAccounts,
    caller_of,
    cheap_passwords,
    narrow_throttle,
)
from tests.support.lane_fixtures import RecordingDelivery, operation_id
from tests.support.worlds import BOB, EVERYBODY, open_world

from tinyqq.errors import (
    Conflict,
    ErrorCode,
    Forbidden,
    InvalidRequest,
    RateLimited,
    TinyQQError,
    Unauthenticated,
)
from tinyqq.model.account import (
    Caller,
    ChangePassword,
    DeleteAccount,
    DeviceKind,
    GetProfile,
    KickReason,
    ListDevices,
    LogIn,
    LogOut,
    RecoverPassword,
    Register,
    Registered,
    Resume,
    RevokeDevice,
    SearchUsers,
    UpdateProfile,
)
from tinyqq.model.friend import Contact, ContactList, DeleteFriend, ListContacts
from tinyqq.model.group import (
    CreateGroup,
    GroupInfo,
    GroupList,
    JoinGroup,
    JoinPolicy,
    LeaveGroup,
    ListGroups,
    ListMembers,
    Role,
)
from tinyqq.model.ids import HELPER_ID, GroupId, OperationId, SessionId, UserId
from tinyqq.ports.services import FriendApi, GroupApi, Login, UserApi
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.tokens import AccessTokens
from tinyqq.services.users import AccountPolicy, Registration, UserService
from tinyqq.testing.clock import FakeClock

NEW_PASSWORD = "battery staple"
FRIEND, STRANGER = UserId(20_001), UserId(20_002)


class Circle:
    """The friends and groups of a user, as far as the end of an account asks for them."""

    def __init__(self) -> None:
        self.contacts = [
            Contact(HELPER_ID, is_friend=True),
            Contact(FRIEND, is_friend=True),
            Contact(STRANGER, request_sent_at_ms=1),
        ]
        self.groups: list[GroupInfo] = []
        self.steps: list[OperationId] = []

    def add_group(self, number: int, role: Role, *, dismissed: bool = False) -> None:
        self.groups.append(
            GroupInfo(GroupId(number), "G", JoinPolicy.OPEN, role=role, dismissed=dismissed)
        )

    async def list_contacts(self, caller: Caller, request: ListContacts) -> ContactList:
        return ContactList(tuple(self.contacts))

    async def delete_friend(self, caller: Caller, request: DeleteFriend) -> None:
        self.steps.append(request.operation_id)
        self.contacts = [one for one in self.contacts if one.user_id != request.user_id]

    async def list_groups(self, caller: Caller, request: ListGroups) -> GroupList:
        return GroupList(tuple(self.groups))

    async def leave_group(self, caller: Caller, request: LeaveGroup) -> None:
        self.steps.append(request.operation_id)
        self.groups = [one for one in self.groups if one.group_id != request.group_id]


class Bench(NamedTuple):
    """A user role and what it works with."""

    users: UserService
    accounts: MemoryAccounts
    delivery: RecordingDelivery
    circle: Circle
    clock: FakeClock
    welcomed: list[tuple[UserId, str]]
    passwords: PasswordPool

    async def register(
        self, number: int = 1, *, password: str = PASSWORD, invite_code: str = ""
    ) -> Registered:
        request = Register(operation_id(number), "安娜", password, invite_code)
        return await self.users.register(request, address=ADDRESS)

    async def log_in(
        self, user_id: UserId, password: str = PASSWORD, *, device: Any = PHONE
    ) -> Login:
        request = LogIn(user_id, password, device, DeviceKind.MOBILE, "phone")
        return await self.users.log_in(
            request, address=ADDRESS, session_id=SessionId(5), language="zh"
        )

    async def resume(self, token: str, *, device: Any = PHONE) -> Login:
        return await self.users.resume(
            Resume(token, device), address=ADDRESS, session_id=SessionId(6)
        )

    async def recover(self, user_id: UserId, code: str, password: str = NEW_PASSWORD) -> str:
        request = RecoverPassword(user_id, code, password)
        return (await self.users.recover_password(request, address=ADDRESS)).recovery_code


async def build(passwords: PasswordPool, policy: AccountPolicy | None = None) -> Bench:
    accounts, delivery, circle = MemoryAccounts(), RecordingDelivery(), Circle()
    clock = FakeClock()
    welcomed: list[tuple[UserId, str]] = []

    async def welcome(user_id: UserId, language: str) -> None:
        welcomed.append((user_id, language))

    users = UserService(
        accounts=accounts,
        friends=cast("FriendApi", circle),
        groups=cast("GroupApi", circle),
        delivery=delivery,
        passwords=passwords,
        tokens=AccessTokens(key=b"k" * 32),
        throttle=narrow_throttle(clock),
        clock=clock,
        policy=policy or AccountPolicy(),
        welcome=welcome,
    )
    return Bench(users, accounts, delivery, circle, clock, welcomed, passwords)


@pytest.fixture
async def passwords() -> AsyncIterator[PasswordPool]:
    async with cheap_passwords() as pool:
        yield pool


@pytest.fixture
async def bench(passwords: PasswordPool) -> Bench:
    return await build(passwords)


async def test_user_service_when_built_then_a_user_api(bench: Bench) -> None:
    api: UserApi = bench.users
    assert api is bench.users


async def test_register_when_new_then_numbered_hashed_and_welcomed_when_first_here(
    bench: Bench,
) -> None:
    registered = await bench.register()
    account = bench.accounts.accounts[registered.user_id]
    assert registered.user_id == 10_001
    assert (account.nickname, account.created_at_ms) == ("安娜", bench.clock.now_ms())
    assert PASSWORD not in account.password_hash
    assert registered.recovery_code not in account.recovery_hash
    await bench.log_in(registered.user_id)
    assert bench.welcomed == [(registered.user_id, "zh")]


async def test_register_when_repeated_then_the_same_number_and_the_newer_code_is_good(
    bench: Bench,
) -> None:
    first, again = await bench.register(1), await bench.register(1)
    other = await bench.register(2)
    assert first.user_id == again.user_id != other.user_id
    with pytest.raises(Unauthenticated):
        await bench.recover(first.user_id, first.recovery_code)
    await bench.recover(first.user_id, again.recovery_code)


async def test_register_when_repeated_with_another_password_then_refused(bench: Bench) -> None:
    first = await bench.register(1)
    with pytest.raises(InvalidRequest) as caught:
        await bench.register(1, password=NEW_PASSWORD)
    assert caught.value.code is ErrorCode.OPERATION_REUSED
    await bench.recover(first.user_id, first.recovery_code)


async def test_register_when_the_first_is_deleted_then_the_operation_is_used_up(
    bench: Bench,
) -> None:
    first = await bench.register(1)
    request = DeleteAccount(PASSWORD, first.user_id)
    await bench.users.delete_account(caller_of(first.user_id), request)
    with pytest.raises(InvalidRequest):
        await bench.register(1)


BY_INVITATION = AccountPolicy(Registration.INVITE, "安静")


@pytest.mark.parametrize("policy", [AccountPolicy(), BY_INVITATION])
async def test_register_when_the_policy_allows_it_then_an_account(
    passwords: PasswordPool, policy: AccountPolicy
) -> None:
    bench = await build(passwords, policy)
    await bench.register(invite_code="安静")
    assert len(bench.accounts.accounts) == 1


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        (BY_INVITATION, ErrorCode.BAD_INVITE_CODE),
        (AccountPolicy(Registration.CLOSED), ErrorCode.REGISTRATION_CLOSED),
    ],
)
async def test_register_when_the_policy_forbids_it_then_refused(
    passwords: PasswordPool, policy: AccountPolicy, refusal: ErrorCode
) -> None:
    bench = await build(passwords, policy)
    with pytest.raises((Forbidden, InvalidRequest)) as caught:
        await bench.register(invite_code="安")
    assert caught.value.code is refusal
    assert bench.accounts.accounts == {}


@pytest.mark.parametrize(
    ("nickname", "password", "code"),
    [
        (" ", PASSWORD, ErrorCode.BAD_NICKNAME),
        ("安娜", "short", ErrorCode.WEAK_PASSWORD),
    ],
)
async def test_register_when_badly_filled_in_then_refused_without_an_account(
    bench: Bench, nickname: str, password: str, code: ErrorCode
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await bench.users.register(Register(operation_id(1), nickname, password), address=ADDRESS)
    assert caught.value.code is code
    assert bench.accounts.accounts == {}


async def test_register_when_too_often_then_throttled(bench: Bench) -> None:
    for number in range(3):
        await bench.register(number)
    with pytest.raises(RateLimited) as caught:
        await bench.register(4)
    assert caught.value.code is ErrorCode.TOO_MANY_REGISTRATIONS


async def test_register_when_the_invite_code_is_guessed_then_throttled(
    passwords: PasswordPool,
) -> None:
    bench = await build(passwords, BY_INVITATION)
    for code in ("", "", "", "", "1", "2", "3"):
        with pytest.raises(InvalidRequest) as caught:
            await bench.register(invite_code=code)
        assert caught.value.code is ErrorCode.BAD_INVITE_CODE
    with pytest.raises(RateLimited):
        await bench.register(invite_code="安静")


async def test_recover_password_when_the_code_is_right_then_once_and_all_are_logged_out(
    bench: Bench,
) -> None:
    registered = await bench.register()
    user_id = registered.user_id
    login = await bench.log_in(user_id)
    await bench.accounts.update_account(user_id, must_change_password=True)
    next_code = await bench.recover(user_id, registered.recovery_code)
    with pytest.raises(Unauthenticated):
        await bench.recover(user_id, registered.recovery_code)
    with pytest.raises(Unauthenticated):
        await bench.resume(login.answer.refresh_token)
    assert [kick.reason for kick in bench.delivery.kicks] == [KickReason.PASSWORD_CHANGED]
    assert not (await bench.log_in(user_id, NEW_PASSWORD)).answer.must_change_password
    await bench.recover(user_id, next_code, PASSWORD)


async def test_recover_password_when_the_new_one_is_weak_then_the_code_stays_good(
    bench: Bench,
) -> None:
    registered = await bench.register()
    with pytest.raises(InvalidRequest):
        await bench.recover(registered.user_id, registered.recovery_code, "12345678")
    await bench.recover(registered.user_id, registered.recovery_code)


async def test_log_out_when_asked_then_the_devices_tokens_are_worthless(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    login = await bench.log_in(user_id)
    await bench.users.log_out(login.caller, LogOut())
    for token in (login.answer.access_token, login.answer.refresh_token):
        with pytest.raises(Unauthenticated):
            await bench.resume(token)
    kick = bench.delivery.kicks[-1]
    assert (kick.reason, kick.only, kick.keep) == (KickReason.LOGGED_OUT, (PHONE,), 5)


async def test_seen_when_told_then_noted(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    await bench.users.seen(caller_of(user_id))
    assert bench.accounts.accounts[user_id].last_seen_at_ms == bench.clock.now_ms()


async def test_change_password_when_right_then_other_devices_are_logged_out(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    here, there = await bench.log_in(user_id), await bench.log_in(user_id, device=LAPTOP)
    await bench.accounts.update_account(user_id, must_change_password=True)
    await bench.users.change_password(here.caller, ChangePassword(PASSWORD, NEW_PASSWORD))
    assert not (await bench.resume(here.answer.refresh_token)).answer.must_change_password
    with pytest.raises(Unauthenticated):
        await bench.resume(there.answer.refresh_token, device=LAPTOP)
    kick = bench.delivery.kicks[-1]
    assert (kick.reason, kick.only, kick.keep) == (KickReason.PASSWORD_CHANGED, None, 5)
    await bench.log_in(user_id, NEW_PASSWORD)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("wrong password", NEW_PASSWORD, ErrorCode.BAD_CREDENTIALS),
        (PASSWORD, "12345678", ErrorCode.WEAK_PASSWORD),
        (PASSWORD, PASSWORD, ErrorCode.WEAK_PASSWORD),
    ],
)
async def test_change_password_when_not_right_then_nothing_changes(
    bench: Bench, old: str, new: str, code: ErrorCode
) -> None:
    user_id = (await bench.register()).user_id
    await bench.accounts.update_account(user_id, must_change_password=True)
    before = bench.accounts.accounts[user_id]
    with pytest.raises(TinyQQError) as caught:
        await bench.users.change_password(caller_of(user_id), ChangePassword(old, new))
    assert caught.value.code is code
    assert bench.accounts.accounts[user_id] == before


async def test_delete_account_when_confirmed_then_nothing_personal_is_left(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    login = await bench.log_in(user_id)
    bench.circle.add_group(30_001, Role.MEMBER)
    bench.circle.add_group(30_002, Role.ADMIN)
    bench.circle.add_group(30_003, Role.OWNER, dismissed=True)
    await bench.users.delete_account(login.caller, DeleteAccount(PASSWORD, user_id))

    account = bench.accounts.accounts[user_id]
    assert account.deleted_at_ms == bench.clock.now_ms()
    assert (account.nickname, account.password_hash, account.recovery_hash) == ("", "", "")
    assert [group.group_id for group in bench.circle.groups] == [30_003]
    assert [contact.user_id for contact in bench.circle.contacts] == [HELPER_ID, STRANGER]
    assert len(set(bench.circle.steps)) == 3
    assert bench.accounts.devices == {}
    kick = bench.delivery.kicks[-1]
    assert (kick.reason, kick.keep) == (KickReason.ACCOUNT_DELETED, 5)
    with pytest.raises(Unauthenticated) as caught:
        await bench.log_in(user_id)
    assert caught.value.code is ErrorCode.BAD_CREDENTIALS


@pytest.mark.parametrize(
    ("password", "number", "refusal"),
    [
        (PASSWORD, 10_002, ErrorCode.NOT_CONFIRMED),
        ("wrong password", 10_001, ErrorCode.BAD_CREDENTIALS),
    ],
)
async def test_delete_account_when_not_confirmed_then_it_lives_on(
    bench: Bench, password: str, number: int, refusal: ErrorCode
) -> None:
    user_id = (await bench.register()).user_id
    with pytest.raises(TinyQQError) as caught:
        await bench.users.delete_account(
            caller_of(user_id), DeleteAccount(password, UserId(number))
        )
    assert caught.value.code is refusal
    assert bench.accounts.accounts[user_id].is_usable


async def test_delete_account_when_owning_a_group_then_nothing_is_left_behind(
    bench: Bench,
) -> None:
    user_id = (await bench.register()).user_id
    bench.circle.add_group(30_001, Role.MEMBER)
    bench.circle.add_group(30_002, Role.OWNER)
    with pytest.raises(Conflict) as caught:
        await bench.users.delete_account(caller_of(user_id), DeleteAccount(PASSWORD, user_id))
    assert caught.value.code is ErrorCode.OWNS_GROUPS
    assert caught.value.fields == {"count": 1, "group_id": 30_002}
    assert len(bench.circle.groups) == 2
    assert bench.circle.steps == []


async def test_devices_when_listed_and_revoked_then_through_the_door(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    caller = (await bench.log_in(user_id)).caller
    await bench.log_in(user_id, device=LAPTOP)
    await bench.users.revoke_device(caller, RevokeDevice(LAPTOP))
    listed = await bench.users.list_devices(caller, ListDevices())
    assert [one.device_id for one in listed.devices] == [PHONE]


async def test_profiles_when_changed_and_searched_then_through_the_door(bench: Bench) -> None:
    user_id = (await bench.register()).user_id
    caller = caller_of(user_id)
    await bench.users.update_profile(caller, UpdateProfile(nickname="Ann"))
    profile = await bench.users.get_profile(caller, GetProfile(user_id))
    assert profile.nickname == "Ann"
    assert (await bench.users.search_users(caller, SearchUsers("ann"))).profiles == (profile,)


async def test_delete_account_when_on_the_real_roles_and_storage_then_gone_from_everywhere(
    tmp_path: Path, passwords: PasswordPool
) -> None:
    async with open_world(tmp_path) as world:
        groups, friends = world.groups(), world.friends()
        await world.storage.accounts.take_numbers("user", len(EVERYBODY))
        users = UserService(
            accounts=world.storage.accounts,
            friends=friends,
            groups=groups,
            delivery=world.delivery,
            passwords=passwords,
            tokens=AccessTokens(key=b"k" * 32),
            throttle=narrow_throttle(world.clock),
            clock=world.clock,
            policy=AccountPolicy(),
        )
        user_id = (
            await users.register(Register(operation_id(), "安娜", PASSWORD), address=ADDRESS)
        ).user_id
        request = LogIn(user_id, PASSWORD, PHONE, DeviceKind.MOBILE)
        login = await users.log_in(request, address=ADDRESS, session_id=SessionId(5))
        await world.befriend(BOB, user_id)
        create = CreateGroup(operation_id(), "G", JoinPolicy.OPEN)
        group_id = (await groups.create_group(caller_of(BOB), create)).group_id
        await groups.join_group(login.caller, JoinGroup(operation_id(), group_id))

        await users.delete_account(login.caller, DeleteAccount(PASSWORD, user_id))

        left = await groups.list_members(caller_of(BOB), ListMembers(group_id))
        assert [member.user_id for member in left.members] == [BOB]
        assert await world.storage.conversations.list_friend_ids(BOB) == ()
        account = await world.storage.accounts.find_account(user_id)
        assert account is not None
        assert not account.is_usable
        with pytest.raises(Unauthenticated):
            await users.resume(
                Resume(login.answer.refresh_token, PHONE),
                address=ADDRESS,
                session_id=SessionId(6),
            )
