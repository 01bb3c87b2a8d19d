"""Flights: what may pass after a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.errors import ErrorCode, Forbidden, RateLimited, TinyQQError, Unavailable
from tinyqq.model.flights import MAX_BROKEN, Flights
from tinyqq.model.ids import ConversationId

ONE = ConversationId(1)
TWO = ConversationId(2)
BUSY = Unavailable(ErrorCode.BUSY)


def broken(flight: int, error: TinyQQError = BUSY) -> Flights[ConversationId]:
    flights = Flights[ConversationId]()
    flights.refused(ONE, flight, error)
    return flights


def passes(
    flights: Flights[ConversationId], flight: int, conversation_id: ConversationId = ONE
) -> bool:
    try:
        flights.check(conversation_id, flight)
    except Unavailable:
        return False
    return True


@pytest.mark.parametrize("error", [BUSY, RateLimited(ErrorCode.RATE_LIMITED)])
def test_check_when_an_earlier_send_may_be_repeated_then_refused(error: TinyQQError) -> None:
    with pytest.raises(Unavailable, match="FLIGHT_BROKEN"):
        broken(3, error).check(ONE, 3)


def test_check_when_the_flight_is_older_than_the_broken_one_then_refused() -> None:
    assert not passes(broken(3), 2)


def test_check_when_the_next_flight_begins_then_passes_and_goes_on() -> None:
    flights = broken(3)
    assert passes(flights, 4)
    assert passes(flights, 4)


def test_check_when_the_refusal_was_final_then_passes() -> None:
    assert passes(broken(3, Forbidden(ErrorCode.NOT_FRIENDS)), 3)


def test_check_when_it_is_another_conversation_then_passes() -> None:
    assert passes(broken(3), 3, TWO)


def test_check_when_the_client_does_not_count_flights_then_passes() -> None:
    assert passes(broken(0), 0)
    assert passes(broken(3), 0)


def test_refused_when_an_older_flight_is_refused_later_then_the_newer_stays_broken() -> None:
    flights = broken(5)
    flights.refused(ONE, 4, BUSY)
    assert not passes(flights, 5)


def test_refused_when_too_many_are_broken_then_the_oldest_is_forgotten() -> None:
    flights = broken(1)
    for number in range(2, MAX_BROKEN + 2):
        flights.refused(ConversationId(number), 1, BUSY)
    assert passes(flights, 1, ONE)
    assert not passes(flights, 1, TWO)


@settings(max_examples=100)
@given(st.lists(st.booleans(), max_size=40), st.data())
def test_check_when_the_client_repeats_in_order_then_no_send_overtakes_another(
    refusals: list[bool], data: st.DataObject
) -> None:
    """A client that pipelines, reads answers late and resends from the first refused on."""
    flights, accepted = Flights[ConversationId](), []
    todo, flight = list(range(10)), 1
    while todo:
        window = data.draw(st.integers(1, len(todo)))
        failed: list[int] = []
        for message in todo[:window]:
            if not passes(flights, flight):
                failed.append(message)
            elif refusals and refusals.pop():
                flights.refused(ONE, flight, BUSY)
                failed.append(message)
            else:
                accepted.append(message)
        flight += bool(failed)
        todo = failed + todo[window:]
    assert accepted == list(range(10))
