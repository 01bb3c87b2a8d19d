"""Scripts for a server's session: what comes in, what goes out, where the session stands then."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import Message
from tests.conformance.samples import frame

from tinyqq._pb import client_pb2 as pb

AGENT: Final = "server/1"
UNIT_ID: Final = "unit-1"
TIME_MS: Final = 1_700_000_000_000
LIMITS: Final = {
    "max_frame_bytes": 200,
    "max_text_chars": 100,
    "max_in_flight": 3,
    "idle_timeout_ms": 90_000,
    "log_in_timeout_ms": 20_000,
    "max_page_entries": 500,
}

Step = dict[str, Any]


def packet(packet_type: int, request_id: int, body: bytes | Message = b"") -> bytes:
    """A packet with a body or the message of one."""
    return frame(
        packet_type, request_id, body if isinstance(body, bytes) else body.SerializeToString()
    )


def script(name: str, why: str, *steps: Step) -> Step:
    """One script."""
    return {
        "name": name,
        "description": why,
        "server": {"agent": AGENT, "unit_id": UNIT_ID, "time_ms": str(TIME_MS)},
        "limits": LIMITS,
        "steps": list(steps),
    }


def step(action: str, *, state: str, admitted: tuple[bytes, ...] = (), sent: tuple[Any, ...] = (),
         **values: Any) -> Step:  # fmt: skip
    """One step: ``sent`` holds packets, or (request id, code) of Errors."""
    return {
        "do": action,
        **values,
        "admitted": [one.hex() for one in admitted],
        "sent": [
            {"packet": one.hex()}
            if isinstance(one, bytes)
            else {"error": one[1], "request_id": one[0]}
            for one in sent
        ],
        "state": state,
    }


def receive(data: bytes, **expected: Any) -> Step:
    """The client sends bytes."""
    return step("receive", bytes=data.hex(), **expected)


def welcome(capabilities: tuple[str, ...] = ()) -> bytes:
    """The answer to HELLO."""
    return packet(
        0x8001,
        1,
        pb.Welcome(
            version=1,
            capabilities=capabilities,
            agent=AGENT,
            unit_id=UNIT_ID,
            server_time_ms=TIME_MS,
            **LIMITS,
        ),
    )


def pulse(request_id: int, pushes: int) -> bytes:
    """The answer to a heartbeat."""
    return packet(0x8002, request_id, pb.Pulse(pushes=pushes, server_time_ms=TIME_MS))


HELLO: Final = packet(0x0001, 1, pb.Hello(version_min=1, version_max=1, agent="client/1"))
LOG_IN: Final = packet(0x0011, 2)
RESUME: Final = packet(0x0012, 3)
SEND: Final = packet(0x0060, 4)
SYNC: Final = packet(0x0071, 5)
HEARTBEAT: Final = packet(0x0002, 6)
MARK: Final = packet(0x0063, 0)
DONE: Final = packet(0x8011, 2)
KICKED: Final = packet(0x4006, 0, pb.Kicked(reason=pb.KICK_REASON_REPLACED))
GO_AWAY: Final = packet(0x4005, 0, pb.GoAway(code=7003, after_ms=500))
TOO_LARGE: Final = packet(0x0060, 9, b"x" * 201)

GREETED: Final = receive(HELLO, sent=(welcome(),), state="LOG_IN")
ASKED: Final = receive(LOG_IN, admitted=(LOG_IN,), state="LOG_IN")
ANSWERED: Final = step("reply", type=0x0011, request_id=2, body="", sent=(DONE,), state="LOG_IN")
LOGGED_IN: Final = step("log_in_finished", success=True, state="OPEN")
OPEN: Final = (GREETED, ASKED, ANSWERED, LOGGED_IN)


def closes(data: bytes, code: str, **expected: Any) -> Step:
    """The client breaks a rule."""
    return receive(data, **{"sent": ((0, code),), **expected}, state="CLOSED")


def session_scripts() -> list[Step]:
    """Every script."""
    return [
        *hello_scripts(),
        *log_in_scripts(),
        *request_scripts(),
        *push_scripts(),
        *time_scripts(),
    ]


def hello_scripts() -> list[Step]:
    """Versions, capabilities, and what may come first."""
    offer = pb.Hello(version_min=1, version_max=7, capabilities=["fly", "resume", "pull-mode"])
    newer = packet(1, 1, pb.Hello(version_min=2, version_max=7))
    agreed = welcome(("pull-mode", "resume"))
    without_id = packet(1, 0, pb.Hello(version_min=1, version_max=1))
    return [
        script("hello", "Welcome tells version and limits.", GREETED),
        script(
            "capabilities",
            "Welcome names those that both have.",
            receive(packet(1, 1, offer), sent=(agreed,), state="LOG_IN"),
        ),
        script(
            "version", "No common version closes.", closes(newer, "VERSION_UNSUPPORTED")
        ),
        script("not hello first", "The first packet is HELLO.", closes(LOG_IN, "OUT_OF_ORDER")),
        script(
            "heartbeat first", "Not even a heartbeat.", closes(HEARTBEAT, "OUT_OF_ORDER")
        ),
        script("hello twice", "HELLO comes once.", GREETED, closes(HELLO, "OUT_OF_ORDER")),
        script("hello without id", "HELLO has an answer.", closes(without_id, "BAD_REQUEST_ID")),
        script(
            "malformed hello",
            "A body that is no message closes.",
            closes(packet(1, 1, b"\x1a\xff"), "MALFORMED"),
        ),
        script(
            "too large",
            "A header that announces too much closes at once.",
            closes(TOO_LARGE[:10], "FRAME_TOO_LARGE"),
            receive(HELLO, state="CLOSED"),
        ),
    ]  # fmt: skip


def log_in_scripts() -> list[Step]:
    """What waits while a log-in is checked."""
    failed = step("log_in_finished", success=False, state="LOG_IN")
    refused = step(
        "reply_error", request_id=2, code="BAD_CREDENTIALS",
        sent=((2, "BAD_CREDENTIALS"),), state="LOG_IN",
    )  # fmt: skip
    waits = receive(LOG_IN + SEND + HEARTBEAT, admitted=(LOG_IN,), state="LOG_IN")
    return [
        script("log in", "An admitted log-in opens the session.", *OPEN),
        script(
            "log in fails",
            "Another may follow on the same connection.",
            GREETED,
            ASKED,
            refused,
            failed,
            receive(RESUME, admitted=(RESUME,), state="LOG_IN"),
        ),
        script(
            "pipelined behind a log-in",
            "What follows waits, and is served in order once the log-in is done.",
            GREETED,
            waits,
            ANSWERED,
            step(
                "log_in_finished", success=True,
                admitted=(SEND,), sent=(pulse(6, 0),), state="OPEN",
            ),
        ),
        script(
            "pipelined behind a log-in that fails",
            "What followed is out of order.",
            GREETED,
            waits,
            refused,
            step(
                "log_in_finished", success=False,
                sent=((0, "OUT_OF_ORDER"),), state="CLOSED",
            ),
        ),
        script(
            "too much behind a log-in",
            "At most max_in_flight packets wait.",
            GREETED,
            ASKED,
            receive(MARK * 3, state="LOG_IN"),
            closes(MARK, "TOO_MANY_IN_FLIGHT"),
            step("log_in_finished", success=True, state="CLOSED"),
        ),
        script(
            "fault behind a log-in",
            "A fault is told after what came before it was served.",
            GREETED,
            receive(LOG_IN + SEND + TOO_LARGE, admitted=(LOG_IN,), state="LOG_IN"),
            ANSWERED,
            step(
                "log_in_finished", success=True, admitted=(SEND,),
                sent=((0, "FRAME_TOO_LARGE"),), state="CLOSED",
            ),
        ),
        script("send before log-in", "Log in first.", GREETED, closes(SEND, "OUT_OF_ORDER")),
        script("log in twice", "Once is enough.", *OPEN, closes(LOG_IN, "OUT_OF_ORDER")),
    ]  # fmt: skip


def request_scripts() -> list[Step]:
    """Requests, their ids and their limit."""
    sent_reply = packet(0x8060, 4, pb.Sent(seq=1, ordinal=1, sent_at_ms=TIME_MS))
    four = [packet(0x0060, number) for number in range(11, 15)]
    future = packet(0x3FFF, 8)
    return [
        script(
            "pipelined requests",
            "Handed out in order, whatever the chunks; one-way ones take no place.",
            *OPEN,
            receive(SEND + MARK + SYNC[:4], admitted=(SEND, MARK), state="OPEN"),
            receive(SYNC[4:], admitted=(SYNC,), state="OPEN"),
            step(
                "reply", type=0x0060, request_id=4, body=sent_reply[10:].hex(),
                sent=(sent_reply,), state="OPEN",
            ),
            step(
                "reply_error", request_id=5, code="NOT_A_MEMBER",
                sent=((5, "NOT_A_MEMBER"),), state="OPEN",
            ),
        ),
        script(
            "too many in flight",
            "One request above the limit closes; those below it are served.",
            *OPEN,
            closes(b"".join(four), "TOO_MANY_IN_FLIGHT", admitted=tuple(four[:3])),
        ),
        script(
            "an answer frees a place",
            "The limit counts what is unanswered.",
            *OPEN,
            receive(b"".join(four[:3]), admitted=tuple(four[:3]), state="OPEN"),
            step(
                "reply", type=0x0060, request_id=12, body="",
                sent=(packet(0x8060, 12),), state="OPEN",
            ),
            receive(four[3], admitted=(four[3],), state="OPEN"),
        ),
        script(
            "operation of a newer client",
            "Refused by its id, or ignored without one; the session goes on.",
            *OPEN,
            receive(
                future + packet(0x3FFF, 0) + SEND, admitted=(SEND,),
                sent=((8, "UNKNOWN_OPERATION"),), state="OPEN",
            ),
        ),
        script(
            "malformed request",
            "A body that is no message is told by its id, then the session closes.",
            *OPEN,
            receive(SYNC, admitted=(SYNC,), state="OPEN"),
            step(
                "reply_error", request_id=5, code="MALFORMED",
                sent=((5, "MALFORMED"), (0, "MALFORMED")), state="CLOSED",
            ),
        ),
        script("push from a client", "Only servers push.", *OPEN, closes(KICKED, "UNKNOWN_TYPE")),
        script("reply from a client", "Or reply.", *OPEN, closes(DONE, "UNKNOWN_TYPE")),
        script(
            "send without id", "A send has an answer.",
            *OPEN, closes(packet(0x0060, 0), "BAD_REQUEST_ID"),
        ),
        script(
            "WebSocket",
            "One message, one packet.",
            *OPEN,
            step("receive_message", bytes=SEND.hex(), admitted=(SEND,), state="OPEN"),
            step(
                "receive_message", bytes=(SEND + SEND).hex(),
                sent=((0, "MALFORMED"),), state="CLOSED",
            ),
        ),
    ]  # fmt: skip


def push_scripts() -> list[Step]:
    """Pushes, their count, and the end of a session."""
    pushed = step("push", bytes=KICKED.hex(), sent=(KICKED,), state="OPEN")
    return [
        script(
            "push count",
            "Pulse counts the pushes that were put before it.",
            *OPEN,
            receive(HEARTBEAT, sent=(pulse(6, 0),), state="OPEN"),
            pushed,
            pushed,
            receive(HEARTBEAT, sent=(pulse(6, 2),), state="OPEN"),
        ),
        script(
            "drain",
            "GO_AWAY is a push; requests are still served.",
            *OPEN,
            step("drain", bytes=GO_AWAY.hex(), sent=(GO_AWAY,), state="DRAINING"),
            receive(SEND + HEARTBEAT, admitted=(SEND,), sent=(pulse(6, 1),), state="DRAINING"),
        ),
        script(
            "kicked",
            "KICKED is the last packet.",
            *OPEN,
            step("close", bytes=KICKED.hex(), sent=(KICKED,), state="CLOSED"),
            step("push", bytes=GO_AWAY.hex(), state="CLOSED"),
            receive(HEARTBEAT, state="CLOSED"),
        ),
    ]


def time_scripts() -> list[Step]:
    """Time-outs."""
    return [
        script(
            "never logs in",
            "Counted from the connection; heartbeats do not help.",
            step("wait", ms=15_000, state="HELLO"),
            GREETED,
            receive(HEARTBEAT, sent=(pulse(6, 0),), state="LOG_IN"),
            step("wait", ms=5_001, sent=((0, "LOG_IN_TIMEOUT"),), state="CLOSED"),
        ),
        script(
            "silent",
            "Counted from the last byte.",
            *OPEN,
            step("wait", ms=80_000, state="OPEN"),
            receive(HEARTBEAT, sent=(pulse(6, 0),), state="OPEN"),
            step("wait", ms=90_000, state="OPEN"),
            step("wait", ms=1, sent=((0, "IDLE_TIMEOUT"),), state="CLOSED"),
        ),
    ]
