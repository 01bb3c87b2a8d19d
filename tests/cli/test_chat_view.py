"""What the chat client reads and shows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP, recall, text

from tinyqq.cli import chat_view as view
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.chat_view import Command, Names
from tinyqq.client import Change, Message
from tinyqq.client.messages import Desk, to_event
from tinyqq.model.friend import Contact
from tinyqq.model.group import GroupInfo, Invitation, JoinPolicy, Member, Role
from tinyqq.model.ids import ConversationId, GroupId, Seq, UserId, own_conversation
from tinyqq.model.message import Content, Entry, Kind, Media, Notice, Quote
from tinyqq.model.sync import Summary
from tinyqq.wire.content import encode_content, encode_notice

OWN = own_conversation(ANN)
EVE = UserId(10_003)


class AnnsDesk:
    user_id = ANN


@pytest.fixture
def names() -> Names:
    return Names(
        ANN,
        ChatTexts("en"),
        contacts={BOB: Contact(BOB, "Bob", is_friend=True)},
        groups={GroupId(GROUP): GroupInfo(GroupId(GROUP), "Gang", JoinPolicy.OPEN)},
    )


def event(entry: Entry) -> Any:
    return to_event(entry, cast(Desk, AnnsDesk()))


def shown(entry: Entry, names: Names) -> str | None:
    """An entry as it is shown, without the time."""
    found = event(entry)
    now = found.time
    if isinstance(found, Message):
        line: str | None = view.show_message(found, names, now)
    else:
        assert isinstance(found, Change)
        line = view.show_change(found, names, now)
    return line.partition(" ")[2] if line else line


def with_content(content: Content, kind: int = Kind.TEXT, **fields: Any) -> Entry:
    return text(1, **fields)._replace(kind=kind, body=encode_content(content))


def notice(
    kind: int,
    *,
    conversation: ConversationId = OWN,
    sender: UserId = BOB,
    **fields: Any,
) -> Entry:
    body = encode_notice(Notice(**fields))
    return text(1, conversation=conversation, sender=sender)._replace(kind=kind, body=body)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("hello", "hello"),
        ("  hello /x ", "hello /x"),
        ("", ""),
        ("//shrug", "/shrug"),
        ("/quit", Command("quit")),
        ("/ADD 10002  hi there ", Command("add", "10002  hi there")),
        ("／帮助", Command("帮助")),
        ("/", Command("")),
    ],
)
def test_parse_line_when_typed_then_command_or_text(line: str, expected: Command | str) -> None:
    assert view.parse_line(line) == expected


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("10002", (10_002, "")),
        ("10002 hi you", (10_002, "hi you")),
        ("x", (0, "")),
        ("", (0, "")),
        ("²", (0, "")),
    ],
)
def test_number_when_there_is_one_then_with_the_rest(
    argument: str, expected: tuple[int, str]
) -> None:
    assert Command("add", argument).number() == expected


def test_clean_when_text_is_hostile_then_harmless() -> None:
    assert view.clean("a\x1b[2Jb\u202ec\r\nd\x07") == "a [2Jb c \nd "
    assert view.clean("你好 😀") == "你好 😀"


def test_show_time_when_today_then_without_the_date() -> None:
    now = datetime(2026, 11, 23, 12, 0)
    assert view.show_time(now - timedelta(hours=2), now) == "10:00"
    assert view.show_time(now - timedelta(days=1), now) == "2026-11-22 12:00"


def test_user_when_named_then_remark_before_nickname_before_number(names: Names) -> None:
    names.contacts[EVE] = Contact(EVE, "Eve", remark="Sis")
    names.nicknames[UserId(7)] = "Seven"
    assert [names.user(UserId(one)) for one in (BOB, EVE, 7, 8)] == [
        "Bob(10002)",
        "Sis(10003)",
        "Seven(7)",
        "8",
    ]
    assert [names.knows(UserId(one)) for one in (BOB, 7, 8)] == [True, True, False]


def test_group_when_unknown_then_the_name_that_came_along(names: Names) -> None:
    assert names.group(GroupId(5)) == "5"
    assert names.group(GroupId(5), "Five") == "Five(5)"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (text(1, "hi"), "Bob(10002): hi"),
        (text(1, "hi", sender=ANN), "to Bob(10002): hi"),
        (text(1, "hi", conversation=OWN, sender=ANN), "note: hi"),
        (text(1, "hi", conversation=GROUP), "[Gang(20001)] Bob(10002): hi"),
        (text(1, "two\nlines"), "Bob(10002): two\n      lines"),
        (text(1)._replace(kind=Kind.RECALLED), "Bob(10002): (taken back)"),
        (
            with_content(Content(text="yes", quote=Quote(Seq(1), ANN, "no?"))),
            "Bob(10002): 「no?」 yes",
        ),
        (
            with_content(Content(media=Media("b", "cat.png")), Kind.IMAGE),
            "Bob(10002): [image] cat.png",
        ),
        (with_content(Content(text="[sticker]"), 42), "Bob(10002): [kind 42] [sticker]"),
    ],
)
def test_show_message_when_of_a_kind_then_a_line(entry: Entry, expected: str, names: Names) -> None:
    assert shown(entry, names) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (recall(2, target=1), "* Bob(10002) took back a message"),
        (
            notice(Kind.FRIEND_REQUESTED, user_ids=(ANN,), note="hello"),
            "* Bob(10002) asks to be a friend: hello  (/accept 10002 or /decline 10002)",
        ),
        (
            notice(Kind.FRIEND_REQUESTED, sender=ANN, user_ids=(BOB,)),
            "* You asked Bob(10002) to be a friend",
        ),
        (notice(Kind.FRIEND_ADDED, user_ids=(ANN,)), "* You and Bob(10002) are friends now"),
        (
            notice(Kind.FRIEND_ADDED, sender=ANN, user_ids=(BOB,)),
            "* You and Bob(10002) are friends now",
        ),
        (
            notice(Kind.MEMBER_JOINED, conversation=GROUP, user_ids=(EVE,)),
            "* 10003 joined Gang(20001)",
        ),
        (
            notice(Kind.MEMBER_INVITED, user_ids=(ANN,), group_id=GroupId(5), name="Five"),
            "* Bob(10002) invites you into Five(5)  (/join 5 or /refuse 5)",
        ),
        (
            notice(Kind.JOIN_DECLINED, user_ids=(ANN,), group_id=GroupId(5), name="Five"),
            "* Bob(10002) declined: Five(5)",
        ),
        (
            notice(
                Kind.JOIN_DECLINED, sender=ANN, user_ids=(BOB,), group_id=GroupId(5), name="Five"
            ),
            "* You refused to join Five(5)",
        ),
        (
            notice(Kind.CARD_CHANGED, conversation=GROUP, name="Bobby"),
            "* Bob(10002) is called Bobby in Gang(20001)",
        ),
    ],
)
def test_show_change_when_of_a_kind_then_a_line(entry: Entry, expected: str, names: Names) -> None:
    assert shown(entry, names) == expected


@pytest.mark.parametrize(
    "entry",
    [
        notice(Kind.FRIEND_ADDED, conversation=ANN_BOB, user_ids=(ANN,)),
        notice(Kind.MEMBER_JOINED, conversation=GROUP, user_ids=(ANN,)),
        notice(Kind.ROLE_CHANGED, user_ids=(ANN,), group_id=GroupId(GROUP)),
        notice(199, conversation=GROUP),
    ],
)
def test_show_change_when_told_elsewhere_or_unknown_then_nothing(
    entry: Entry, names: Names
) -> None:
    assert shown(entry, names) is None


@pytest.mark.parametrize("kind", [one for one in Kind if one >= Kind.RECALL])
def test_show_change_when_known_to_the_model_then_it_has_words(kind: Kind, names: Names) -> None:
    conversation = GROUP if Kind.GROUP_CREATED <= kind < Kind.FRIEND_REQUESTED else OWN
    if kind is Kind.RECALL:
        conversation = ANN_BOB
    assert shown(notice(kind, conversation=conversation, user_ids=(EVE,)), names)


def test_show_summary_when_unread_then_says_how_many(names: Names) -> None:
    def summary(conversation: ConversationId, unread: int) -> Summary:
        far, zero = Seq(9), Seq(0)
        return Summary(conversation, far, Seq(1), far, unread, zero, zero)

    assert view.show_summary(summary(ANN_BOB, 3), names) == "  Bob(10002)  3 new"
    assert view.show_summary(summary(OWN, 0), names) == "  notes to yourself"
    assert view.show_summary(summary(GROUP, 0), names) == "  Gang(20001)"


def test_show_invitation_when_open_then_who_invites_into_what(names: Names) -> None:
    invitation = Invitation(GroupId(5), "Five", 3, BOB, "Bob", 7)
    expected = "  Five(5)  3 members, invited by Bob(10002)"
    assert view.show_invitation(invitation, names) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"is_friend": True, "online": True}, "online"),
        ({"is_friend": True, "is_blocked": True}, "offline, blocked"),
        ({"request_received_at_ms": 1, "note": "hi"}, "asks to be a friend hi"),
        ({"request_sent_at_ms": 1}, "asked by you"),
    ],
)
def test_show_contact_when_of_a_kind_then_a_line(
    fields: dict[str, Any], expected: str, names: Names
) -> None:
    assert view.show_contact(Contact(BOB, "Bob", **fields), names) == f"  Bob(10002)  {expected}"


def test_show_group_and_member_when_listed_then_with_the_role(names: Names) -> None:
    group = GroupInfo(GroupId(5), "Five", JoinPolicy.OPEN, members=3, role=Role.OWNER)
    assert view.show_group(group, names) == "  Five(5)  3 members  owner"
    assert view.show_member(Member(BOB, "Bob", "", Role.ADMIN, 0), names) == "  Bob(10002)  admin"
    assert view.show_member(Member(BOB, "Bob", "B", Role.MEMBER, 0), names) == "  B(10002)"
