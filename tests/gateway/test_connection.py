"""One connection over a carrier without sockets."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.connections import PLAIN_HELLO, SMALL, Bench, FakeCarrier
from tests.support.wire import HELLO, frame

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable
from tinyqq.gateway.connection import Connection
from tinyqq.model.account import DeviceKind, KickReason, LogIn
from tinyqq.model.connection import GoAway, HeadHint, Heartbeat, Kicked, Pulse
from tinyqq.model.ids import ConversationId, DeviceId, Seq, UserId
from tinyqq.model.message import Typing
from tinyqq.model.sync import Position
from tinyqq.wire.packets import PacketType, push_frame
from tinyqq.wire.session import State

ANN = UserId(10_001)
ONE = ConversationId(10_001 << 32 | 10_002)
TWO = ConversationId(10_001 << 32 | 10_003)
PUSH = push_frame(PacketType.TYPING_NOTICE, Typing(ONE))
LARGE = PUSH * 100
LIST = frame(PacketType.LIST_DEVICES, 3)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def codes(packets: list[tuple[int, int, Any]]) -> list[ErrorCode]:
    return [record.code for _, _, record in packets if isinstance(record, TinyQQError)]


def clog(connection: Connection, carrier: FakeCarrier) -> None:
    """Let the carrier be full."""
    carrier.buffered = 2_000
    connection.writing_paused()


def unclog(connection: Connection, carrier: FakeCarrier) -> None:
    carrier.buffered = 0
    connection.writing_resumed()


# ---- in ------------------------------------------------------------------------------------------


def test_received_when_requests_come_then_the_desk_gets_them_in_order(bench: Bench) -> None:
    connection, _ = bench.open(ANN)
    connection.received(LIST + frame(PacketType.LIST_GROUPS, 4))
    assert [one.request_id for one in bench.desk.requests] == [3, 4]


@settings(max_examples=50)
@given(st.lists(st.integers(1, 60), max_size=20))
def test_received_when_bytes_come_in_any_pieces_then_the_same_requests(cuts: list[int]) -> None:
    bench = Bench()
    connection, _ = bench.open(ANN)
    data = b"".join(frame(PacketType.GET_OVERVIEW, number) for number in range(1, 20))
    for cut in cuts:
        connection.received(data[:cut])
        data = data[cut:]
    connection.received(data)
    assert [one.request_id for one in bench.desk.requests] == list(range(1, 20))


def test_received_message_when_it_is_a_frame_then_the_desk_gets_it(bench: Bench) -> None:
    connection, _ = bench.open(ANN)
    connection.received_message(LIST)
    assert len(bench.desk.requests) == 1


def test_received_when_a_rule_is_broken_then_said_and_closed(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.received(frame(PacketType.DELIVER, 3))
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.UNKNOWN_TYPE]
    assert carrier.is_closed


@pytest.mark.parametrize("receive", ["received", "received_message"])
def test_received_when_closed_then_ignored(bench: Bench, receive: str) -> None:
    connection, _ = bench.open(ANN)
    connection.end()
    getattr(connection, receive)(LIST)
    assert not bench.desk.requests


def test_received_when_a_log_in_is_being_checked_then_nothing_more_is_read(bench: Bench) -> None:
    connection, carrier = bench.connect()
    log_in = LogIn(ANN, "", DeviceId(bytes(16)), DeviceKind.CLI)
    connection.received(HELLO + frame(PacketType.LOG_IN, 2, log_in))
    assert not carrier.is_reading
    connection.admit(connection.session.log_in_finished(None, now_ms=0))
    assert carrier.is_reading


# ---- out -----------------------------------------------------------------------------------------


def test_push_when_several_in_one_tick_then_one_write(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    for seq in range(5):
        connection.push(ONE, Seq(seq), PUSH)
    connection.received(frame(PacketType.HEARTBEAT, 9, Heartbeat()))
    bench.tick()
    assert len(carrier.writes) == 1
    assert len(carrier.packets()) == 6
    assert bench.counts.writes == 2  # hello and log-in, then this


def test_push_when_the_session_is_not_open_then_nothing(bench: Bench) -> None:
    connection, carrier = bench.connect()
    connection.push(ONE, Seq(1), PUSH)
    connection.hint(PUSH)
    connection.miss(ONE, Seq(1))
    bench.tick()
    assert not carrier.writes
    assert connection.missed is None


def test_push_when_too_much_waits_then_dropped_and_told_as_head(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.push(ONE, Seq(1), LARGE)
    connection.push(ONE, Seq(2), PUSH)
    connection.push(TWO, Seq(7), PUSH)
    bench.tick()
    carrier.packets()
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    [(packet_type, _, hint)] = carrier.packets()
    assert packet_type == PacketType.HEAD_HINT
    assert hint == HeadHint((Position(ONE, Seq(2)), Position(TWO, Seq(7))))
    assert bench.counts.dropped_pushes == 2
    assert bench.counts.pull_modes == 1


def test_push_when_a_conversation_was_missed_then_only_its_pushes_stay_away(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.miss(ONE, Seq(1))
    connection.push(ONE, Seq(2), PUSH)
    connection.push(TWO, Seq(1), PUSH)
    bench.tick()
    assert len(carrier.packets()) == 1


def test_push_when_dropped_then_not_counted_in_the_pulse(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.push(TWO, Seq(1), PUSH)
    connection.miss(ONE, Seq(1))
    connection.received(frame(PacketType.HEARTBEAT, 9, Heartbeat()))
    bench.tick()
    assert isinstance(pulse := carrier.packets()[-1][2], Pulse)
    assert pulse.pushes == 1


def test_miss_when_the_client_knows_no_pull_mode_then_closed(bench: Bench) -> None:
    connection, carrier = bench.open(ANN, hello=PLAIN_HELLO)
    connection.miss(ONE, Seq(1))
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.BUSY]
    assert carrier.is_closed


def test_miss_when_too_many_conversations_then_closed(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    for number in range(SMALL.max_missed_conversations + 1):
        connection.miss(ConversationId(20_000 + number), Seq(1))
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.BUSY]


def test_hint_when_too_much_waits_then_dropped(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.hint(PUSH)
    clog(connection, carrier)
    connection.hint(PUSH)
    bench.tick()
    assert len(carrier.packets()) == 1
    assert bench.counts.dropped_pushes == 1


def test_reply_error_when_the_client_is_slow_then_not_dropped(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.received(LIST)
    clog(connection, carrier)
    connection.reply_error(3, Forbidden(ErrorCode.FORBIDDEN))
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.FORBIDDEN]


def test_end_when_there_is_a_last_word_then_written_and_closed(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    kicked = push_frame(PacketType.KICKED, Kicked(KickReason.REVOKED))
    connection.end(kicked)
    connection.end(kicked)
    bench.tick()
    assert [one[0] for one in carrier.packets()] == [PacketType.KICKED]
    assert carrier.is_closed


def test_drain_when_open_then_told_and_still_answered(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.drain(push_frame(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0)))
    connection.received(LIST)
    bench.tick()
    assert [one[0] for one in carrier.packets()] == [PacketType.GO_AWAY]
    assert bench.desk.requests
    assert not carrier.is_closed


def test_drain_when_closed_then_nothing(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.end()
    connection.drain(PUSH)
    bench.tick()
    assert not carrier.writes


# ---- a client that does not read -----------------------------------------------------------------


def test_writing_paused_when_it_is_then_nothing_is_read_until_there_is_room(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    clog(connection, carrier)
    was_reading = carrier.is_reading
    unclog(connection, carrier)
    assert (was_reading, carrier.is_reading) == (False, True)
    assert bench.desk.rooms == 1


def test_sweep_when_it_is_clogged_then_heads_wait(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    clog(connection, carrier)
    connection.push(ONE, Seq(1), PUSH)
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    assert not carrier.writes
    unclog(connection, carrier)
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    assert [one[0] for one in carrier.packets()] == [PacketType.HEAD_HINT]


def test_sweep_when_nothing_is_taken_for_long_then_cut_off(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    clog(connection, carrier)
    bench.clock.advance(SMALL.stuck_timeout_s + 1)
    connection.sweep(bench.clock.monotonic())
    assert carrier.is_aborted
    assert connection.session.state is State.CLOSED
    assert bench.counts.stuck == 1


def test_sweep_when_a_little_is_taken_then_waits_on(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    clog(connection, carrier)
    for _ in range(5):
        bench.clock.advance(SMALL.stuck_timeout_s - 1)
        carrier.buffered -= 1
        connection.sweep(bench.clock.monotonic())
    assert not carrier.is_aborted


def test_sweep_when_the_client_could_not_be_heard_then_its_silence_does_not_count(
    bench: Bench,
) -> None:
    connection, carrier = bench.open(ANN)
    clog(connection, carrier)
    bench.clock.advance(SMALL.limits.idle_timeout_s + 1)
    unclog(connection, carrier)
    connection.sweep(bench.clock.monotonic())
    assert connection.session.state is State.OPEN


# ---- time ----------------------------------------------------------------------------------------


def test_sweep_when_nobody_logs_in_then_closed(bench: Bench) -> None:
    connection, carrier = bench.connect()
    bench.clock.advance(SMALL.limits.log_in_timeout_s + 1)
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.LOG_IN_TIMEOUT]
    assert carrier.is_closed


def test_sweep_when_the_client_is_silent_then_closed(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    bench.clock.advance(SMALL.limits.idle_timeout_s + 1)
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    assert codes(carrier.packets()) == [ErrorCode.IDLE_TIMEOUT]


def test_sweep_when_a_closed_client_stays_then_cut_off(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.end()
    bench.tick()
    connection.sweep(bench.clock.monotonic())
    assert not carrier.is_aborted
    bench.clock.advance(SMALL.close_timeout_s + 1)
    connection.sweep(bench.clock.monotonic())
    assert carrier.is_aborted


# ---- the end -------------------------------------------------------------------------------------


def test_lost_when_the_carrier_is_gone_then_told_once_and_nothing_is_written(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.push(ONE, Seq(1), PUSH)
    connection.lost()
    connection.lost()
    connection.push(ONE, Seq(2), PUSH)
    connection.fail(Unavailable(ErrorCode.BUSY))
    bench.tick()
    assert bench.lost == [connection]
    assert not carrier.writes


def test_sweep_when_lost_then_nothing(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.lost()
    bench.clock.advance(1_000)
    connection.sweep(bench.clock.monotonic())
    bench.tick()
    assert not carrier.writes
    assert not carrier.is_aborted


def test_writing_resumed_when_lost_then_nothing_begins(bench: Bench) -> None:
    connection, _ = bench.open(ANN)
    connection.lost()
    connection.writing_resumed()
    assert not bench.desk.rooms


def test_abort_when_asked_then_at_once(bench: Bench) -> None:
    connection, carrier = bench.open(ANN)
    connection.abort()
    assert carrier.is_aborted
