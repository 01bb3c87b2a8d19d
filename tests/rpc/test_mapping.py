"""Everything that crosses between nodes comes back equal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.records import records

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model.account import Caller, DeviceKind, KickReason, LoggedIn, ProfileChanged
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.message import CursorMoved, Sent, Typing
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.services import Login, Send
from tinyqq.rpc import mapping
from tinyqq.wire.packets import PacketType

_number = st.integers(0, 2**63 - 1)
_user_ids = st.lists(_number, max_size=4).map(tuple)
_device_id = st.binary(min_size=16, max_size=16)
_pushes = st.builds(
    Push, _number, _number, _number, st.integers(0, 2**32 - 1), st.binary(max_size=50), _number,
    _number, _user_ids, _user_ids, _number,
)  # fmt: skip
_hint_records = (PresenceChanged, ProfileChanged, CursorMoved, Typing)
_hints = st.builds(Hint, _user_ids, st.one_of(*map(records, _hint_records)), _number)
_kicks = st.builds(
    Kick, _number, st.sampled_from(KickReason), st.none() | st.lists(_device_id).map(tuple),
    st.none() | st.sampled_from(DeviceKind), _number, st.text(max_size=9),
)  # fmt: skip
_callers = st.builds(Caller, _number, _device_id, _number, st.booleans(), st.text(max_size=9))


def over_the_wire(deliveries: pb.Deliveries) -> pb.Deliveries:
    return pb.Deliveries.FromString(deliveries.SerializeToString())


@given(st.lists(_pushes, max_size=3), st.lists(_hints, max_size=3), st.lists(_kicks, max_size=3))
@settings(max_examples=60)
def test_deliveries_when_sent_then_they_come_back(
    pushes: list[Push], hints: list[Hint], kicks: list[Kick]
) -> None:
    batch = pb.Deliveries()
    for push in pushes:
        mapping.add_push(batch, push)
    for hint in hints:
        mapping.add_hint(batch, hint)
    for kick in kicks:
        mapping.add_kick(batch, kick)
    got = over_the_wire(batch)
    assert [mapping.push_from(one) for one in got.pushes] == pushes
    assert [mapping.hint_from(one) for one in got.hints] == hints
    assert [mapping.kick_from(one) for one in got.kicks] == kicks


def test_kick_when_its_reason_is_of_a_later_version_then_unspecified() -> None:
    kick = mapping.kick_from(pb.Kick(user_id=1, reason=99, kind=99))  # type: ignore[arg-type]  # later
    assert (kick.reason, kick.kind) == (KickReason.UNSPECIFIED, DeviceKind.UNSPECIFIED)


@given(_callers)
@settings(max_examples=30)
def test_caller_when_sent_then_it_comes_back(caller: Caller) -> None:
    assert mapping.caller_from(mapping.caller_to(caller)) == caller


@given(_callers, _number, _device_id, st.integers(0, 9), st.binary(max_size=50))
@settings(max_examples=30)
def test_send_when_sent_then_it_comes_back(
    caller: Caller, conversation_id: int, key: bytes, small: int, content: bytes
) -> None:
    outcomes: list[Sent | TinyQQError] = []
    send = Send(caller, conversation_id, key, small, content, outcomes.append, small)  # type: ignore[arg-type]  # plain ids
    batch = pb.Sends()
    mapping.add_send(batch, 7, send)
    [message] = pb.Sends.FromString(batch.SerializeToString()).sends
    send.may_leave = False  # from here it goes nowhere
    assert (message.id, mapping.send_from(message, outcomes.append)) == (7, send)


@given(records(Sent))
@settings(max_examples=30)
def test_answer_when_sent_then_it_comes_back(sent: Sent) -> None:
    answers = pb.Answers()
    mapping.add_answer(answers, 3, sent)
    [message] = answers.answers
    assert (message.id, mapping.outcome_from(message)) == (3, sent)


@pytest.mark.parametrize("code", ErrorCode)
def test_answer_when_refused_then_the_refusal_comes_back(code: ErrorCode) -> None:
    answers = pb.Answers()
    mapping.add_answer(answers, 3, TinyQQError(code, retry_after_s=1.5, user_id=7))
    outcome = mapping.outcome_from(answers.answers[0])
    assert isinstance(outcome, TinyQQError)
    assert (outcome.code, outcome.retry_after_s, outcome.fields) == (code, 1.5, {"user_id": "7"})


@given(records(LoggedIn), _callers, st.sampled_from(DeviceKind), st.text(max_size=9))
@settings(max_examples=30)
def test_login_when_sent_then_it_comes_back(
    answer: LoggedIn, caller: Caller, kind: DeviceKind, name: str
) -> None:
    login = Login(answer, caller, kind, name)
    assert mapping.login_from(mapping.login_to(login)) == login


def test_seen_when_compared_with_packets_then_no_packet_has_its_number() -> None:
    assert mapping.SEEN not in set(PacketType)
