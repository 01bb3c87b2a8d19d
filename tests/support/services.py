"""The business roles as fakes: what was called is written down, what is answered is set by the
test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, cast

from tinyqq.errors import ErrorCode, TinyQQError, Unauthenticated
from tinyqq.model.account import (
    Caller,
    DeviceInfo,
    DeviceKind,
    DeviceList,
    LoggedIn,
    LogIn,
    Resume,
)
from tinyqq.model.ids import DeviceId, GroupId, Seq, SessionId, UserId
from tinyqq.model.message import Sent
from tinyqq.ports.services import (
    ChatApi,
    FriendApi,
    GroupApi,
    Login,
    OfflineApi,
    Send,
    Services,
    UserApi,
)
from tinyqq.ports.storage import ConversationStore

PASSWORD: Final = "correct horse"


class FakeApi:
    """Any role: ``replies`` holds, by the method's name, a record, an error, or a coroutine
    function of (caller, request); ``calls`` what was asked."""

    def __init__(self) -> None:
        self.replies: dict[str, Any] = {}
        self.calls: list[tuple[str, Any, Any]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(caller: Any, request: Any = None, **_: Any) -> Any:
            return await self.answer(name, caller, request)

        return call

    async def answer(self, name: str, caller: Any, request: Any) -> Any:
        """What the test has set for this method."""
        self.calls.append((name, caller, request))
        reply = self.replies.get(name)
        if callable(reply):
            return await reply(caller, request)
        if isinstance(reply, Exception):
            raise reply
        return reply


class FakeUsers(FakeApi):
    """Everybody's password is ``PASSWORD``; a token is the user's number."""

    def __init__(self) -> None:
        super().__init__()
        self.must_change_password = False
        self.revoked: set[DeviceId] = set()
        self.kinds: dict[DeviceId, DeviceKind] = {}
        self.gate: asyncio.Event | None = None
        """Set by a test that wants log-ins to wait."""
        self.addresses: list[str] = []

    async def log_in(
        self, request: LogIn, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Check the password."""
        self.addresses.append(address)
        if self.gate is not None:
            await self.gate.wait()
        if request.password != PASSWORD:
            raise Unauthenticated(ErrorCode.BAD_CREDENTIALS)
        self.kinds[request.device_id] = request.device_kind
        caller = Caller(request.user_id, request.device_id, session_id, language=language)
        return self._login(caller, request.device_kind, request.device_name)

    async def resume(
        self, request: Resume, *, address: str, session_id: SessionId, language: str = ""
    ) -> Login:
        """Check the token."""
        if not request.token.isdigit():
            raise Unauthenticated(ErrorCode.TOKEN_INVALID)
        caller = Caller(
            UserId(int(request.token)), request.device_id, session_id, language=language
        )
        return self._login(caller, self.kinds.get(request.device_id, DeviceKind.CLI), "resumed")

    async def list_devices(self, caller: Caller, request: object) -> DeviceList:
        """The caller's device alone, unless it is revoked."""
        device = DeviceInfo(caller.device_id, DeviceKind.CLI, "", 0, 0)
        return DeviceList(() if caller.device_id in self.revoked else (device,))

    def _login(self, caller: Caller, kind: DeviceKind, device_name: str) -> Login:
        user_id = caller.user_id
        answer = LoggedIn(
            user_id, "access", 0, "refresh", f"user {user_id}", self.must_change_password,
            caller.session_id,
        )  # fmt: skip
        return Login(answer, replace(caller, is_bot=kind is DeviceKind.BOT), kind, device_name)


class FakeChat(FakeApi):
    """Numbers sends from 1, at once or when ``answer_all`` is called."""

    def __init__(self) -> None:
        super().__init__()
        self.sends: list[Send] = []
        self.answers_at_once = True
        self.outcomes: list[Sent | TinyQQError] = []
        """Answers to give first; then numbers."""
        self.last_seq = 0

    def send(self, send: Send) -> None:
        """Take a message."""
        self.sends.append(send)
        if self.answers_at_once:
            self.answer_one(send)

    def answer_one(self, send: Send) -> None:
        """Answer one send."""
        if self.outcomes:
            send.answer(self.outcomes.pop(0))
            return
        self.last_seq += 1
        send.answer(Sent(Seq(self.last_seq), self.last_seq, 1_700_000_000_000))


class FakeOffline(FakeApi):
    """Marks and typing notices are written down."""

    def mark(self, caller: Caller, request: object) -> None:
        """Write it down."""
        self.calls.append(("mark", caller, request))

    def mark_many(self, caller: Caller, request: object) -> None:
        """Write it down."""
        self.calls.append(("mark_many", caller, request))

    def typing(self, caller: Caller, request: object) -> None:
        """Write it down."""
        self.calls.append(("typing", caller, request))


class FakeServices:
    """All roles; ``services`` is what a gateway is given."""

    def __init__(self) -> None:
        self.user = FakeUsers()
        self.friend = FakeApi()
        self.group = FakeApi()
        self.chat = FakeChat()
        self.offline = FakeOffline()
        self.services = Services(
            user=cast(UserApi, self.user),
            friend=cast(FriendApi, self.friend),
            group=cast(GroupApi, self.group),
            chat=cast(ChatApi, self.chat),
            offline=cast(OfflineApi, self.offline),
        )


class FakeConversations:
    """Groups, members and friends as a test sets them."""

    def __init__(self) -> None:
        self.members: dict[GroupId, tuple[tuple[UserId, ...], Seq]] = {}
        self.friends: dict[UserId, tuple[UserId, ...]] = {}
        self.gate: asyncio.Event | None = None
        """Set by a test that wants reads to wait."""
        self.errors: list[Exception] = []
        """Raised by the next reads."""
        self.stale: list[tuple[tuple[UserId, ...], Seq]] = []
        """Member lists that the next reads give, as a replica does that lags behind."""
        self.reads = 0

    @property
    def store(self) -> ConversationStore:
        """What a gateway is given."""
        return cast(ConversationStore, self)

    async def list_group_ids(self, user_id: UserId) -> tuple[GroupId, ...]:
        """The groups that have the user as a member."""
        groups = tuple(one for one, (users, _) in self.members.items() if user_id in users)
        await self._wait()
        return groups

    async def list_member_ids(self, group_id: GroupId) -> tuple[tuple[UserId, ...], Seq]:
        """A group's members."""
        self.reads += 1
        await self._wait()
        if self.stale:
            return self.stale.pop(0)
        return self.members.get(group_id, ((), Seq(0)))

    async def list_friend_ids(self, user_id: UserId) -> tuple[UserId, ...]:
        """A user's friends."""
        return self.friends.get(user_id, ())

    async def _wait(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
