"""Every method of every role, called from another node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import strategies as st
from tests.support.gateway import until
from tests.support.nodes import CALLER, FarNode, Outcomes, open_pair
from tests.support.records import records
from tests.support.services import PASSWORD

from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.model.account import DeviceKind, LogIn, Recovered, RecoverPassword, Register, Registered
from tinyqq.model.account import Resume as ResumeRequest
from tinyqq.model.connection import Done
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, SessionId, UserId
from tinyqq.model.message import Mark, MarkMany, Typing
from tinyqq.ports.services import (
    ChatApi,
    FriendApi,
    GroupApi,
    OfflineApi,
    Services,
    UserApi,
)
from tinyqq.rpc.buffer import Note
from tinyqq.rpc.client import RemoteChat, RemoteFriends, RemoteGroups, RemoteOffline, RemoteUsers
from tinyqq.wire.calls import CALLS
from tinyqq.wire.packets import OPERATIONS, PacketType

DEVICE = DeviceId(b"d" * 16)
SESSION = SessionId(9)


class Remote:
    """All roles of a far node."""

    def __init__(self, far: FarNode, peer: Any) -> None:
        self.far = far
        self.roles: list[str] = []

        async def call(role: str, request: Any) -> Any:
            self.roles.append(role)
            return await peer.call(request, timeout_s=30)

        def note(role: str, note: Note) -> None:
            self.roles.append(role)
            peer.deliveries.note(note)

        user: UserApi = RemoteUsers(call=call)
        friend: FriendApi = RemoteFriends(call=call)
        group: GroupApi = RemoteGroups(call=call)
        chat: ChatApi = RemoteChat(call=call, send=peer.sends.send)
        offline: OfflineApi = RemoteOffline(call=call, note=note)
        self.services = Services(user=user, friend=friend, group=group, chat=chat, offline=offline)


@pytest.fixture
async def remote() -> AsyncIterator[Remote]:
    async with open_pair() as (far, peer):
        yield Remote(far, peer)


def sample(record_class: type[Any]) -> Any:
    """Any record of a class."""
    found: list[Any] = []
    strategy: st.SearchStrategy[Any] = records(record_class)
    found.append(strategy.example())
    return found[0]


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("number", CALLS)
async def test_call_when_made_then_caller_request_and_reply_cross(
    remote: Remote, number: PacketType
) -> None:
    target, operation = CALLS[number], OPERATIONS[number]
    request, reply = sample(operation.request), sample(operation.reply)
    if number == PacketType.LIST_DEVICES:
        reply = await remote.far.fakes.user.list_devices(CALLER, request)
    fake = getattr(remote.far.fakes, target.role)
    fake.replies[target.method] = None if operation.reply is Done else reply
    got = await getattr(getattr(remote.services, target.role), target.method)(CALLER, request)
    assert got == (None if operation.reply is Done else reply)
    if number != PacketType.LIST_DEVICES:
        assert fake.calls == [(target.method, CALLER, request)]
    assert remote.roles == [target.role]


async def test_log_in_when_right_then_the_gateway_learns_all(remote: Remote) -> None:
    request = LogIn(UserId(10_001), PASSWORD, DEVICE, DeviceKind.MOBILE, "phone")
    login = await remote.services.user.log_in(
        request, address="192.0.2.7", session_id=SESSION, language="zh-CN"
    )
    assert remote.far.fakes.user.addresses == ["192.0.2.7"]
    assert (login.caller.session_id, login.caller.language) == (SESSION, "zh-CN")
    assert (login.device_kind, login.device_name) == (DeviceKind.MOBILE, "phone")
    assert login.answer.nickname == "user 10001"


async def test_log_in_when_wrong_then_unauthenticated(remote: Remote) -> None:
    request = LogIn(UserId(10_001), "wrong", DEVICE, DeviceKind.MOBILE)
    with pytest.raises(Unauthenticated) as caught:
        await remote.services.user.log_in(request, address="192.0.2.7", session_id=SESSION)
    assert caught.value.code is ErrorCode.BAD_CREDENTIALS


async def test_resume_when_right_then_the_gateway_learns_all(remote: Remote) -> None:
    login = await remote.services.user.resume(
        ResumeRequest("10001", DEVICE), address="192.0.2.7", session_id=SESSION, language="en"
    )
    assert (login.caller.user_id, login.caller.language) == (10_001, "en")


async def test_register_and_recover_when_called_then_the_answers_come_back(
    remote: Remote,
) -> None:
    replies = remote.far.fakes.user.replies
    replies["register"] = Registered(UserId(10_009), "code")
    replies["recover_password"] = Recovered("next")
    users = remote.services.user
    register = Register(OperationId(bytes(16)), "Ann", "a password")
    assert await users.register(register, address="::1") == replies["register"]
    recover = RecoverPassword(UserId(10_009), "code", "another one")
    assert await users.recover_password(recover, address="::1") == replies["recover_password"]


async def test_seen_when_called_then_the_caller_crosses(remote: Remote) -> None:
    await remote.services.user.seen(CALLER)
    assert remote.far.fakes.user.calls == [("seen", CALLER, None)]


async def test_notes_when_called_then_they_cross(remote: Remote) -> None:
    chat = ConversationId(10_005)
    remote.services.offline.mark(CALLER, Mark(chat))
    remote.services.offline.mark_many(CALLER, MarkMany((Mark(chat),)))
    remote.services.offline.typing(CALLER, Typing(chat))
    calls = remote.far.fakes.offline.calls
    await until(lambda: len(calls) == 3)
    assert calls == [
        ("mark", CALLER, Mark(chat)),
        ("mark_many", CALLER, MarkMany((Mark(chat),))),
        ("typing", CALLER, Typing(chat)),
    ]


async def test_send_when_called_then_it_crosses(remote: Remote) -> None:
    outcomes = Outcomes()
    remote.services.chat.send(outcomes.send(1))
    await until(lambda: bool(outcomes.by_number))
    assert len(remote.far.fakes.chat.sends) == 1
