"""Scripts for a client's session: what the server sends, and what the client makes of it."""

from __future__ import annotations

from typing import Any, Final

from tests.conformance.session_scripts import KICKED, Step, packet, pulse, welcome

from tinyqq._pb import client_pb2 as pb

WELCOMED: Final[Step] = {"do": "receive", "bytes": welcome().hex(), "events": [{"reply": 1}]}
BUSY: Final = pb.Error(code=7001, name="BUSY", retry_after_ms=500)


def script(name: str, why: str, *steps: Step) -> Step:
    """One script. The client has sent HELLO with request id 1."""
    return {"name": name, "description": why, "steps": list(steps)}


def receive(data: bytes, *events: dict[str, Any]) -> Step:
    """The server sends bytes."""
    return {"do": "receive", "bytes": data.hex(), "events": list(events)}


def request(packet_type: int, request_id: int) -> Step:
    """The client asks for something; its packet carries this id."""
    sent = packet(packet_type, request_id).hex()
    return {"do": "request", "type": packet_type, "body": "", "sent": [sent], "events": []}


def wait(ms: int, *, sent: tuple[bytes, ...] = (), events: tuple[dict[str, Any], ...] = ()) -> Step:
    """Time passes and the client looks at the clock."""
    return {"do": "wait", "ms": ms, "sent": [one.hex() for one in sent], "events": list(events)}


def heartbeat(request_id: int) -> bytes:
    """The client's heartbeat."""
    return packet(0x0002, request_id)


def failed(code: str) -> dict[str, Any]:
    """The connection is over."""
    return {"failed": code}


def client_scripts() -> list[Step]:
    """Every script."""
    return [*reply_scripts(), *push_scripts(), *heartbeat_scripts()]


def reply_scripts() -> list[Step]:
    """Replies by their ids."""
    done_2, done_3 = packet(0x8014, 2), packet(0x8061, 3)
    return [
        script(
            "replies in another order",
            "The request id says which request is answered.",
            WELCOMED,
            request(0x0014, 2),
            request(0x0061, 3),
            receive(done_3 + done_2[:7], {"reply": 3}),
            receive(done_2[7:], {"reply": 2}),
        ),
        script(
            "refusal",
            "An Error with a request id answers that request; the session goes on.",
            WELCOMED,
            request(0x0060, 2),
            receive(packet(0x8000, 2, BUSY), {"error": 2, "code": "BUSY", "retry_after_ms": 500}),
            request(0x0060, 3),
        ),
        script(
            "refusal of the future",
            "An unknown code has the class of its thousands.",
            WELCOMED,
            request(0x0060, 2),
            receive(
                packet(0x8000, 2, pb.Error(code=3999)),
                {"error": 2, "code": "FORBIDDEN", "retry_after_ms": 0},
            ),
        ),
        script(
            "error about the connection",
            "An Error with request id 0 is the last word.",
            WELCOMED,
            receive(packet(0x8000, 0, BUSY) + KICKED, failed("BUSY")),
        ),
        script(
            "reply to nothing",
            "A server that answers what was not asked is broken.",
            WELCOMED,
            receive(packet(0x8014, 9), failed("BAD_REQUEST_ID")),
        ),
        script(
            "reply of another type",
            "So is one that answers something else.",
            WELCOMED,
            request(0x0014, 2),
            receive(packet(0x8061, 2), failed("BAD_REQUEST_ID")),
        ),
        script(
            "request from a server",
            "Or one that asks.",
            WELCOMED,
            receive(packet(0x0014, 1), failed("UNKNOWN_TYPE")),
        ),
    ]


def push_scripts() -> list[Step]:
    """Pushes, also those of a newer server."""
    unknown: Any = 77
    return [
        script("push", "Has request id 0.", WELCOMED, receive(KICKED, {"push": 0x4006})),
        script(
            "push of the future",
            "Ignored, but counted.",
            WELCOMED,
            receive(packet(0x7FFF, 0, b"\xff") + KICKED, {"push": 0x4006}),
            wait(30_000, sent=(heartbeat(2),)),
            receive(pulse(2, 2)),
        ),
        script(
            "value of the future",
            "An unknown value of an enum breaks nothing.",
            WELCOMED,
            receive(packet(0x4006, 0, pb.Kicked(reason=unknown)), {"push": 0x4006}),
        ),
        script(
            "malformed push",
            "A body that is no message does.",
            WELCOMED,
            receive(packet(0x4006, 0, b"\x08"), failed("MALFORMED")),
        ),
    ]


def heartbeat_scripts() -> list[Step]:
    """Heartbeats and the count of pushes."""
    return [
        script(
            "heartbeat",
            "After a third of idle_timeout_ms; two seconds of silence after one are the end.",
            WELCOMED,
            wait(29_999),
            wait(1, sent=(heartbeat(2),)),
            receive(pulse(2, 0)),
            wait(30_000, sent=(heartbeat(3),)),
            wait(1_999),
            wait(1, events=(failed("IDLE_TIMEOUT"),)),
        ),
        script(
            "missed pushes",
            "The server counted more than came: told once.",
            WELCOMED,
            receive(KICKED, {"push": 0x4006}),
            wait(30_000, sent=(heartbeat(2),)),
            receive(pulse(2, 3), {"missed": 2}),
            wait(30_000, sent=(heartbeat(3),)),
            receive(pulse(3, 3)),
        ),
        script(
            "welcome is not a push",
            "Replies do not count.",
            WELCOMED,
            request(0x0014, 2),
            receive(packet(0x8014, 2), {"reply": 2}),
            wait(30_000, sent=(heartbeat(3),)),
            receive(pulse(3, 0)),
        ),
    ]
