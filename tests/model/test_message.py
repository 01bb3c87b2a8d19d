from __future__ import annotations

from collections.abc import Iterable

import pytest

from tinyqq.model.ids import (
    ConversationId,
    Seq,
    UserId,
    direct_conversation,
    own_conversation,
)
from tinyqq.model.message import (
    FIRST_NOTICE_KIND,
    LAST_CLIENT_KIND,
    MEMBERSHIP_KINDS,
    Entry,
    Kind,
    hidden,
    is_countable,
    is_headline,
    is_visible,
)

ANN, BOB = UserId(10_001), UserId(10_002)


@pytest.mark.parametrize("kind", [Kind.TEXT, 40, LAST_CLIENT_KIND, Kind.RECALLED, 99])
def test_is_countable_when_a_message_then_counted(kind: int) -> None:
    assert is_countable(kind)


@pytest.mark.parametrize("kind", [Kind.HIDDEN, FIRST_NOTICE_KIND, Kind.MEMBER_JOINED, 1000])
def test_is_countable_when_a_notice_or_hidden_then_not(kind: int) -> None:
    assert not is_countable(kind)


@pytest.mark.parametrize("kind", Kind)
def test_is_visible_when_of_the_sender_then_all_but_the_door(kind: Kind) -> None:
    at_the_door = kind in {Kind.JOIN_REQUESTED, Kind.JOIN_DECLINED, Kind.MEMBER_INVITED}
    assert is_visible(kind, ANN, ANN) is not at_the_door


@pytest.mark.parametrize(
    "kind", [Kind.FRIEND_REMOVED, Kind.BLOCKED, Kind.UNBLOCKED, Kind.REQUEST_DECLINED]
)
def test_is_visible_when_private_to_the_sender_then_not_to_others(kind: Kind) -> None:
    assert not is_visible(kind, ANN, BOB)


@pytest.mark.parametrize("kind", [Kind.TEXT, 63, Kind.RECALL, Kind.MEMBER_JOINED, 9999])
def test_is_visible_when_ordinary_or_unknown_then_to_everybody(kind: int) -> None:
    assert is_visible(kind, ANN, BOB)


GROUP, ANN_BOB = ConversationId(20_001), direct_conversation(ANN, BOB)
ANN_OWN = own_conversation(ANN)


def _shown(kinds: Iterable[int], conversation_id: ConversationId, viewer_id: UserId) -> list[int]:
    """Of which kinds an entry by Ann is a headline."""
    by_ann = hidden(conversation_id, Seq(1), Seq(1))._replace(sender_id=ANN)
    return [kind for kind in kinds if is_headline(by_ann._replace(kind=kind), viewer_id)]


def test_is_headline_when_in_a_group_then_messages_and_what_became_of_it() -> None:
    wanted = [Kind.TEXT, 42, Kind.RECALLED, 99, *range(Kind.GROUP_CREATED, Kind.JOIN_REQUESTED)]
    kinds = [Kind.HIDDEN, *wanted, Kind.RECALL, Kind.JOIN_REQUESTED, Kind.MEMBER_INVITED, 240]
    assert _shown(kinds, GROUP, BOB) == wanted


def test_is_headline_when_of_a_friendship_then_its_beginning_and_to_who_ended_it_its_end() -> None:
    kinds = range(Kind.FRIEND_REQUESTED, Kind.UNBLOCKED + 1)
    assert _shown(kinds, ANN_BOB, ANN) == [Kind.FRIEND_ADDED, Kind.FRIEND_REMOVED]
    assert _shown(kinds, ANN_BOB, BOB) == [Kind.FRIEND_ADDED]


def test_is_headline_when_in_the_own_conversation_then_messages_only() -> None:
    assert _shown(Kind, ANN_OWN, ANN) == [one for one in Kind if is_countable(one)]


def test_hidden_when_made_then_spans_the_stretch_and_says_nothing() -> None:
    entry = hidden(ConversationId(10_000), Seq(4), Seq(9))
    assert (entry.seq, entry.through_seq, entry.kind) == (4, 9, Kind.HIDDEN)
    assert (entry.sender_id, entry.client_message_id, entry.body) == (0, b"", b"")


def test_entry_when_unpacked_then_columns_in_the_order_of_the_table() -> None:
    assert Entry._fields[:8] == (
        "conversation_id",
        "seq",
        "ordinal",
        "sender_id",
        "client_message_id",
        "sent_at_ms",
        "kind",
        "body",
    )


def test_kinds_when_listed_then_no_number_is_used_twice() -> None:
    assert len(Kind.__members__) == len(Kind)
    assert min(MEMBERSHIP_KINDS) >= FIRST_NOTICE_KIND
