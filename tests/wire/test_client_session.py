from __future__ import annotations

from typing import Any

import pytest
from tests.support.wire import code_of, frame, parse

from tinyqq._pb import client_pb2 as pb
from tinyqq.errors import ErrorCode, Forbidden, Unavailable
from tinyqq.model.account import KickReason
from tinyqq.model.connection import Done, Heartbeat, Hello, Kicked, Pulse, Welcome
from tinyqq.wire import packets
from tinyqq.wire.client_session import (
    ClientSession,
    Event,
    Failed,
    MissedPushes,
    Pushed,
    Reply,
)
from tinyqq.wire.packets import REPLY_BIT, PacketType

WELCOME = Welcome(1, (), "server/1", "unit-1", 1000, 100, 3, 90_000, 20_000, 500, 0)
KICKED = frame(PacketType.KICKED, 0, Kicked(KickReason.REPLACED, "phone"))
BUSY = Unavailable(ErrorCode.BUSY, retry_after_s=1)


@pytest.fixture
def session() -> ClientSession:
    """A client that was welcomed at second 0."""
    session = ClientSession(agent="test/1", language="zh", now_s=0)
    session.receive(reply(PacketType.HELLO, 1, WELCOME), now_s=0)
    session.take_output()
    return session


def reply(packet_type: PacketType, request_id: int, record: object) -> bytes:
    return frame(packet_type | REPLY_BIT, request_id, record)


def failure(events: list[Event]) -> ErrorCode:
    [event] = events
    assert isinstance(event, Failed)
    return code_of(event.error)


def test_session_when_new_then_says_hello() -> None:
    session = ClientSession(agent="test/1", language="zh", now_s=0)
    [(packet_type, request_id, body)] = parse(session.take_output())
    hello: Hello = packets.decode_request(packet_type, body)
    assert (packet_type, request_id) == (PacketType.HELLO, 1)
    assert hello == Hello(1, 1, ("pull-mode", "resume"), "test/1", "zh")


def test_welcome_when_it_comes_then_kept() -> None:
    session = ClientSession(agent="test/1", now_s=0)
    events = session.receive(reply(PacketType.HELLO, 1, WELCOME), now_s=0)
    assert events == [Reply(1, WELCOME)]
    assert (session.welcome, session.in_flight) == (WELCOME, 0)


def test_request_when_answered_then_its_reply(session: ClientSession) -> None:
    request_id = session.request(PacketType.LOG_OUT, b"")
    assert session.in_flight == 1
    events = session.receive(reply(PacketType.LOG_OUT, request_id, Done()), now_s=1)
    assert events == [Reply(request_id, Done())]
    assert session.in_flight == 0


def test_requests_when_answered_in_another_order_then_by_their_ids(session: ClientSession) -> None:
    first = session.request(PacketType.LOG_OUT, b"")
    second = session.request(PacketType.RECALL, b"")
    data = reply(PacketType.RECALL, second, Done()) + reply(PacketType.LOG_OUT, first, Done())
    events = session.receive(data, now_s=1)
    assert events == [Reply(second, Done()), Reply(first, Done())]


def test_request_when_refused_then_the_error_is_its_outcome(session: ClientSession) -> None:
    request_id = session.request(PacketType.SEND, b"")
    [event] = session.receive(packets.error_frame(request_id, BUSY), now_s=1)
    assert isinstance(event, Reply)
    assert isinstance(event.outcome, Unavailable)
    assert event.outcome.retry_after_s == 1
    assert (session.in_flight, session.closed) == (0, False)


def test_request_ids_when_used_up_then_from_1_again_without_those_in_flight() -> None:
    session = ClientSession(agent="test/1", now_s=0)
    session._last_request_id = 2**32 - 2
    ids = [session.request(PacketType.SYNC, b"") for _ in range(3)]
    assert ids == [2**32 - 1, 2, 3]  # 1 is Hello, still in flight


def test_notify_when_one_way_then_request_id_0(session: ClientSession) -> None:
    session.notify(PacketType.MARK, b"")
    assert [one[:2] for one in parse(session.take_output())] == [(PacketType.MARK, 0)]
    assert session.in_flight == 0


def test_notify_when_an_answer_is_needed_then_refused(session: ClientSession) -> None:
    with pytest.raises(ValueError, match="SEND"):
        session.notify(PacketType.SEND, b"")


def test_take_frames_when_several_then_one_piece_each(session: ClientSession) -> None:
    session.notify(PacketType.MARK, b"")
    session.notify(PacketType.TYPING, b"")
    assert session.take_frames() == [frame(PacketType.MARK, 0), frame(PacketType.TYPING, 0)]
    assert session.take_frames() == []


# ---- what breaks the connection, and what does not -----------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (reply(PacketType.LOG_OUT, 99, Done()), ErrorCode.BAD_REQUEST_ID),
        (packets.error_frame(99, BUSY), ErrorCode.BAD_REQUEST_ID),
        (frame(PacketType.SEND, 1), ErrorCode.UNKNOWN_TYPE),
        (frame(0xFFFF, 1), ErrorCode.BAD_REQUEST_ID),
        (frame(PacketType.KICKED, 0, b"\x08"), ErrorCode.MALFORMED),
        (frame(PacketType.ERROR, 0, b"\x08"), ErrorCode.MALFORMED),
        (b"\xff" * 10, ErrorCode.FRAME_TOO_LARGE),
        (packets.error_frame(0, Forbidden(ErrorCode.BLOCKED)), ErrorCode.BLOCKED),
    ],
)
def test_receive_when_the_server_breaks_a_rule_then_failed(
    session: ClientSession, data: bytes, code: ErrorCode
) -> None:
    assert failure(session.receive(data + KICKED, now_s=1)) is code
    assert session.closed
    assert session.receive(KICKED, now_s=1) == []


def test_reply_when_of_another_type_then_failed(session: ClientSession) -> None:
    request_id = session.request(PacketType.LOG_OUT, b"")
    events = session.receive(reply(PacketType.RECALL, request_id, Done()), now_s=1)
    assert failure(events) is ErrorCode.BAD_REQUEST_ID


def test_receive_when_broken_in_the_middle_then_what_came_before_counts(
    session: ClientSession,
) -> None:
    events = session.receive(KICKED + b"\xff" * 10, now_s=1)
    assert [type(event) for event in events] == [Pushed, Failed]


def test_receive_message_when_not_one_packet_then_failed(session: ClientSession) -> None:
    assert failure(session.receive_message(KICKED + KICKED, now_s=1)) is ErrorCode.MALFORMED


def test_receive_message_when_one_packet_then_its_event(session: ClientSession) -> None:
    [event] = session.receive_message(KICKED, now_s=1)
    assert event == Pushed(PacketType.KICKED, Kicked(KickReason.REPLACED, "phone"))


def test_push_when_only_newer_clients_know_it_then_counted_alone(session: ClientSession) -> None:
    assert session.receive(frame(0x7FFF, 0, b"\xff"), now_s=1) == []
    assert (session.pushes, session.closed) == (1, False)


def test_push_when_it_has_a_value_of_the_future_then_unspecified(session: ClientSession) -> None:
    unknown: Any = 99
    body = pb.Kicked(reason=unknown).SerializeToString()
    [event] = session.receive(frame(PacketType.KICKED, 0, body), now_s=1)
    assert event == Pushed(PacketType.KICKED, Kicked(KickReason.UNSPECIFIED))


# ---- heartbeats ----------------------------------------------------------------------------------


def beat(session: ClientSession, now_s: float) -> list[int]:
    """Ids of the heartbeats that are sent at *now_s*."""
    assert session.check_time(now_s) == []
    frames = parse(session.take_output())
    assert all(one.type == PacketType.HEARTBEAT for one in frames)
    return [one.request_id for one in frames]


def pulse(request_id: int, pushes: int) -> bytes:
    return reply(PacketType.HEARTBEAT, request_id, Pulse(pushes, 0))


def test_check_time_when_a_third_of_the_idle_time_has_passed_then_heartbeat(
    session: ClientSession,
) -> None:
    assert beat(session, 29.9) == []
    assert beat(session, 30.0) == [2]
    assert beat(session, 30.1) == []


def test_check_time_when_the_limit_is_absurd_then_once_a_second(session: ClientSession) -> None:
    session.welcome = Welcome(1, (), "", "", 1, 1, 1, 0, 0, 0, 0)
    assert beat(session, 0.9) == []
    assert beat(session, 1.0) == [2]


def test_check_time_when_the_server_is_silent_then_failed(session: ClientSession) -> None:
    beat(session, 30)
    assert session.check_time(31.9) == []
    assert failure(session.check_time(32)) is ErrorCode.IDLE_TIMEOUT
    assert session.check_time(90) == []


def test_check_time_when_something_was_heard_since_the_heartbeat_then_no_failure(
    session: ClientSession,
) -> None:
    beat(session, 30)
    session.receive(KICKED, now_s=31)
    assert session.check_time(59.9) == []


def test_check_time_when_the_server_answers_then_goes_on(session: ClientSession) -> None:
    for turn in range(1, 5):
        [request_id] = beat(session, 30 * turn)
        assert session.receive(pulse(request_id, 0), now_s=30 * turn + 1) == []
    assert session.in_flight == 0


def test_check_time_when_the_machine_has_slept_then_heartbeat_first(session: ClientSession) -> None:
    assert beat(session, 5_000) == [2]
    assert beat(session, 5_001) == []
    assert failure(session.check_time(5_002)) is ErrorCode.IDLE_TIMEOUT


def test_check_time_when_not_welcomed_yet_then_nothing() -> None:
    session = ClientSession(agent="test/1", now_s=0)
    session.take_output()
    assert beat(session, 1_000) == []


@pytest.mark.parametrize(
    ("counted", "expected"), [(0, []), (1, []), (3, [MissedPushes(2)])], ids=str
)
def test_pulse_when_it_counts_more_pushes_than_came_then_told_once(
    session: ClientSession, counted: int, expected: list[Event]
) -> None:
    session.receive(KICKED, now_s=1)
    [first] = beat(session, 30)
    assert session.receive(pulse(first, counted), now_s=31) == expected
    [second] = beat(session, 60)
    assert session.receive(pulse(second, counted), now_s=61) == []


def test_heartbeat_when_sent_then_its_body_is_empty() -> None:
    assert packets.encode(Heartbeat()) == b""


@pytest.mark.parametrize("refused", [False, True])
def test_heartbeat_when_unanswered_then_takes_no_place_in_flight(
    session: ClientSession, refused: bool
) -> None:
    session.request(PacketType.SYNC, b"")
    session.take_output()
    [request_id] = beat(session, 30)
    assert session.in_flight == 1
    answer = packets.error_frame(request_id, BUSY) if refused else pulse(request_id, 0)
    session.receive(answer, now_s=31)
    assert session.in_flight == 1
