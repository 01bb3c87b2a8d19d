"""The Python implementation against the conformance vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from tests.conformance.make_vectors import VECTORS, vectors

from tinyqq._pb import client_pb2, content_pb2
from tinyqq.errors import ErrorCode, TinyQQError, error_for
from tinyqq.model.account import Caller
from tinyqq.model.connection import Limits
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.wire import content, packets
from tinyqq.wire.client_session import ClientSession, Event, Failed, MissedPushes, Pushed, Reply
from tinyqq.wire.framing import Frame, FrameReader, encode_frame
from tinyqq.wire.packets import REPLY_BIT, PacketType
from tinyqq.wire.session import ServerSession

CALLER = Caller(UserId(10_001), DeviceId(bytes(16)), SessionId(1))


def cases(name: str) -> list[Any]:
    loaded: dict[str, Any] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in loaded["cases"]]


@pytest.mark.parametrize("name", sorted(vectors()))
def test_vectors_when_made_again_then_the_same(name: str) -> None:
    assert (VECTORS / name).read_text(encoding="utf-8") == vectors()[name]


# ---- frames and bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases("framing.json"))
def test_framing_when_read_then_frames_and_error_of_the_vector(case: Any) -> None:
    reader = FrameReader(max_body_bytes=case["max_body_bytes"])
    feed = reader.feed if case["carrier"] == "stream" else reader.feed_message
    frames = [frame for chunk in case["chunks"] for frame in feed(bytes.fromhex(chunk))]
    assert [
        {"type": one.type, "request_id": one.request_id, "body": one.body.hex()} for one in frames
    ] == case["frames"]
    assert (reader.error.code.name if reader.error else None) == case["error"]


def decode(case: Any) -> Any:
    packet_type, body = case["type"], bytes.fromhex(case["body"]) * case.get("times", 1)
    if case["role"] == "error":
        return packets.decode_error(body)
    if case["role"] == "push":
        return packets.decode_push(packet_type, body)
    if case["role"] == "reply":
        return packets.decode_reply(packet_type & ~REPLY_BIT, body)
    return packets.decode_request(packet_type, body)


def as_json(message_name: str, body: bytes) -> Any:
    """What protobuf makes of the bytes that this implementation wrote."""
    module: Any = client_pb2 if hasattr(client_pb2, message_name) else content_pb2
    message = getattr(module, message_name).FromString(body)
    return MessageToDict(message, preserving_proto_field_name=True)


@pytest.mark.parametrize("case", cases("packets.json"))
def test_packet_when_read_and_written_again_then_what_the_vector_says(case: Any) -> None:
    if case["error"]:
        with pytest.raises(TinyQQError) as caught:
            decode(case)
        assert caught.value.code.name == case["error"]
    elif case["role"] == "error":
        assert_error(decode(case), case["json"])
    else:
        assert as_json(case["message"], packets.encode(decode(case))) == without_flight(case)


def without_flight(case: Any) -> Any:
    """A flight is of the request alone: it is no part of the entry that is kept."""
    if case["message"] == "Entry":
        return {name: value for name, value in case["json"].items() if name != "flight"}
    if case["message"] in {"Overview", "Page", "History"}:
        return json.loads(json.dumps(case["json"]), object_hook=_drop_flight)
    return case["json"]


def _drop_flight(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "flight"}


def assert_error(error: TinyQQError, expected: Any) -> None:
    made = error_for(expected["code"], retry_after_s=expected.get("retry_after_ms", 0) / 1000)
    assert (error.code, error.retry_after_s) == (made.code, made.retry_after_s)
    assert error.fields == {**made.fields, **expected.get("fields", {})}


@pytest.mark.parametrize("case", cases("packets.json"))
def test_packet_when_protobuf_writes_its_json_then_the_bytes_of_the_vector(case: Any) -> None:
    if case["error"] or case["name"].startswith("tolerated"):
        return
    message = ParseDict(case["json"], getattr(client_pb2, case["message"])())
    assert message.SerializeToString(deterministic=True).hex() == case["body"]


@pytest.mark.parametrize("case", cases("content.json"))
def test_content_when_read_then_what_the_vector_says(case: Any) -> None:
    body = bytes.fromhex(case["body"]) * case.get("times", 1)
    if case["error"]:
        with pytest.raises(TinyQQError) as caught:
            content.check_content(body, 10)
        assert caught.value.code.name == case["error"]
    elif case["message"] == "Notice":
        assert as_json("Notice", content.encode_notice(content.decode_notice(body))) == case["json"]
    else:
        again = content.encode_content(content.decode_content(body))
        assert as_json("Content", again) == case["json"]


# ---- sessions ------------------------------------------------------------------------------------


class ServerRun:
    """Does the steps of a server's script."""

    def __init__(self, case: Any) -> None:
        limits = case["limits"]
        self.now_ms = int(case["server"]["time_ms"])
        self.at_ms = 0
        self.session = ServerSession(
            limits=Limits(
                max_frame_bytes=limits["max_frame_bytes"],
                max_text_chars=limits["max_text_chars"],
                max_in_flight=limits["max_in_flight"],
                idle_timeout_s=limits["idle_timeout_ms"] / 1000,
                log_in_timeout_s=limits["log_in_timeout_ms"] / 1000,
            ),
            unit_id=case["server"]["unit_id"],
            agent=case["server"]["agent"],
            now_s=0,
        )

    def do(self, step: Any) -> list[Frame]:
        session, now_s = self.session, self.at_ms / 1000
        data = bytes.fromhex(step.get("bytes", ""))
        match step["do"]:
            case "receive":
                return session.receive(data, now_s=now_s, now_ms=self.now_ms)
            case "receive_message":
                return session.receive_message(data, now_s=now_s, now_ms=self.now_ms)
            case "log_in_finished":
                caller = CALLER if step["success"] else None
                return session.log_in_finished(caller, now_ms=self.now_ms)
            case "reply":
                session.reply(step["type"], step["request_id"], bytes.fromhex(step["body"]))
            case "reply_error":
                session.reply_error(step["request_id"], error_for(ErrorCode[step["code"]]))
            case "push":
                session.push(data)
            case "drain":
                session.drain(data)
            case "close":
                session.close(data)
            case "wait":
                self.at_ms += step["ms"]
                session.check_time(self.at_ms / 1000)
            case unknown:
                raise ValueError(unknown)
        return []


def shown(packet: bytes) -> dict[str, Any]:
    """A packet that the server sent, as the vectors show it."""
    [frame] = FrameReader(max_body_bytes=10_000).feed(packet)
    if frame.type != PacketType.ERROR:
        return {"packet": packet.hex()}
    return {"error": packets.decode_error(frame.body).code.name, "request_id": frame.request_id}


@pytest.mark.parametrize("case", cases("session.json"))
def test_server_session_when_the_script_is_run_then_as_it_says(case: Any) -> None:
    run = ServerRun(case)
    for step in case["steps"]:
        admitted = run.do(step)
        assert [encode_frame(*one).hex() for one in admitted] == step["admitted"]
        assert [shown(packet) for packet in run.session.take_output()] == step["sent"]
        assert run.session.state.name == step["state"]


def event_shown(event: Event) -> dict[str, Any]:
    """An event of the client, as the vectors show it."""
    match event:
        case Reply(request_id, TinyQQError() as error):
            retry_after_ms = round(error.retry_after_s * 1000)
            return {"error": request_id, "code": error.code.name, "retry_after_ms": retry_after_ms}
        case Reply(request_id):
            return {"reply": request_id}
        case Pushed(packet_type):
            return {"push": packet_type}
        case MissedPushes(missed):
            return {"missed": missed}
        case Failed(error):
            return {"failed": error.code.name}


@pytest.mark.parametrize("case", cases("client.json"))
def test_client_session_when_the_script_is_run_then_as_it_says(case: Any) -> None:
    session, at_ms = ClientSession(agent="client/1", now_s=0), 0
    session.take_output()
    for step in case["steps"]:
        events: list[Event] = []
        match step["do"]:
            case "receive":
                events = session.receive(bytes.fromhex(step["bytes"]), now_s=at_ms / 1000)
            case "request":
                session.request(step["type"], bytes.fromhex(step["body"]))
            case "wait":
                at_ms += step["ms"]
                events = session.check_time(at_ms / 1000)
        assert [event_shown(event) for event in events] == step["events"]
        assert [one.hex() for one in session.take_frames()] == step.get("sent", [])
