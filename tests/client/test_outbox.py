"""The outbox: order, repeats, flights."""

from __future__ import annotations

import pytest
from tests.support.entries import ANN_BOB, GROUP

from tinyqq.client.outbox import Outbox, Outgoing
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId, OperationId


def outgoing(number: int, conversation: ConversationId = ANN_BOB) -> Outgoing:
    return Outgoing(conversation, OperationId(number.to_bytes(16, "big")), 1, b"")


def filled(*numbers: int) -> Outbox:
    outbox = Outbox()
    for number in numbers:
        outbox.add(outgoing(number))
    return outbox


def departures(outbox: Outbox) -> list[tuple[int, int]]:
    """All that may go now, as (number, flight)."""
    found = []
    while (departure := outbox.next()) is not None:
        number = int.from_bytes(departure.outgoing.client_message_id, "big")
        found.append((number, departure.flight))
    return found


def test_next_when_filled_then_in_order_and_once() -> None:
    outbox = filled(1, 2, 3)
    assert departures(outbox) == [(1, 1), (2, 1), (3, 1)]
    assert departures(outbox) == []


def test_next_when_several_conversations_then_they_take_turns() -> None:
    outbox = filled(1, 2)
    outbox.add(outgoing(3, GROUP))
    assert [number for number, _ in departures(outbox)] == [1, 3, 2]


def test_next_when_acknowledged_meanwhile_then_left_out() -> None:
    outbox = filled(1, 2)
    outbox.acknowledge(outgoing(1).client_message_id)
    assert departures(outbox) == [(2, 1)]


def test_acknowledge_when_unknown_then_none() -> None:
    outbox = filled(1)
    assert outbox.acknowledge(outgoing(1).client_message_id) == outgoing(1)
    assert outbox.acknowledge(outgoing(1).client_message_id) is None
    assert len(outbox) == 0


def test_add_when_full_then_refused() -> None:
    outbox = Outbox(max_messages=1)
    outbox.add(outgoing(1))
    with pytest.raises(Unavailable) as caught:
        outbox.add(outgoing(2))
    assert caught.value.code is ErrorCode.BUSY


def test_outbox_when_left_over_from_before_then_sent_in_order() -> None:
    assert departures(Outbox([outgoing(2), outgoing(1)])) == [(2, 1), (1, 1)]


def test_refuse_for_now_when_first_of_its_flight_then_all_go_again_in_the_next() -> None:
    outbox = filled(1, 2, 3)
    departures(outbox)
    outbox.acknowledge(outgoing(1).client_message_id)
    assert outbox.refuse_for_now(outgoing(2).client_message_id, 1)
    assert not outbox.refuse_for_now(outgoing(3).client_message_id, 1)
    outbox.add(outgoing(4))
    assert departures(outbox) == []
    outbox.go_on(ANN_BOB)
    assert departures(outbox) == [(2, 2), (3, 2), (4, 2)]


def test_refuse_for_now_when_acknowledged_before_then_says_nothing() -> None:
    outbox = filled(1)
    outbox.acknowledge(outgoing(1).client_message_id)
    assert not outbox.refuse_for_now(outgoing(1).client_message_id, 1)


def test_refuse_for_now_when_one_conversation_pauses_then_others_go_on() -> None:
    outbox = filled(1)
    departures(outbox)
    outbox.refuse_for_now(outgoing(1).client_message_id, 1)
    outbox.add(outgoing(2, GROUP))
    assert departures(outbox) == [(2, 1)]


def test_go_on_when_not_paused_then_nothing_is_repeated() -> None:
    outbox = filled(1)
    departures(outbox)
    outbox.go_on(ANN_BOB)
    assert departures(outbox) == []


def test_start_over_when_connected_again_then_everything_unacknowledged_goes_again() -> None:
    outbox = filled(1, 2)
    departures(outbox)
    outbox.refuse_for_now(outgoing(1).client_message_id, 1)
    outbox.start_over()
    assert departures(outbox) == [(1, 2), (2, 2)]
