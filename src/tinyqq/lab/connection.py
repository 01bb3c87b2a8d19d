"""A client connection for load: the real protocol, with the least work per frame.

The hot frames (the answer to a Send, a Deliver) are seen by their header only and handed to
:meth:`LoadConnection.on_sent` and :meth:`LoadConnection.on_deliver`. Everything else takes the
ordinary way through ``wire.packets``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar, cast

from tinyqq.errors import ErrorCode, TinyQQError, error_for
from tinyqq.lab.frames import DELIVER, ERROR, SENT
from tinyqq.lab.population import Person, Target
from tinyqq.model.account import LogIn, Resume
from tinyqq.model.connection import Hello
from tinyqq.wire import packets
from tinyqq.wire.framing import HEADER, HEADER_BYTES, encode_frame
from tinyqq.wire.packets import PROTOCOL_VERSION, REPLY_BIT, PacketType

DEADLINE_S: Final = 60.0
"""For set-up and other calls that are not measured: the server may be busy with thousands."""
_SET_UP_AT_ONCE: Final = 64
_FIRST_COLD_ID: Final = 1 << 31
"""Request ids of calls; those of Sends are below."""


class LoadConnection(asyncio.Protocol):
    """One connection. What a scenario does with it stands in ``on_sent`` and ``on_deliver``."""

    __slots__ = ("_calls", "_held", "_last_id", "_out", "_transport", "failure", "other_pushes")

    def __init__(self) -> None:
        self.failure: Exception | None = None
        """Why the connection is of no more use."""
        self.other_pushes = 0
        self._calls: dict[int, tuple[PacketType, asyncio.Future[Any]]] = {}
        self._held = b""
        self._last_id = _FIRST_COLD_ID
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    # ---- for scenarios ---------------------------------------------------------------------------

    def on_sent(self, request_id: int) -> None:
        """A Send was committed."""

    def on_deliver(self, data: bytes, frame_at: int) -> None:
        """A Deliver came; its frame begins at *frame_at* of *data*."""

    def on_refused(self, request_id: int, error: TinyQQError) -> None:
        """A Send was refused."""

    def put(self, frame: bytes) -> None:
        """Write with the next :meth:`flush`; what is put while bytes are read is flushed after."""
        self._out.append(frame)

    def flush(self) -> None:
        """Write what was put, at once."""
        if self._out and self._transport is not None:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    async def call(self, packet_type: PacketType, record: object) -> Any:
        """Ask and wait for the answer.

        Raises:
            TinyQQError: the server refused; ConnectionError: the connection is gone; TimeoutError.
        """
        if self.failure is not None:
            raise ConnectionError("connection lost") from self.failure
        self._last_id += 1
        request_id = self._last_id
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[request_id] = (packet_type, future)
        self.put(encode_frame(packet_type, request_id, packets.encode(record)))
        self.flush()
        async with asyncio.timeout(DEADLINE_S):
            return await future

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    # ---- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone; calls that wait for an answer fail."""
        self._fail(exc or ConnectionError("closed by the server"))

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into frames, and write what the scenario answers to them at once."""
        if self._held:
            data = self._held + data
        position, end = 0, len(data)
        unpack = HEADER.unpack_from
        while end - position >= HEADER_BYTES:
            length, packet_type, request_id = unpack(data, position)
            next_at = position + HEADER_BYTES + length
            if next_at > end:
                break
            if packet_type == SENT:
                self.on_sent(request_id)
            elif packet_type == DELIVER:
                self.on_deliver(data, position)
            else:
                self._on_other(packet_type, request_id, data[position + HEADER_BYTES : next_at])
            position = next_at
        self._held = data[position:] if position < end else b""
        if self._out:
            self.flush()

    # ---- the rest --------------------------------------------------------------------------------

    def _on_other(self, packet_type: int, request_id: int, body: bytes) -> None:
        if packet_type == PacketType.KICKED:
            self._fail(ConnectionError("kicked"))
        elif packet_type == ERROR:
            self._on_error(request_id, packets.decode_error(body))
        elif packet_type & REPLY_BIT:
            asked, future = self._calls.pop(request_id)
            if not future.done():
                future.set_result(packets.decode_reply(asked, body))
        else:
            self.other_pushes += 1

    def _on_error(self, request_id: int, error: TinyQQError) -> None:
        if request_id in self._calls:
            future = self._calls.pop(request_id)[1]
            if not future.done():
                future.set_exception(error)
        elif request_id:
            self.on_refused(request_id, error)
        else:
            self._fail(error)

    def _fail(self, reason: Exception) -> None:
        self.failure = self.failure or reason
        for _, future in self._calls.values():
            if not future.done():
                future.set_exception(ConnectionError("connection lost"))
        self._calls.clear()


_Connection = TypeVar("_Connection", bound=LoadConnection)


async def connect(target: Target, make: Callable[[], _Connection]) -> _Connection:
    """A connection after Hello; nobody is logged in yet."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(DEADLINE_S):
        _, connection = await loop.create_connection(make, target.host, target.port)
    hello = Hello(PROTOCOL_VERSION, PROTOCOL_VERSION, agent="tinyqq-lab")
    await connection.call(PacketType.HELLO, hello)
    return connection


async def resume(connection: LoadConnection, person: Person) -> None:
    """Log in by token."""
    await connection.call(PacketType.RESUME, Resume(person.token, person.device_id))


async def log_in(connection: LoadConnection, person: Person, password: str) -> None:
    """Log in by password."""
    await connection.call(
        PacketType.LOG_IN,
        LogIn(person.user_id, password, person.device_id, person.device_kind, "lab"),
    )


async def open_sessions(
    targets: Iterable[Target], people: tuple[Person, ...], make: Callable[[], _Connection]
) -> list[_Connection]:
    """Logged-in connections of *people*, in their order, each to the target at the same place;
    several are set up at once."""
    gate = asyncio.Semaphore(_SET_UP_AT_ONCE)

    async def open_one(target: Target, person: Person) -> _Connection:
        async with gate:
            connection = await connect(target, make)
            await resume(connection, person)
            return connection

    async with asyncio.TaskGroup() as tasks:
        opening = [
            tasks.create_task(open_one(target, person))
            for person, target in zip(people, targets, strict=False)
        ]
    return [task.result() for task in opening]


def check_alive(connections: list[_Connection]) -> None:
    """A measurement in which connections died counts for nothing.

    Raises:
        TinyQQError: CONNECTION_LOST.
    """
    failures = [one.failure for one in connections if one.failure is not None]
    if failures:
        raise error_for(ErrorCode.CONNECTION_LOST, count=len(failures)) from failures[0]
