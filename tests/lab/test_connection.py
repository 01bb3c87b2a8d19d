from __future__ import annotations

import pytest
from tests.lab.conftest import Played

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable
from tinyqq.lab.connection import (
    LoadConnection,
    check_alive,
    connect,
    log_in,
    open_sessions,
    resume,
)
from tinyqq.lab.frames import SENT
from tinyqq.model.account import KickReason
from tinyqq.model.connection import GoAway, Heartbeat, Kicked, Pulse
from tinyqq.wire import packets
from tinyqq.wire.framing import encode_frame
from tinyqq.wire.packets import PacketType


class Recorder(LoadConnection):
    """Remembers what came."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[object] = []

    def on_sent(self, request_id: int) -> None:
        self.seen.append(("sent", request_id))

    def on_deliver(self, data: bytes, frame_at: int) -> None:
        self.seen.append(("deliver", data[frame_at + 10 :][:4]))

    def on_refused(self, request_id: int, error: TinyQQError) -> None:
        self.seen.append(("refused", request_id, error.code))


REFUSAL = packets.error_frame(3, Forbidden(ErrorCode.NOT_FRIENDS))
STREAM = (
    encode_frame(SENT, 1, packets.encode_sent(1, 1, 1))
    + encode_frame(PacketType.DELIVER, 0, b"body")
    + REFUSAL
    + packets.push_frame(PacketType.GO_AWAY, GoAway(7003, 0, ""))
)
WANTED = [("sent", 1), ("deliver", b"body"), ("refused", 3, ErrorCode.NOT_FRIENDS)]


@pytest.mark.parametrize("size", [1, 7, 10, 11, 1_000])
def test_data_received_when_cut_anywhere_then_the_same_frames(size: int) -> None:
    connection = Recorder()
    for start in range(0, len(STREAM), size):
        connection.data_received(STREAM[start : start + size])
    assert connection.seen == WANTED
    assert connection.other_pushes == 1


def test_data_received_when_kicked_then_failed() -> None:
    connection = LoadConnection()
    connection.data_received(packets.push_frame(PacketType.KICKED, Kicked(KickReason.REPLACED, "")))
    assert isinstance(connection.failure, ConnectionError)


def test_data_received_when_the_connection_is_refused_then_failed() -> None:
    connection = LoadConnection()
    connection.data_received(packets.error_frame(0, Unavailable(ErrorCode.DRAINING)))
    with pytest.raises(Unavailable, match="CONNECTION_LOST"):
        check_alive([connection])


async def test_connect_when_logged_in_by_token_then_a_session(floor: Played) -> None:
    connection = await connect(floor.stage.target, LoadConnection)
    await resume(connection, floor.stage.population.people[0])
    pulse = await connection.call(PacketType.HEARTBEAT, Heartbeat())
    connection.close()
    assert pulse == Pulse(0, 0)


async def test_log_in_when_by_password_then_a_session(floor: Played) -> None:
    connection = await connect(floor.stage.target, LoadConnection)
    population = floor.stage.population
    await log_in(connection, population.people[0], population.password)
    connection.close()
    assert connection.failure is None


async def test_open_sessions_when_many_then_in_the_order_of_the_people(floor: Played) -> None:
    people = floor.stage.population.people
    connections = await open_sessions(floor.stage.near(), people, LoadConnection)
    check_alive(connections)
    for connection in connections:
        connection.close()
    assert len(connections) == len(people)


async def test_call_when_the_connection_is_lost_then_fails(floor: Played) -> None:
    connection = await connect(floor.stage.target, LoadConnection)
    connection.close()
    connection.connection_lost(None)
    with pytest.raises(ConnectionError):
        await connection.call(PacketType.HEARTBEAT, Heartbeat())
