"""Role ``user``: accounts, devices, profiles. This is its door; each part has a module of its own.

============================  ===================================================
registering, passwords, end   here
logging in and out            ``log_ins.py``, tokens in ``tokens.py``
proving who one is            ``credentials.py``, ``passwords.py``, ``throttle.py``
devices, profiles             ``devices.py``, ``profiles.py``
============================  ===================================================
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from enum import StrEnum

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, Forbidden, InvalidRequest
from tinyqq.model.account import (
    Account,
    Caller,
    ChangePassword,
    DeleteAccount,
    DeviceList,
    GetProfile,
    KickReason,
    ListDevices,
    LogIn,
    LogOut,
    Profile,
    ProfileList,
    Recovered,
    RecoverPassword,
    Register,
    Registered,
    Resume,
    RevokeDevice,
    SearchUsers,
    UpdateProfile,
    check_nickname,
)
from tinyqq.model.friend import DeleteFriend, ListContacts
from tinyqq.model.group import LeaveGroup, ListGroups, Role
from tinyqq.model.ids import (
    HELPER_ID,
    OPERATION_ID_BYTES,
    OperationId,
    SessionId,
    UserId,
    derived_operation_id,
)
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.services import FriendApi, GroupApi, Login
from tinyqq.ports.storage import AccountStore
from tinyqq.services.credentials import Credentials, new_recovery_code, recovery_hash
from tinyqq.services.devices import Devices
from tinyqq.services.log_ins import REFRESH_LIFETIME_S, LogIns, Welcome
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.profiles import Profiles
from tinyqq.services.throttle import Throttle
from tinyqq.services.tokens import AccessTokens


class Registration(StrEnum):
    """Who may make an account."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """What the operator decided about accounts.

    Args:
        registration: who may make one.
        invite_code: what who registers must know when it is by invitation.
        refresh_lifetime_s: how long a device that does not come back may still log in by token.
    """

    registration: Registration = Registration.OPEN
    invite_code: str = ""
    refresh_lifetime_s: int = REFRESH_LIFETIME_S

    def check(self, invite_code: str) -> None:
        """Whether somebody with this code may register.

        Raises:
            Forbidden: REGISTRATION_CLOSED.
            InvalidRequest: BAD_INVITE_CODE.
        """
        if self.registration is Registration.CLOSED:
            raise Forbidden(ErrorCode.REGISTRATION_CLOSED)
        if self.registration is Registration.INVITE and not hmac.compare_digest(
            self.invite_code.encode(), invite_code.encode()
        ):
            raise InvalidRequest(ErrorCode.BAD_INVITE_CODE)


class UserService:
    """Implements :class:`tinyqq.ports.services.UserApi`.

    Args:
        friends, groups: asked to end friendships and memberships when an account is deleted, and
            who is to be told of another name or picture.
        welcome: makes a newcomer at home; None: nobody does.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        friends: FriendApi,
        groups: GroupApi,
        delivery: Delivery,
        passwords: PasswordPool,
        tokens: AccessTokens,
        throttle: Throttle,
        clock: Clock,
        policy: AccountPolicy,
        welcome: Welcome | None = None,
    ) -> None:
        self._accounts = accounts
        self._friends = friends
        self._groups = groups
        self._throttle = throttle
        self._clock = clock
        self._policy = policy
        self._credentials = Credentials(accounts=accounts, passwords=passwords, throttle=throttle)
        self._devices = Devices(accounts=accounts, delivery=delivery)
        self._profiles = Profiles(accounts=accounts, friends=friends, delivery=delivery)
        self._log_ins = LogIns(
            accounts=accounts,
            credentials=self._credentials,
            devices=self._devices,
            tokens=tokens,
            clock=clock,
            welcome=welcome,
            refresh_lifetime_s=policy.refresh_lifetime_s,
        )

    async def register(self, request: Register, *, address: str) -> Registered:
        """Make an account; it is welcomed at its first log-in, when the language is known.

        A repeat by who knows the password gets the number again, with a new recovery code: the
        first one may never have arrived, and only its hash was kept.
        """
        nickname = check_nickname(request.nickname)
        self._take_registration(request.invite_code, address)
        password_hash = await self._credentials.hash_new(request.password)
        recovery_code = new_recovery_code()
        wanted = Account(
            user_id=UserId(await self._accounts.take_numbers("user", 1)),
            nickname=nickname,
            password_hash=password_hash,
            recovery_hash=recovery_hash(recovery_code),
            created_at_ms=self._clock.now_ms(),
        )
        account = await self._accounts.create_account(wanted, request.operation_id)
        if account.user_id != wanted.user_id:
            await self._reissue(account, request.password, recovery_code)
        return Registered(account.user_id, recovery_code)

    async def log_in(
        self, request: LogIn, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Open a session by password."""
        return await self._log_ins.log_in(
            request, address=address, session_id=session_id, language=language
        )

    async def resume(
        self, request: Resume, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Open a session by token. Not throttled: a token of 256 bits is not guessed."""
        return await self._log_ins.resume(request, session_id=session_id, language=language)

    async def recover_password(self, request: RecoverPassword, *, address: str) -> Recovered:
        """Trade the one-time code for a new password and the next code."""
        account = await self._credentials.check_recovery_code(
            request.user_id, request.recovery_code, address=address
        )
        password_hash = await self._credentials.hash_new(
            request.new_password, user_id=account.user_id
        )
        recovery_code = new_recovery_code()
        await self._accounts.update_account(
            account.user_id,
            password_hash=password_hash,
            recovery_hash=recovery_hash(recovery_code),
            must_change_password=False,
        )
        await self._devices.end_all(account.user_id, KickReason.PASSWORD_CHANGED)
        return Recovered(recovery_code)

    async def log_out(self, caller: Caller, request: LogOut) -> None:
        """Forget the caller's device. The gateway closes the session that asked."""
        await self._devices.end_one(
            caller.user_id, caller.device_id, KickReason.LOGGED_OUT, keep=caller.session_id
        )

    async def seen(self, caller: Caller) -> None:
        """Note that the user has gone."""
        await self._log_ins.seen(caller)

    async def change_password(self, caller: Caller, request: ChangePassword) -> None:
        """Set a new password; what logged in with the old one is logged out, but the caller."""
        account = await self._credentials.check(caller.user_id, request.old_password)
        if account.must_change_password and request.new_password == request.old_password:
            raise InvalidRequest(ErrorCode.WEAK_PASSWORD, reason="the old password")
        password_hash = await self._credentials.hash_new(
            request.new_password, user_id=caller.user_id
        )
        await self._accounts.update_account(
            caller.user_id, password_hash=password_hash, must_change_password=False
        )
        await self._devices.end_all(
            caller.user_id,
            KickReason.PASSWORD_CHANGED,
            keep_device=caller.device_id,
            keep=caller.session_id,
        )

    async def delete_account(self, caller: Caller, request: DeleteAccount) -> None:
        """End the account for good. What is left of an interrupted attempt is an ordinary account
        in fewer groups; asking again takes up where it stopped."""
        if request.confirm_user_id != caller.user_id:
            raise InvalidRequest(ErrorCode.NOT_CONFIRMED)
        await self._credentials.check(caller.user_id, request.password)
        await self._leave_everybody(caller)
        await self._accounts.update_account(
            caller.user_id,
            nickname="",
            signature="",
            avatar="",
            password_hash="",
            recovery_hash="",
            is_admin=False,
            allow_strangers=False,
            deleted_at_ms=self._clock.now_ms(),
        )
        # The session that asked gets its answer; then the gateway closes it.
        await self._devices.end_all(
            caller.user_id, KickReason.ACCOUNT_DELETED, keep=caller.session_id
        )

    async def list_devices(self, caller: Caller, request: ListDevices) -> DeviceList:
        """The account's devices."""
        return await self._devices.list(caller)

    async def revoke_device(self, caller: Caller, request: RevokeDevice) -> None:
        """Log one device out."""
        await self._devices.revoke(caller, request.device_id)

    async def get_profile(self, caller: Caller, request: GetProfile) -> Profile:
        """A user's profile."""
        return await self._profiles.get(caller, request.user_id)

    async def update_profile(self, caller: Caller, request: UpdateProfile) -> Profile:
        """Change one's own."""
        return await self._profiles.update(caller, request)

    async def search_users(self, caller: Caller, request: SearchUsers) -> ProfileList:
        """By number or nickname."""
        return await self._profiles.search(caller, request)

    def _take_registration(self, invite_code: str, address: str) -> None:
        if not invite_code:
            self._policy.check(invite_code)  # to find out that one is needed does not count
        # Before the code is looked at: a guess that is wrong counts like one that is right.
        self._throttle.take_registration(address)
        self._policy.check(invite_code)

    async def _reissue(self, account: Account, password: str, recovery_code: str) -> None:
        if not await self._credentials.is_password(account, password):
            raise InvalidRequest(ErrorCode.OPERATION_REUSED)
        await self._accounts.update_account(
            account.user_id, recovery_hash=recovery_hash(recovery_code)
        )

    async def _leave_everybody(self, caller: Caller) -> None:
        """Every step is found again by listing what is left, so the operation ids need not
        outlive this call (and must not: a group may be joined and left a second time)."""
        listed = (await self._groups.list_groups(caller, ListGroups())).groups
        groups = [group for group in listed if not group.dismissed]
        owned = [group.group_id for group in groups if group.role is Role.OWNER]
        if owned:
            raise Conflict(ErrorCode.OWNS_GROUPS, count=len(owned), group_id=owned[0])
        operation_id = OperationId(secrets.token_bytes(OPERATION_ID_BYTES))
        for group in groups:
            step = derived_operation_id(operation_id, f"leave {group.group_id}")
            await self._groups.leave_group(caller, LeaveGroup(step, group.group_id))
        contacts = (await self._friends.list_contacts(caller, ListContacts())).contacts
        for contact in contacts:
            if contact.is_friend and contact.user_id != HELPER_ID:
                step = derived_operation_id(operation_id, f"part {contact.user_id}")
                await self._friends.delete_friend(caller, DeleteFriend(step, contact.user_id))
