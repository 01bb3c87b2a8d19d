from __future__ import annotations

import pytest
from tests.support.wire import CALLER, HELLO, NOW_MS, Peer, code_of, frame, open_session, parse

from tinyqq.errors import ErrorCode, Forbidden, ProtocolError, Unavailable
from tinyqq.model.account import KickReason
from tinyqq.model.connection import GoAway, Hello, Kicked, Limits, Pulse, Welcome
from tinyqq.wire import packets
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import PacketType
from tinyqq.wire.session import MAX_STRANGER_BYTES, State

LOG_IN = frame(PacketType.LOG_IN, 2)
SEND = frame(PacketType.SEND, 3)
HEARTBEAT = frame(PacketType.HEARTBEAT, 4)
MARK = frame(PacketType.MARK, 0)
KICKED = packets.push_frame(PacketType.KICKED, Kicked(KickReason.REPLACED))
GO_AWAY = packets.push_frame(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 100))


@pytest.fixture
def new() -> Peer:
    return Peer(Limits(max_in_flight=3, max_frame_bytes=1000))


@pytest.fixture
def greeted(new: Peer) -> Peer:
    new.receive(HELLO)
    new.sent()
    return new


@pytest.fixture
def opened() -> Peer:
    return open_session(Limits(max_in_flight=3, max_frame_bytes=1000))


# ---- hello ---------------------------------------------------------------------------------------


def test_hello_when_versions_overlap_then_welcome_tells_the_limits(new: Peer) -> None:
    assert new.receive(HELLO) == []
    [(packet_type, request_id, welcome)] = new.sent()
    assert (packet_type, request_id) == (0x8001, 1)
    assert isinstance(welcome, Welcome)
    assert (welcome.version, welcome.max_in_flight, welcome.max_frame_bytes) == (1, 3, 1000)
    assert (welcome.idle_timeout_ms, welcome.server_time_ms) == (90_000, NOW_MS)
    assert new.session.state is State.LOG_IN


def test_hello_when_capabilities_differ_then_the_common_ones(new: Peer) -> None:
    new.receive(frame(PacketType.HELLO, 1, Hello(1, 9, ("fly", "pull-mode"), "x", "zh-CN")))
    [(_, _, welcome)] = new.sent()
    assert isinstance(welcome, Welcome)
    assert welcome.capabilities == ("pull-mode",)
    assert new.session.capabilities == {"pull-mode"}
    assert new.session.language == "zh-CN"


@pytest.mark.parametrize(("lowest", "highest"), [(2, 3), (0, 0), (2, 0)])
def test_hello_when_versions_do_not_overlap_then_closed(
    new: Peer, lowest: int, highest: int
) -> None:
    new.receive(frame(PacketType.HELLO, 1, Hello(lowest, highest)))
    assert new.last_words() is ErrorCode.VERSION_UNSUPPORTED


@pytest.mark.parametrize("packet", [LOG_IN, SEND, HEARTBEAT, MARK, frame(0x3FFF, 1)])
def test_first_packet_when_not_hello_then_closed(new: Peer, packet: bytes) -> None:
    assert new.receive(packet) == []
    assert new.last_words() is ErrorCode.OUT_OF_ORDER


def test_hello_when_it_comes_twice_then_closed(greeted: Peer) -> None:
    greeted.receive(HELLO)
    assert greeted.last_words() is ErrorCode.OUT_OF_ORDER


def test_hello_when_without_request_id_then_closed(new: Peer) -> None:
    new.receive(frame(PacketType.HELLO, 0, Hello(1, 1)))
    assert new.last_words() is ErrorCode.BAD_REQUEST_ID


def test_hello_when_malformed_then_closed(new: Peer) -> None:
    new.receive(frame(PacketType.HELLO, 1, b"\x1a\xff"))
    assert new.last_words() is ErrorCode.MALFORMED


def test_hello_when_it_lists_too_much_then_refused(new: Peer) -> None:
    peer = Peer(Limits())
    peer.receive(frame(PacketType.HELLO, 1, b"\x1a\x00" * 10_001))
    [(packet_type, request_id, error)] = peer.sent()
    assert (packet_type, request_id) == (PacketType.ERROR, 1)
    assert code_of(error) is ErrorCode.INVALID_REQUEST
    assert peer.session.state is State.HELLO


# ---- log in --------------------------------------------------------------------------------------


def test_log_in_when_it_comes_then_handed_out_and_what_follows_waits(greeted: Peer) -> None:
    assert greeted.receive(LOG_IN + SEND + HEARTBEAT) == parse(LOG_IN)
    assert greeted.session.is_authenticating
    assert greeted.sent() == []


def test_log_in_when_it_succeeds_then_open_and_what_waited_goes_on(greeted: Peer) -> None:
    greeted.receive(LOG_IN + SEND + HEARTBEAT)
    assert greeted.finish_log_in(CALLER) == parse(SEND)
    assert [sent[0] for sent in greeted.sent()] == [0x8011, 0x8002]
    assert (greeted.session.state, greeted.session.caller) == (State.OPEN, CALLER)
    assert greeted.session.in_flight == 1


def test_log_in_when_it_fails_then_another_may_follow(greeted: Peer) -> None:
    greeted.receive(LOG_IN + LOG_IN + SEND)
    assert greeted.finish_log_in(None) == parse(LOG_IN)
    assert greeted.session.is_authenticating
    assert greeted.finish_log_in(CALLER) == parse(SEND)


def test_log_in_when_it_fails_then_what_waited_is_out_of_order(greeted: Peer) -> None:
    greeted.receive(LOG_IN + SEND)
    assert greeted.finish_log_in(None) == []
    assert greeted.last_words() is ErrorCode.OUT_OF_ORDER


def test_log_in_when_the_stream_breaks_behind_it_then_told_after_what_waited(
    greeted: Peer,
) -> None:
    assert greeted.receive(LOG_IN + SEND + b"\xff" * 10) == parse(LOG_IN)
    assert greeted.session.state is State.LOG_IN
    assert greeted.finish_log_in(CALLER) == parse(SEND)
    assert greeted.last_words() is ErrorCode.FRAME_TOO_LARGE


def test_log_in_when_too_much_waits_behind_it_then_closed(greeted: Peer) -> None:
    greeted.receive(LOG_IN + MARK * 3)
    assert greeted.session.state is State.LOG_IN
    greeted.receive(MARK)
    assert greeted.last_words() is ErrorCode.TOO_MANY_IN_FLIGHT
    assert greeted.finish_log_in(CALLER) == []
    assert greeted.session.caller is None


def test_log_in_when_it_takes_too_long_then_not_opened(greeted: Peer) -> None:
    greeted.receive(LOG_IN + SEND)
    greeted.pass_time(20.1)
    assert greeted.last_words() is ErrorCode.LOG_IN_TIMEOUT
    assert greeted.finish_log_in(CALLER) == []
    assert (greeted.session.state, greeted.session.caller) == (State.CLOSED, None)


def test_heartbeat_when_before_log_in_then_answered(greeted: Peer) -> None:
    greeted.receive(HEARTBEAT)
    assert greeted.sent() == [(0x8002, 4, Pulse(0, NOW_MS))]


@pytest.mark.parametrize("packet", [SEND, MARK, frame(PacketType.LIST_CONTACTS, 9)])
def test_request_when_before_log_in_then_closed(greeted: Peer, packet: bytes) -> None:
    assert greeted.receive(packet) == []
    assert greeted.last_words() is ErrorCode.OUT_OF_ORDER


@pytest.mark.parametrize("packet_type", sorted(packets.BEFORE_LOG_IN))
def test_log_in_when_open_then_closed(opened: Peer, packet_type: PacketType) -> None:
    opened.receive(frame(packet_type, 9))
    assert opened.last_words() is ErrorCode.OUT_OF_ORDER


@pytest.mark.parametrize(("size_bytes", "fits"), [(MAX_STRANGER_BYTES, True), (70_000, False)])
def test_receive_when_before_log_in_then_bodies_are_smaller(size_bytes: int, fits: bool) -> None:
    stranger, member = Peer(Limits()), open_session(Limits())
    header = frame(PacketType.HELLO, 1, bytes(size_bytes))[:10]
    stranger.receive(header)
    member.receive(header)
    assert member.session.state is State.OPEN
    assert (stranger.session.state is State.HELLO) is fits


# ---- requests ------------------------------------------------------------------------------------


def test_requests_when_pipelined_then_handed_out_in_order(opened: Peer) -> None:
    assert opened.receive(SEND + MARK + frame(PacketType.SYNC, 8)) == [
        Frame(PacketType.SEND, 3, b""),
        Frame(PacketType.MARK, 0, b""),
        Frame(PacketType.SYNC, 8, b""),
    ]
    assert opened.session.in_flight == 2


def test_reply_when_given_then_written_and_its_place_is_free(opened: Peer) -> None:
    opened.receive(SEND)
    opened.session.reply(PacketType.SEND, 3, packets.encode_sent(1, 1, 1))
    assert [sent[:2] for sent in opened.sent()] == [(0x8060, 3)]
    assert opened.session.in_flight == 0


def test_reply_when_the_request_was_one_way_then_nothing_is_written(opened: Peer) -> None:
    opened.receive(MARK)
    opened.session.reply(PacketType.MARK, 0, b"")
    opened.session.reply_error(0, Forbidden(ErrorCode.NOT_A_MEMBER))
    assert (opened.sent(), opened.session.in_flight) == ([], 0)


def test_mark_when_it_has_a_request_id_then_it_counts_and_is_answered(opened: Peer) -> None:
    opened.receive(frame(PacketType.MARK, 5))
    assert opened.session.in_flight == 1
    opened.session.reply(PacketType.MARK, 5, b"")
    assert [sent[:2] for sent in opened.sent()] == [(0x8063, 5)]


def test_reply_error_when_given_then_the_session_goes_on(opened: Peer) -> None:
    opened.receive(SEND)
    opened.session.reply_error(3, Unavailable(ErrorCode.BUSY, retry_after_s=1))
    [(packet_type, request_id, error)] = opened.sent()
    assert (packet_type, request_id, code_of(error)) == (PacketType.ERROR, 3, ErrorCode.BUSY)
    assert (opened.session.in_flight, opened.session.state) == (0, State.OPEN)


@pytest.mark.parametrize(("request_id", "answers"), [(3, [3, 0]), (0, [0])])
def test_reply_error_when_a_rule_was_broken_then_told_and_closed(
    opened: Peer, request_id: int, answers: list[int]
) -> None:
    opened.receive(frame(PacketType.MARK, request_id))
    opened.session.reply_error(request_id, ProtocolError(ErrorCode.MALFORMED))
    assert [sent[1] for sent in opened.sent()] == answers
    assert opened.session.state is State.CLOSED


@pytest.mark.parametrize("packet_type", [PacketType.SEND, PacketType.SYNC])
def test_requests_when_more_than_allowed_in_flight_then_closed(
    opened: Peer, packet_type: PacketType
) -> None:
    admitted = opened.receive(b"".join(frame(packet_type, number) for number in range(1, 6)))
    assert [one.request_id for one in admitted] == [1, 2, 3]
    assert opened.last_words() is ErrorCode.TOO_MANY_IN_FLIGHT


def test_requests_when_of_a_newer_client_then_refused_and_the_session_goes_on(
    opened: Peer,
) -> None:
    assert opened.receive(frame(0x3FFF, 5) + frame(0x3FFF, 0) + SEND) == parse(SEND)
    [(packet_type, request_id, error)] = opened.sent()
    assert (packet_type, request_id) == (PacketType.ERROR, 5)
    assert code_of(error) is ErrorCode.UNKNOWN_OPERATION
    assert opened.session.in_flight == 1


@pytest.mark.parametrize("packet_type", [0x4000, PacketType.DELIVER, 0x8000, 0x8060, 0xFFFF])
def test_packet_when_only_servers_send_it_then_closed(opened: Peer, packet_type: int) -> None:
    opened.receive(frame(packet_type, 1))
    assert opened.last_words() is ErrorCode.UNKNOWN_TYPE


@pytest.mark.parametrize("packet_type", [PacketType.SEND, PacketType.SYNC, PacketType.HEARTBEAT])
def test_request_when_it_needs_an_answer_but_has_no_id_then_closed(
    opened: Peer, packet_type: PacketType
) -> None:
    opened.receive(frame(packet_type, 0))
    assert opened.last_words() is ErrorCode.BAD_REQUEST_ID


def test_receive_when_a_rule_is_broken_then_requests_before_it_still_count(opened: Peer) -> None:
    assert opened.receive(SEND + frame(0x4000, 1) + SEND) == parse(SEND)
    assert opened.last_words() is ErrorCode.UNKNOWN_TYPE


def test_receive_when_closed_then_nothing(opened: Peer) -> None:
    opened.session.close()
    assert opened.receive(SEND + HEARTBEAT) == []
    assert opened.sent() == []


def test_receive_message_when_one_packet_then_handed_out(opened: Peer) -> None:
    assert opened.session.receive_message(SEND, now_s=0, now_ms=0) == parse(SEND)


def test_receive_message_when_two_packets_then_closed(opened: Peer) -> None:
    assert opened.session.receive_message(SEND + SEND, now_s=0, now_ms=0) == []
    assert opened.last_words() is ErrorCode.MALFORMED


# ---- pushes and closing --------------------------------------------------------------------------


def test_heartbeat_when_pushes_were_put_on_then_their_count(opened: Peer) -> None:
    opened.session.push(KICKED)
    opened.session.push(KICKED)
    opened.receive(HEARTBEAT)
    assert opened.sent()[-1] == (0x8002, 4, Pulse(2, NOW_MS))


def test_output_when_collected_then_measured_in_bytes(opened: Peer) -> None:
    opened.session.push(KICKED)
    assert opened.session.output_bytes == len(KICKED)
    assert opened.session.take_output() == [KICKED]
    assert (opened.session.output_bytes, opened.session.take_output()) == (0, [])


def test_close_when_with_a_last_push_then_that_is_the_last(opened: Peer) -> None:
    opened.session.close(KICKED)
    opened.session.push(KICKED)
    opened.session.reply(PacketType.SEND, 3, b"")
    opened.session.fail(ProtocolError(ErrorCode.MALFORMED))
    assert opened.session.take_output() == [KICKED]


def test_drain_when_open_then_told_and_requests_are_still_served(opened: Peer) -> None:
    opened.session.drain(GO_AWAY)
    assert opened.session.state is State.DRAINING
    assert opened.receive(SEND + HEARTBEAT) == parse(SEND)
    assert [sent[0] for sent in opened.sent()] == [PacketType.GO_AWAY, 0x8002]


def test_drain_when_not_yet_logged_in_then_told_and_log_in_goes_on(greeted: Peer) -> None:
    greeted.session.drain(GO_AWAY)
    assert greeted.session.state is State.LOG_IN
    assert [sent[0] for sent in greeted.sent()] == [PacketType.GO_AWAY]


# ---- time ----------------------------------------------------------------------------------------


def test_check_time_when_never_logged_in_then_closed(new: Peer) -> None:
    new.pass_time(20.0)
    assert new.session.state is State.HELLO
    new.pass_time(0.1)
    assert new.last_words() is ErrorCode.LOG_IN_TIMEOUT


def test_check_time_when_greeted_and_talking_then_log_in_is_still_due(greeted: Peer) -> None:
    greeted.pass_time(15)
    greeted.receive(HEARTBEAT)
    greeted.pass_time(5.1)
    assert greeted.last_words() is ErrorCode.LOG_IN_TIMEOUT


def test_check_time_when_silent_then_closed(opened: Peer) -> None:
    opened.pass_time(90.0)
    assert opened.session.state is State.OPEN
    opened.pass_time(0.1)
    assert opened.last_words() is ErrorCode.IDLE_TIMEOUT


def test_check_time_when_something_was_heard_then_counted_from_there(opened: Peer) -> None:
    opened.pass_time(80)
    opened.receive(HEARTBEAT)
    opened.pass_time(80)
    assert opened.session.state is State.OPEN
