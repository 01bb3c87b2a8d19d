"""Numbering: seqs, ordinals, grants after each row, and the bounds of what is remembered."""

from __future__ import annotations

import pytest
from tests.support.lane_fixtures import (
    ANN,
    ANN_BOB,
    ANN_EVE,
    BOB,
    EVE,
    GROUP,
    befriend,
    make_group,
    operation_id,
)

from tinyqq.errors import ErrorCode, Forbidden, Unavailable
from tinyqq.model.conversation import STILL_IN, ConversationState, Plan, PutMember, Rule
from tinyqq.model.group import Role
from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.model.message import Kind, Notice
from tinyqq.ports.storage import Added
from tinyqq.services.numbering import MAX_ADDED, Draft, Numbering, Round
from tinyqq.wire.content import encode_notice
from tinyqq.wire.packets import decode_entry


def numbering(*states: ConversationState, now_s: float = 0.0) -> Numbering:
    numbers = Numbering(max_weight=100, max_recent=4)
    numbers.learn(states, now_s)
    return numbers


def friends() -> ConversationState:
    state = ConversationState(ANN_BOB, head_seq=Seq(5), head_ordinal=3)
    befriend(state, ANN, BOB)
    return state


def group() -> ConversationState:
    state = ConversationState(GROUP, head_seq=Seq(2), head_ordinal=0, members_seq=Seq(2))
    make_group(state, ANN, BOB)
    return state


def draft(
    conversation_id: ConversationId = ANN_BOB, sender_id: UserId = ANN, rule: Rule | None = None
) -> Draft:
    key = operation_id()
    return Draft(
        conversation_id, sender_id, key, lambda _: None, Kind.TEXT, b"", rule=rule
    )  # fmt: skip


def in_flight(flight: int, conversation_id: ConversationId = ANN_BOB) -> Draft:
    one = draft(conversation_id)
    one.flight = flight
    return one


def place(
    numbers: Numbering,
    *drafts: Draft,
    fresh: frozenset[ConversationId] = frozenset(),
    now_s: float = 0.0,
) -> Round:
    return numbers.place(drafts, fresh=fresh, now_s=now_s, now_ms=77)


def notice(state: ConversationState, now_ms: int) -> Plan:
    return Plan(Kind.GROUP_CHANGED, Notice(name="new"))


def join(user_id: UserId) -> Rule:
    def rule(state: ConversationState, now_ms: int) -> Plan:
        since = Seq(state.head_seq + 1)
        row = PutMember(user_id, since, STILL_IN, Role.MEMBER, "", now_ms)
        return Plan(Kind.MEMBER_JOINED, effects=(row,), lists=(user_id,))

    return rule


def leave(user_id: UserId) -> Rule:
    def rule(state: ConversationState, now_ms: int) -> Plan:
        row = PutMember(user_id, Seq(1), Seq(state.head_seq + 1), Role.MEMBER, "", 1)
        return Plan(Kind.MEMBER_LEFT, effects=(row,))

    return rule


def test_missing_when_unknown_then_named_once() -> None:
    assert numbering().missing([draft(), draft()], 0.0) == [ANN_BOB]


def test_missing_when_strangers_after_five_seconds_then_wanted_again() -> None:
    numbers = numbering(ConversationState(ANN_EVE))
    assert numbers.missing([draft(ANN_EVE)], 4.9) == []
    assert numbers.missing([draft(ANN_EVE)], 5.0) == [ANN_EVE]


def test_missing_when_friends_then_never_expires() -> None:
    assert numbering(friends()).missing([draft()], 1e9) == []


def test_place_then_seq_follows_head_and_notices_do_not_count() -> None:
    numbers = numbering(friends())
    placed = place(numbers, draft(), draft(rule=notice), draft()).placed
    assert [(one.entry.seq, one.entry.ordinal) for one in placed] == [(6, 4), (7, 4), (8, 5)]


def test_place_when_rule_then_kind_and_body_are_its_own() -> None:
    [placed] = place(numbering(friends()), draft(rule=notice)).placed
    assert placed.entry.kind == Kind.GROUP_CHANGED
    assert placed.entry.body == encode_notice(Notice(name="new"))


def test_place_when_refused_by_fresh_state_then_refused() -> None:
    numbers = numbering(ConversationState(ANN_EVE))
    result = place(numbers, draft(ANN_EVE), fresh=frozenset({ANN_EVE}))
    assert [error.code for _, error in result.refused] == [ErrorCode.USER_NOT_FOUND]


def test_place_when_refused_before_then_remembered_for_a_second() -> None:
    numbers = numbering(ConversationState(ANN_EVE))
    place(numbers, draft(ANN_EVE), fresh=frozenset({ANN_EVE}), now_s=1.0)
    assert place(numbers, draft(ANN_EVE), now_s=2.0).refused
    assert place(numbers, draft(ANN_EVE), now_s=2.1).deferred


def test_place_when_refused_by_cached_state_then_deferred_with_all_behind() -> None:
    numbers = numbering(group())
    first, second = draft(GROUP, EVE), draft(GROUP, ANN)
    assert place(numbers, first, second).deferred == [first, second]


def test_place_when_rule_has_a_bug_then_only_its_draft_fails() -> None:
    def broken(state: ConversationState, now_ms: int) -> Plan:
        raise ZeroDivisionError

    result = place(numbering(friends()), draft(rule=broken), draft())
    assert [error.code for _, error in result.refused] == [ErrorCode.INTERNAL]
    assert len(result.placed) == 1


@pytest.mark.parametrize("flight", [0, 2])
def test_place_when_its_flight_is_not_the_broken_one_then_placed(flight: int) -> None:
    numbers = numbering(friends())
    numbers.refused(in_flight(1), Unavailable(ErrorCode.INTERNAL))
    assert len(place(numbers, in_flight(flight), draft()).placed) == 2


def test_place_when_its_flight_is_broken_then_refused_at_once() -> None:
    numbers = numbering(friends(), group())
    numbers.refused(in_flight(1), Unavailable(ErrorCode.INTERNAL))
    result = place(numbers, in_flight(1), in_flight(1, GROUP))
    assert [error.code for _, error in result.refused] == [ErrorCode.FLIGHT_BROKEN]
    assert [one.entry.conversation_id for one in result.placed] == [GROUP]


def test_place_when_refused_for_good_then_the_rest_of_the_flight_goes_on() -> None:
    numbers = numbering(friends())
    numbers.refused(in_flight(1), Forbidden(ErrorCode.MENTION_ALL_DENIED))
    assert len(place(numbers, in_flight(1)).placed) == 1


def test_place_when_first_between_two_then_both_get_it_listed_once() -> None:
    result = place(numbering(friends()), draft(), draft())
    assert result.listings == [(ANN, ANN_BOB), (BOB, ANN_BOB)]


def test_committed_then_remembered_as_repeat() -> None:
    numbers = numbering(friends())
    one = draft()
    [placed] = place(numbers, one).placed
    numbers.committed(placed)
    assert place(numbers, one).repeats == [(one, placed.entry)]


def test_committed_when_message_then_push_is_the_entry() -> None:
    numbers = numbering(friends())
    [placed] = place(numbers, draft()).placed
    push = numbers.committed(placed)
    assert decode_entry(push.body) == placed.entry


def test_committed_when_members_change_then_push_says_who_and_since_when() -> None:
    numbers = numbering(group())
    placed = place(numbers, draft(GROUP, EVE, join(EVE)), draft(GROUP, BOB, leave(BOB))).placed
    joined, left = (numbers.committed(one) for one in placed)
    assert (joined.joined, joined.gone, joined.members_before, joined.members_seq) == (
        (EVE,), (), 2, 3,
    )  # fmt: skip
    assert (left.joined, left.gone, left.members_before, left.members_seq) == ((), (BOB,), 3, 4)


def test_place_after_a_leave_in_the_same_batch_then_refused() -> None:
    drafts = draft(GROUP, BOB, leave(BOB)), draft(GROUP, BOB)
    result = place(numbering(group()), *drafts, fresh=frozenset({GROUP}))
    assert isinstance(result.refused[0][1], Forbidden)


def test_trim_then_least_recently_used_states_go_first() -> None:
    numbers = Numbering(max_weight=2, max_recent=4)
    numbers.learn([friends(), ConversationState(ANN_EVE), ConversationState(GROUP)], 0.0)
    place(numbers, draft())
    numbers.trim()
    assert numbers.missing([draft(), draft(ANN_EVE), draft(GROUP)], 0.0) == [ANN_EVE]


def test_trim_then_old_outcomes_go() -> None:
    numbers = numbering(friends())
    drafts = [draft() for _ in range(6)]
    for placed in place(numbers, *drafts).placed:
        numbers.committed(placed)
    numbers.trim()
    assert [one for one, _ in place(numbers, *drafts).repeats] == drafts[2:]


def test_forget_then_missing() -> None:
    numbers = numbering(friends())
    numbers.forget([ANN_BOB])
    assert numbers.missing([draft()], 0.0) == [ANN_BOB]


def test_found_then_pushed_as_stored() -> None:
    numbers = numbering(friends())
    one = draft()
    [placed] = place(numbers, one).placed
    push = numbers.found(one, placed.entry)
    assert decode_entry(push.body) == placed.entry


def test_hear_when_the_next_message_then_the_head_follows() -> None:
    numbers = numbering(friends())
    numbers.hear(ANN_BOB, Seq(6), Kind.TEXT)
    [placed] = place(numbers, draft()).placed
    assert (placed.entry.seq, placed.entry.ordinal) == (7, 5)


def test_hear_when_not_ahead_or_unknown_then_nothing_changes() -> None:
    numbers = numbering(friends())
    numbers.hear(ANN_BOB, Seq(5), Kind.TEXT)
    numbers.hear(ANN_EVE, Seq(5), Kind.TEXT)
    assert (numbers.head(ANN_BOB), numbers.head(ANN_EVE)) == (5, None)


@pytest.mark.parametrize("seq", [6, 7])
def test_hear_when_a_notice_then_the_state_is_wanted_again(seq: int) -> None:
    numbers = numbering(friends())
    numbers.hear(ANN_BOB, Seq(seq), Kind.BLOCKED)
    assert numbers.missing([draft()], 0.0) == [ANN_BOB]


def test_hear_when_a_gap_then_only_what_lies_between_is_wanted() -> None:
    numbers = numbering(friends())
    numbers.hear(ANN_BOB, Seq(7), Kind.TEXT)
    assert (numbers.missing([draft()], 0.0), numbers.behind([draft()])) == ([], {ANN_BOB: 5})


def test_hear_when_the_gap_is_closed_then_nothing_is_wanted() -> None:
    numbers = numbering(friends())
    for seq in (8, 6, 7):
        numbers.hear(ANN_BOB, Seq(seq), Kind.TEXT)
    assert numbers.behind([draft()]) == {ANN_BOB: 7}
    numbers.hear(ANN_BOB, Seq(8), Kind.TEXT)
    assert (numbers.behind([draft()]), numbers.head(ANN_BOB)) == ({}, 8)


def test_behind_when_of_other_conversations_then_not_named() -> None:
    numbers = numbering(friends(), group())
    numbers.doubt(GROUP)
    assert numbers.behind([draft()]) == {}
    assert numbers.behind([draft(), draft(GROUP)]) == {GROUP: 2}


def test_take_back_then_heads_are_what_they_were_and_in_doubt() -> None:
    numbers = numbering(friends(), group())
    placed = place(numbers, draft(), draft(rule=notice), draft(GROUP), draft()).placed
    numbers.take_back(placed)
    assert numbers.behind([draft(), draft(GROUP)]) == {ANN_BOB: 5, GROUP: 2}
    again = place(numbers, draft(), draft(GROUP)).placed
    assert [(one.entry.seq, one.entry.ordinal) for one in again] == [(6, 4), (3, 1)]


def test_take_back_when_members_had_changed_then_the_state_is_wanted_again() -> None:
    numbers = numbering(group())
    numbers.take_back(place(numbers, draft(GROUP), draft(GROUP, EVE, join(EVE))).placed)
    assert numbers.missing([draft(GROUP)], 0.0) == [GROUP]


def test_catch_up_when_messages_then_the_head_follows() -> None:
    numbers = numbering(friends())
    numbers.doubt(ANN_BOB)
    read = [Added(ANN_BOB, Seq(6), Kind.TEXT), Added(ANN_BOB, Seq(7), Kind.IMAGE)]
    numbers.catch_up(numbers.behind([draft()]), read)
    assert (numbers.behind([draft()]), numbers.missing([draft()], 0.0)) == ({}, [])
    [placed] = place(numbers, draft()).placed
    assert (placed.entry.seq, placed.entry.ordinal) == (8, 6)


def test_catch_up_when_there_is_nothing_then_no_longer_in_doubt() -> None:
    numbers = numbering(friends())
    numbers.doubt(ANN_BOB)
    numbers.catch_up(numbers.behind([draft()]), [])
    assert (numbers.behind([draft()]), numbers.head(ANN_BOB)) == ({}, 5)


def test_catch_up_when_members_have_changed_then_the_state_is_wanted_again() -> None:
    numbers = numbering(group())
    numbers.doubt(GROUP)
    read = [
        Added(GROUP, Seq(3), Kind.TEXT),
        Added(GROUP, Seq(4), Kind.MEMBER_REMOVED),
        Added(GROUP, Seq(5), Kind.TEXT),
    ]
    numbers.catch_up(numbers.behind([draft(GROUP)]), read)
    assert numbers.missing([draft(GROUP)], 0.0) == [GROUP]


def test_catch_up_when_there_is_much_then_the_state_is_wanted_again() -> None:
    numbers = numbering(group())
    numbers.doubt(GROUP)
    read = [Added(GROUP, Seq(3 + number), Kind.TEXT) for number in range(MAX_ADDED)]
    numbers.catch_up(numbers.behind([draft(GROUP)]), read)
    assert numbers.missing([draft(GROUP)], 0.0) == [GROUP]
