"""The chat client's commands, at a terminal that the test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.chat import INFO, Person, chatting, finished, furnish
from tests.support.clients import logged_in
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, text
from tests.support.fake_server import FakeServer, fake_server

from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.errors import ErrorCode, Forbidden, NotFound
from tinyqq.model.connection import Done
from tinyqq.model.friend import AnswerFriend, RequestFriend
from tinyqq.model.group import (
    AnswerJoin,
    CreateGroup,
    GroupCreated,
    Invitation,
    InvitationList,
    InviteMember,
    JoinOutcome,
    Member,
    MemberList,
    Role,
)
from tinyqq.model.ids import GroupId, own_conversation
from tinyqq.model.message import Kind
from tinyqq.wire.content import decode_content
from tinyqq.wire.packets import PacketType


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        furnish(made)
        yield made


async def run(server: FakeServer, *lines: str) -> list[str]:
    """What is shown when these lines are typed one after the other."""
    async with chatting(server, *lines) as person:
        await person.prompted(len(lines) + 1)
    return person.shown


def said(server: FakeServer, conversation: Any = ANN_BOB) -> list[str]:
    return [decode_content(entry.body).text for entry in server.logs.get(conversation, [])]


async def test_text_when_somebody_is_open_then_sent(server: FakeServer) -> None:
    shown = await run(server, "/open 10002", "你好", "//me")
    assert shown == ["Talking with 小波(10002)."]
    assert said(server) == ["你好", "/me"]


async def test_text_when_nobody_is_open_then_told_what_to_do(server: FakeServer) -> None:
    assert await run(server, "hello", "") == ["Open somebody first: /open N or /g N."]


async def test_text_when_refused_then_why(server: FakeServer) -> None:
    server.refusals.append(Forbidden(ErrorCode.NOT_FRIENDS))
    shown = await run(server, "/open 10002", "hi")
    assert shown[-1] == "You are not friends: /add first."


async def test_prompt_when_somebody_is_open_then_names_them(server: FakeServer) -> None:
    async with chatting(server, "/g 20001") as person:
        await person.prompted(2)
    assert person.prompts[:2] == ["> ", "小组(20001)> "]


async def test_command_when_unknown_then_told(server: FakeServer) -> None:
    assert await run(server, "/frobnicate") == [
        "There is no /frobnicate; /help shows the commands."
    ]


@pytest.mark.parametrize("name", ["open", "g", "add", "accept", "decline", "join"])
async def test_command_when_its_number_is_missing_then_told(server: FakeServer, name: str) -> None:
    assert await run(server, f"/{name} x") == [f"/{name} needs a number."]


async def test_help_when_asked_then_the_commands(server: FakeServer) -> None:
    assert await run(server, "/help") == [ChatTexts("en").help]


async def test_list_when_asked_then_the_conversations(server: FakeServer) -> None:
    server.append(ANN_BOB, ANN, b"")
    shown = await run(server, "/list")
    assert "  小波(10002)" in shown


async def test_list_when_there_is_nothing_then_says_so(server: FakeServer) -> None:
    assert await run(server, "/list") == ["(nothing)"]


async def test_friends_and_who_when_asked_then_with_presence(server: FakeServer) -> None:
    assert await run(server, "/friends", "/who") == ["  小波(10002)  online"] * 2


async def test_add_when_with_a_note_then_asked(server: FakeServer) -> None:
    assert await run(server, "/add 10002 我是小安") == ["Asked 小波(10002)."]
    (request,) = server.asked(PacketType.REQUEST_FRIEND)
    assert request == RequestFriend(request.operation_id, BOB, "我是小安")


@pytest.mark.parametrize(("name", "accept"), [("accept", True), ("decline", False)])
async def test_answer_when_no_group_is_open_then_of_friendship(
    server: FakeServer, name: str, accept: bool
) -> None:
    assert await run(server, f"/{name} 10002") == ["Done."]
    (request,) = server.asked(PacketType.ANSWER_FRIEND)
    assert request == AnswerFriend(request.operation_id, BOB, accept)


async def test_accept_when_a_group_is_open_then_into_the_group(server: FakeServer) -> None:
    shown = await run(server, "/g 20001", "/accept 10002")
    assert shown[-1] == "Done."
    (request,) = server.asked(PacketType.ANSWER_JOIN)
    assert request == AnswerJoin(request.operation_id, GroupId(GROUP), BOB, True)
    assert server.asked(PacketType.ANSWER_FRIEND) == []


@pytest.mark.parametrize(
    ("error", "friendship"),
    [(NotFound(ErrorCode.REQUEST_NOT_FOUND), 1), (NotFound(ErrorCode.GROUP_NOT_FOUND), 0)],
)
async def test_accept_when_nobody_waits_at_the_group_then_of_friendship(
    server: FakeServer, error: NotFound, friendship: int
) -> None:
    def refuse(link: Any, request: Any) -> Done:
        raise error

    server.handlers[PacketType.ANSWER_JOIN] = refuse
    await run(server, "/g 20001", "/accept 10002")
    assert len(server.asked(PacketType.ANSWER_FRIEND)) == friendship


async def test_groups_when_asked_then_listed(server: FakeServer) -> None:
    assert await run(server, "/groups") == ["  小组(20001)  2 members  owner"]


async def test_create_when_named_then_made_and_open(server: FakeServer) -> None:
    server.handlers[PacketType.CREATE_GROUP] = lambda link, request: GroupCreated(INFO.group_id)
    shown = await run(server, "/create", "/create 小组", "hello")
    assert shown[:2] == ["/create needs a name.", "Group 20001 is made."]
    (request,) = server.asked(PacketType.CREATE_GROUP)
    assert isinstance(request, CreateGroup)
    assert request.name == "小组"
    assert said(server, GROUP) == ["hello"]


@pytest.mark.parametrize(
    ("joined", "expected"), [(True, "Done."), (False, "Asked; an admin must say yes.")]
)
async def test_join_when_answered_then_how(server: FakeServer, joined: bool, expected: str) -> None:
    server.handlers[PacketType.JOIN_GROUP] = lambda link, request: JoinOutcome(joined)
    assert await run(server, "/join 20001 please") == [expected]


async def test_invite_and_leave_when_a_group_is_open_then_done(server: FakeServer) -> None:
    shown = await run(server, "/g 20001", "/invite 10002", "/leave", "/leave", "/invite 10002")
    assert shown[1:] == ["Done.", "Done.", *["Open a group first: /g N."] * 2]
    (request,) = server.asked(PacketType.INVITE_MEMBER)
    assert request == InviteMember(request.operation_id, GroupId(GROUP), BOB)


async def test_invitations_when_open_then_listed_and_refused(server: FakeServer) -> None:
    invited = InvitationList((Invitation(GroupId(GROUP), "小组", 2, BOB, "小波", 7),))
    server.handlers[PacketType.LIST_INVITATIONS] = lambda link, request: invited
    shown = await run(server, "/invitations", "/refuse 20001", "/refuse")
    assert shown == [
        "  小组(20001)  2 members, invited by 小波(10002)",
        "Done.",
        "/refuse needs a number.",
    ]
    (request,) = server.asked(PacketType.ANSWER_JOIN)
    assert request == AnswerJoin(request.operation_id, GroupId(GROUP), ANN, False)


async def test_who_when_a_group_is_open_then_its_members(server: FakeServer) -> None:
    members = MemberList((Member(BOB, "小波", "", Role.MEMBER, 0),), more=False)
    server.handlers[PacketType.LIST_MEMBERS] = lambda link, request: members
    assert (await run(server, "/g 20001", "/who"))[-1] == "  小波(10002)"


async def test_history_when_somebody_is_open_then_what_was_said(server: FakeServer) -> None:
    server.append(ANN_BOB, BOB, text(1, "long ago").body)
    server.notice(ANN_BOB, BOB, Kind.RECALL, target_seq=1)
    server.notice(ANN_BOB, BOB, Kind.FRIEND_ADDED)
    shown = await run(server, "/history", "/open 10002", "/history")
    assert "Open somebody first: /open N or /g N." in shown
    first, second = shown[-1].splitlines()
    assert first.endswith("小波(10002): long ago")
    assert second.endswith("小波(10002) took back a message")


async def test_history_when_of_the_notes_then_only_notes(server: FakeServer) -> None:
    own = own_conversation(ANN)
    server.notice(own, BOB, Kind.FRIEND_REQUESTED, user_ids=(ANN,))
    server.append(own, ANN, text(1, "buy milk").body)
    (line,) = (await run(server, "/open 10001", "/history"))[-1].splitlines()
    assert line.endswith("note: buy milk")


async def test_recall_when_something_was_said_then_taken_back(server: FakeServer) -> None:
    nothing = "You have said nothing here yet."
    shown = await run(server, "/recall", "/open 10002", "oops", "/recall", "/recall")
    assert [one for one in shown if one == nothing] == [nothing, nothing]
    (request,) = server.asked(PacketType.RECALL)
    assert (request.conversation_id, request.seq) == (ANN_BOB, 1)


async def test_chat_when_the_input_ends_then_leaves(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        person = Person()
        person.type(None)
        assert await finished(me, person) is True
