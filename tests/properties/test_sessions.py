"""Whatever bytes come, a session answers by its contract and never raises."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.support.wire import CALLER, HELLO, NOW_MS, Peer, Sent, frame, open_session

from tinyqq.errors import ErrorCode, Forbidden, ProtocolError, Unavailable
from tinyqq.model.account import KickReason
from tinyqq.model.connection import GoAway, Kicked, Limits, Pulse, Welcome
from tinyqq.wire import packets
from tinyqq.wire.client_session import ClientSession, Failed
from tinyqq.wire.framing import Frame
from tinyqq.wire.packets import ONE_WAY, PacketType
from tinyqq.wire.session import State

LIMITS = Limits(max_in_flight=4, max_frame_bytes=200)
PACKET_TYPES = st.sampled_from([int(one) for one in PacketType] + [0, 0x3FFF, 0x7FFF, 0xFFFF])
PACKETS = st.builds(
    frame, PACKET_TYPES, st.integers(0, 5), st.binary(max_size=20) | st.just(b"x" * 300)
)
STREAMS = st.lists(PACKETS | st.binary(max_size=30) | st.just(HELLO), max_size=6).map(b"".join)
PUSH = packets.push_frame(PacketType.KICKED, Kicked(KickReason.REVOKED))


class ServerMachine(RuleBasedStateMachine):
    """A gateway that does everything it may do, against a client that sends anything."""

    def __init__(self) -> None:
        super().__init__()
        self.peer = Peer(LIMITS)
        self.session = self.peer.session
        self.due: list[Frame] = []
        self.sent: list[Sent] = []
        self.pushes = 0
        self.state = State.HELLO

    def take(self, frames: list[Frame]) -> None:
        for one in frames:
            assert one.request_id or one.type in ONE_WAY
        self.due += frames

    @rule(data=STREAMS)
    def receive(self, data: bytes) -> None:
        self.take(self.peer.receive(data))

    @rule(kind=st.sampled_from([PacketType.SEND, PacketType.MARK, PacketType.HEARTBEAT]))
    def ask(self, kind: PacketType) -> None:
        self.take(self.peer.receive(frame(kind, 9)))

    @precondition(lambda self: self.session.state is State.HELLO)
    @rule()
    def greet(self) -> None:
        self.take(self.peer.receive(HELLO))

    @precondition(lambda self: self.session.state is State.LOG_IN)
    @rule()
    def ask_to_log_in(self) -> None:
        self.take(self.peer.receive(frame(PacketType.LOG_IN, 2)))

    @precondition(lambda self: self.session.is_authenticating)
    @rule(succeeds=st.booleans())
    def answer_log_in(self, succeeds: bool) -> None:
        request = self.due.pop()
        self.session.reply(request.type, request.request_id, b"")
        caller = CALLER if succeeds else None
        self.take(self.session.log_in_finished(caller, now_ms=NOW_MS))

    @precondition(lambda self: self.due and not self.session.is_authenticating)
    @rule(error=st.sampled_from([None, Forbidden(ErrorCode.BLOCKED), ErrorCode.MALFORMED]))
    def answer(self, error: Any) -> None:
        request = self.due.pop(0)
        if error is None:
            self.session.reply(request.type, request.request_id, b"")
        elif isinstance(error, Forbidden):
            self.session.reply_error(request.request_id, error)
        else:
            self.session.reply_error(request.request_id, ProtocolError(error))

    @rule()
    def push(self) -> None:
        self.pushes += self.session.state is not State.CLOSED
        self.session.push(PUSH)

    @precondition(lambda self: self.session.state >= State.OPEN)
    @rule()
    def drain(self) -> None:
        self.pushes += self.session.state is not State.CLOSED
        self.session.drain(packets.push_frame(PacketType.GO_AWAY, GoAway(7003, 1)))

    @rule(seconds=st.sampled_from([1.0, 25.0, 100.0]))
    def pass_time(self, seconds: float) -> None:
        self.peer.pass_time(seconds)

    @rule()
    def fail(self) -> None:
        self.session.fail(Unavailable(ErrorCode.BUSY))

    @invariant()
    def output_is_whole_and_ends_with_the_last_word(self) -> None:
        self.sent += self.peer.sent()
        last_words = [one for one in self.sent if one[:2] == (PacketType.ERROR, 0)]
        assert last_words in ([], self.sent[-1:])
        assert bool(last_words) == (self.session.state is State.CLOSED)

    @invariant()
    def in_flight_is_what_is_due(self) -> None:
        assert self.session.in_flight == sum(one.request_id > 0 for one in self.due)
        assert self.session.in_flight <= LIMITS.max_in_flight

    @invariant()
    def state_only_moves_forward(self) -> None:
        assert self.session.state >= self.state
        self.state = self.session.state

    @invariant()
    def pushes_are_counted(self) -> None:
        assert self.session.pushes == self.pushes
        pulses = [record for _, _, record in self.sent if isinstance(record, Pulse)]
        assert pulses == sorted(pulses, key=lambda pulse: pulse.pushes)


TestServerMachine = ServerMachine.TestCase
TestServerMachine.settings = settings(max_examples=100, stateful_step_count=30)


def run_server(stream: bytes, cuts: list[int]) -> tuple[list[Frame], list[Sent], State]:
    """What an open session makes of a stream in these pieces."""
    peer = open_session(LIMITS)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    requests: list[Frame] = []
    for start, end in pairwise(places):
        requests += peer.receive(stream[start:end])
    return requests, [(*one[:2], str(one[2])) for one in peer.sent()], peer.session.state


@given(STREAMS, st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=200)
def test_server_when_the_stream_is_cut_anywhere_then_the_same(
    stream: bytes, cuts: list[int]
) -> None:
    assert run_server(stream, cuts) == run_server(stream, [])


@given(st.lists(STREAMS, max_size=5))
@settings(max_examples=200)
def test_client_when_any_bytes_come_then_events_and_failed_is_the_last(
    chunks: list[bytes],
) -> None:
    session = ClientSession(agent="test/1", now_s=0)
    session.welcome = Welcome(1, (), "", "", 1, 1, 1, 1, 1, 1, 0)
    events = [event for data in chunks for event in session.receive(data, now_s=1)]
    failed = [event for event in events if isinstance(event, Failed)]
    assert failed in ([], events[-1:])
    assert session.closed == bool(failed)
    session.check_time(9)


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_sessions_when_messages_are_noise_then_they_never_raise(message: bytes) -> None:
    peer = open_session(LIMITS)
    peer.session.receive_message(message, now_s=0, now_ms=0)
    peer.sent()
    ClientSession(agent="test/1", now_s=0).receive_message(message, now_s=1)
