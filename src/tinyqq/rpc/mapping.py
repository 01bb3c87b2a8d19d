"""Between our records and the messages of node.proto.

Total both ways: whatever a port can hand over comes back equal on the other node. Requests, replies
and hints travel as the bodies that ``wire/packets.py`` makes.
"""

from __future__ import annotations

from typing import Any, Final

from tinyqq._pb import client_pb2 as client
from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import TinyQQError
from tinyqq.model.account import Caller, DeviceKind, KickReason
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, SessionId, UserId
from tinyqq.model.message import Sent
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.services import Answer, Login, Send
from tinyqq.wire.packets import (
    HINT_TYPES,
    PacketType,
    decode_error,
    decode_push,
    decode_reply,
    encode,
    encode_error,
)

SEEN: Final = 0x3F00
"""The call of ``UserApi.seen``: between nodes only, no packet has this number."""


# ---- deliveries ----------------------------------------------------------------------------------


def add_push(deliveries: pb.Deliveries, push: Push) -> None:
    """Put a push behind the others."""
    conversation_id, seq, sender_id, kind, body, before, after, joined, gone, origin = push
    message = deliveries.pushes.add(
        conversation_id=conversation_id,
        seq=seq,
        sender_id=sender_id,
        kind=kind,
        body=body,
        origin=origin,
    )
    # Most are of two people: to hand over what is empty takes as long as all the rest.
    if before or after or joined or gone:
        message.members_before = before
        message.members_seq = after
        message.joined.extend(joined)
        message.gone.extend(gone)


def push_from(message: pb.Push) -> Push:
    """The push that a peer sent."""
    joined, gone = message.joined, message.gone
    # Made without naming the types of the numbers: that is a call for each of them.
    return Push._make(
        (
            message.conversation_id,
            message.seq,
            message.sender_id,
            message.kind,
            message.body,
            message.members_before,
            message.members_seq,
            tuple(joined) if joined else (),
            tuple(gone) if gone else (),
            message.origin,
        )
    )


def add_hint(deliveries: pb.Deliveries, hint: Hint) -> None:
    """Put a hint behind the others."""
    deliveries.hints.add(
        user_ids=hint.user_ids,
        type=HINT_TYPES[type(hint.record)],
        body=encode(hint.record),
        origin=hint.origin,
    )


def hint_from(message: pb.Hint) -> Hint:
    """The hint that a peer sent.

    Raises:
        ProtocolError: MALFORMED.
    """
    user_ids = tuple(map(UserId, message.user_ids))
    return Hint(user_ids, decode_push(message.type, message.body), SessionId(message.origin))


def add_kick(deliveries: pb.Deliveries, kick: Kick) -> None:
    """Put an order to end sessions behind the others."""
    deliveries.kicks.add(
        user_id=kick.user_id,
        reason=kick.reason.value,
        only=None if kick.only is None else pb.DeviceIds(device_ids=kick.only),
        kind=None if kick.kind is None else kick.kind.value,
        keep=kick.keep,
        by_device=kick.by_device,
    )


def kick_from(message: pb.Kick) -> Kick:
    """The order that a peer sent. A reason or kind of a later version becomes UNSPECIFIED."""
    only = None
    if message.HasField("only"):
        only = tuple(map(DeviceId, message.only.device_ids))
    return Kick(
        UserId(message.user_id),
        _REASONS.get(message.reason, KickReason.UNSPECIFIED),
        only,
        _KINDS.get(message.kind, DeviceKind.UNSPECIFIED) if message.HasField("kind") else None,
        SessionId(message.keep),
        message.by_device,
    )


_REASONS: Final[dict[int, KickReason]] = {one.value: one for one in KickReason}
_KINDS: Final[dict[int, DeviceKind]] = {one.value: one for one in DeviceKind}


# ---- callers and sends ---------------------------------------------------------------------------


def caller_to(caller: Caller) -> pb.Caller:
    """Who asks."""
    return pb.Caller(
        user_id=caller.user_id,
        device_id=caller.device_id,
        session_id=caller.session_id,
        is_bot=caller.is_bot,
        language=caller.language,
    )


def caller_from(message: pb.Caller) -> Caller:
    """Who asks, as the peer has authenticated them."""
    return Caller(
        UserId(message.user_id),
        DeviceId(message.device_id),
        SessionId(message.session_id),
        message.is_bot,
        message.language,
    )


def add_send(sends: pb.Sends, number: int, send: Send) -> None:
    """Put a send behind the others, under its number on the stream."""
    caller = send.caller
    message = sends.sends.add(
        id=number,
        conversation_id=send.conversation_id,
        client_message_id=send.client_message_id,
        kind=send.kind,
        content=send.content,
        flight=send.flight,
    )
    message.caller.user_id = caller.user_id
    message.caller.device_id = caller.device_id
    message.caller.session_id = caller.session_id
    message.caller.is_bot = caller.is_bot
    message.caller.language = caller.language


def send_from(message: pb.Send, answer: Answer) -> Send:
    """The send that a peer handed over; *answer* gets its outcome."""
    return Send(
        caller_from(message.caller),
        ConversationId(message.conversation_id),
        OperationId(message.client_message_id),
        message.kind,
        message.content,
        answer,
        message.flight,
        may_leave=False,
    )


def add_answer(answers: pb.Answers, number: int, outcome: Sent | TinyQQError) -> None:
    """Put the outcome of a send behind the others."""
    if isinstance(outcome, Sent):
        answers.answers.add(
            id=number, seq=outcome.seq, ordinal=outcome.ordinal, sent_at_ms=outcome.sent_at_ms
        )
    else:
        answers.answers.add(id=number, error=encode_error(outcome))


def outcome_from(message: pb.Answer) -> Sent | TinyQQError:
    """What became of a send.

    Raises:
        ProtocolError: MALFORMED.
    """
    if message.error:
        return decode_error(message.error)
    return Sent(Seq(message.seq), message.ordinal, message.sent_at_ms)


# ---- calls ---------------------------------------------------------------------------------------


def login_to(login: Login) -> pb.CallReply:
    """A successful log-in."""
    return pb.CallReply(
        body=encode(login.answer),
        caller=caller_to(login.caller),
        device_kind=client.DeviceKind.ValueType(login.device_kind),
        device_name=login.device_name,
    )


def login_from(reply: pb.CallReply) -> Login:
    """A successful log-in on another node.

    Raises:
        ProtocolError: MALFORMED.
    """
    answer: Any = decode_reply(PacketType.LOG_IN, reply.body)
    kind = _KINDS.get(reply.device_kind, DeviceKind.UNSPECIFIED)
    return Login(answer, caller_from(reply.caller), kind, reply.device_name)
