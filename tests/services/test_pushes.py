"""Pushes of entries that were found in the log: whom they bring in and take out."""

from __future__ import annotations

import pytest
from tests.support.lane_fixtures import ANN, ANN_BOB, BOB, GROUP, operation_id

from tinyqq.model.ids import ConversationId, Seq, SessionId, UserId, own_conversation
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.ports.delivery import Push
from tinyqq.services.pushes import push_again, push_of
from tinyqq.wire.content import encode_notice
from tinyqq.wire.packets import decode_entry


def entry(kind: int = Kind.TEXT, conversation_id: ConversationId = GROUP) -> Entry:
    body = encode_notice(Notice(user_ids=(BOB,))) if kind != Kind.TEXT else b""
    return Entry(conversation_id, Seq(7), 3, ANN, operation_id(), 1, kind, body)


def members(push: Push) -> tuple[int, int]:
    return push.members_before, push.members_seq


def test_push_of_when_made_then_all_is_in_it() -> None:
    made = entry()
    push = push_of(made, Seq(4), Seq(5), ((ANN,), (BOB,)), SessionId(9))
    assert push[:4] == (GROUP, 7, ANN, Kind.TEXT)
    assert decode_entry(push.body) == made
    assert push[5:] == (4, 5, (ANN,), (BOB,), 9)


@pytest.mark.parametrize("conversation_id", [GROUP, ANN_BOB])
def test_push_again_when_a_message_then_against_what_is_known(
    conversation_id: ConversationId,
) -> None:
    push = push_again(entry(conversation_id=conversation_id), Seq(5), SessionId(9))
    assert (members(push), push.joined, push.gone, push.origin) == ((5, 5), (), (), 9)


@pytest.mark.parametrize(
    ("kind", "joined", "gone"),
    [
        (Kind.GROUP_CREATED, (ANN,), ()),
        (Kind.MEMBER_JOINED, (BOB,), ()),
        (Kind.MEMBER_LEFT, (), (BOB,)),
        (Kind.MEMBER_REMOVED, (), (BOB,)),
    ],
)
def test_push_again_when_it_changes_members_then_says_whom_and_the_index_is_read_anew(
    kind: Kind, joined: tuple[UserId, ...], gone: tuple[UserId, ...]
) -> None:
    push = push_again(entry(kind), Seq(0))
    assert (push.joined, push.gone, members(push)) == (joined, gone, (7, 7))


def test_push_again_when_members_changed_once_more_then_not_older_than_that() -> None:
    assert members(push_again(entry(Kind.MEMBER_JOINED), Seq(9))) == (9, 9)


def test_push_again_when_it_tells_somebody_of_a_group_then_it_changes_nothing_itself() -> None:
    push = push_again(entry(Kind.MEMBER_JOINED, own_conversation(BOB)), Seq(0))
    assert (push.joined, members(push)) == ((), (0, 0))
