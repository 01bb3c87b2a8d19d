"""The floor: a server that does only the unavoidable, in the same shape as the real one.

uvloop, the same frames, one protobuf parse per Send, group commit by one writer into the real
``message`` table, then the answer and the forwarded message, coalesced. No rights, no sessions, no
cursors, no idempotence. What our server costs more than this is the price of being a chat system,
or ours to find.

``python -m tinyqq.lab.floor_server DIRECTORY POPULATION`` serves on a free port of the
loopback interface and prints it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import struct
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Final, cast

from tinyqq._pb import client_pb2 as pb
from tinyqq.lab.floor_accounts import FloorAccounts
from tinyqq.lab.floor_log import FloorLog, Row
from tinyqq.lab.frames import DELIVER, SEND, SENT
from tinyqq.lab.loop import new_event_loop
from tinyqq.lab.population import Population
from tinyqq.wire.framing import HEADER, HEADER_BYTES, encode_frame
from tinyqq.wire.packets import PROTOCOL_VERSION, REPLY_BIT, PacketType

_LAST_GROUP: Final = 2**32 - 1
_SWITCH_INTERVAL_S: Final = 0.000_1
_GC_THRESHOLD: Final = 50_000
_MAX_IN_FLIGHT: Final = 65_536
# Number and type of the server's fields of a Sent and of an Entry, as packets.py writes them.
_SENT_FIELDS: Final = struct.Struct("<BQBQBQ")
_ENTRY_FIELDS: Final = struct.Struct("<BQBQBQBQBQ")
_Action = Callable[[], None]
_Origin = tuple["FloorConnection", int, bytes]
"""Who sent it, under which request id, and the Send's own bytes."""
_SEQ, _ORDINAL, _SENDER, _SENT_AT, _THROUGH = (number << 3 | 1 for number in (8, 9, 10, 11, 12))


class FloorServer:
    """Sessions by user, heads by conversation, and the batch that waits for the writer."""

    def __init__(
        self, *, log: FloorLog, accounts: FloorAccounts, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._log = log
        self._accounts = accounts
        self._loop = loop
        self._heads: dict[int, int] = {}
        self._waiting: list[Row] = []
        self._origins: list[_Origin] = []
        self._writing = False
        self.sessions: dict[int, FloorConnection] = {}

    def take(self, connection: FloorConnection, request_id: int, body: bytes) -> None:
        """Number a Send; it waits for the commit that is under way."""
        entry = pb.Entry()
        entry.ParseFromString(body)
        conversation_id = entry.conversation_id
        seq = self._heads.get(conversation_id, 0) + 1
        self._heads[conversation_id] = seq
        self._waiting.append(
            (
                conversation_id, seq, seq, connection.user_id, entry.client_message_id,
                time.time_ns() // 1_000_000, entry.kind, entry.content,
            )
        )  # fmt: skip
        self._origins.append((connection, request_id, body))
        if not self._writing:
            self._writing = True
            # Not at once: what else this turn of the loop reads belongs to the same batch.
            self._loop.call_soon(self._write)

    def answer(
        self, connection: FloorConnection, packet_type: int, request_id: int, body: bytes
    ) -> None:
        """Answer what is not a Send: from memory at once, by a thread later."""
        finish = partial(self._finish, connection, packet_type, request_id)
        if packet_type == PacketType.HELLO:
            finish(_welcome())
        elif packet_type == PacketType.RESUME:
            finish(self._open(connection, self._accounts.find_by_token(body)))
        elif packet_type == PacketType.LOG_IN:
            self._accounts.check_password(body).add_done_callback(
                lambda done: self._soon(lambda: finish(self._open(connection, done.result())))
            )
        elif packet_type == PacketType.SYNC:
            sync = pb.Sync()
            sync.ParseFromString(body)
            head_seq = self._heads.get(sync.conversation_id, 0)
            self._log.read_page(sync.conversation_id, sync.after_seq, sync.limit).add_done_callback(
                lambda done: self._soon(lambda: finish(_page(done.result(), head_seq)))
            )
        elif request_id:
            finish(b"")

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        origins, self._origins = self._origins, []
        self._log.append(rows, lambda: self._soon(lambda: self._committed(rows, origins)))

    def _soon(self, action: _Action) -> None:
        self._loop.call_soon_threadsafe(action)

    def _committed(self, rows: list[Row], origins: list[_Origin]) -> None:
        if self._waiting:
            self._write()
        else:
            self._writing = False
        touched: dict[FloorConnection, None] = {}
        for row, (connection, request_id, raw) in zip(rows, origins, strict=True):
            conversation_id, seq, ordinal, sender_id, _, sent_at_ms, _, _ = row
            body = _SENT_FIELDS.pack(_SEQ, seq, _ORDINAL, ordinal, _SENT_AT, sent_at_ms)
            connection.out.append(HEADER.pack(len(body), SENT, request_id) + body)
            touched[connection] = None
            fields = _ENTRY_FIELDS.pack(
                _SEQ, seq, _ORDINAL, ordinal, _SENDER, sender_id, _SENT_AT, sent_at_ms, _THROUGH, 0
            )
            frame = HEADER.pack(len(raw) + len(fields), DELIVER, 0) + raw + fields
            for receiver in self._receivers(conversation_id, connection):
                receiver.out.append(frame)
                touched[receiver] = None
        for connection in touched:
            connection.flush()

    def _receivers(self, conversation_id: int, sender: FloorConnection) -> list[FloorConnection]:
        if conversation_id <= _LAST_GROUP:
            return [one for one in self.sessions.values() if one is not sender]
        other = (conversation_id >> 32) + (conversation_id & 0xFFFFFFFF) - sender.user_id
        receiver = self.sessions.get(other)
        return [receiver] if receiver is not None else []

    def _open(self, connection: FloorConnection, user_id: int) -> bytes:
        connection.user_id = user_id
        self.sessions[user_id] = connection
        return pb.LoggedIn(user_id=user_id, session_id=user_id).SerializeToString()

    def _finish(
        self, connection: FloorConnection, packet_type: int, request_id: int, body: bytes
    ) -> None:
        connection.out.append(encode_frame(packet_type | REPLY_BIT, request_id, body))
        connection.flush()


class FloorConnection(asyncio.Protocol):
    """One client."""

    __slots__ = ("_held", "_server", "_transport", "out", "user_id")

    def __init__(self, server: FloorServer) -> None:
        self.user_id = 0
        self.out: list[bytes] = []
        self._server = server
        self._held = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self._server.sessions.get(self.user_id) is self:
            del self._server.sessions[self.user_id]

    def data_received(self, data: bytes) -> None:
        """Cut the bytes into frames and take them."""
        if self._held:
            data = self._held + data
        position, end = 0, len(data)
        unpack = HEADER.unpack_from
        while end - position >= HEADER_BYTES:
            length, packet_type, request_id = unpack(data, position)
            body_at = position + HEADER_BYTES
            next_at = body_at + length
            if next_at > end:
                break
            body = data[body_at:next_at]
            position = next_at
            if packet_type == SEND:
                self._server.take(self, request_id, body)
            else:
                self._server.answer(self, packet_type, request_id, body)
        self._held = data[position:] if position < end else b""

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def flush(self) -> None:
        """Write what was put out, in one call."""
        out = self.out
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        out.clear()


def _welcome() -> bytes:
    return pb.Welcome(
        version=PROTOCOL_VERSION, max_frame_bytes=1 << 20, max_text_chars=10_000,
        max_in_flight=_MAX_IN_FLIGHT, idle_timeout_ms=3_600_000, max_page_entries=500,
    ).SerializeToString()  # fmt: skip


def _page(rows: list[Row], head_seq: int) -> bytes:
    page = pb.Page(head_seq=head_seq)
    for row in rows:
        page.entries.add(
            conversation_id=row[0], seq=row[1], ordinal=row[2], sender_id=row[3],
            client_message_id=row[4], sent_at_ms=row[5], kind=row[6], content=row[7],
        )  # fmt: skip
    return page.SerializeToString()


@contextlib.asynccontextmanager
async def open_floor(directory: Path, population: Population) -> AsyncIterator[int]:
    """Serve until the end of the block; yields the port."""
    loop = asyncio.get_running_loop()
    log = FloorLog(directory)
    accounts = FloorAccounts(population)
    server = FloorServer(log=log, accounts=accounts, loop=loop)
    listener = await loop.create_server(
        lambda: FloorConnection(server), "127.0.0.1", 0, backlog=4096
    )
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        for connection in tuple(server.sessions.values()):
            connection.close()
        await asyncio.to_thread(log.close)
        await asyncio.to_thread(accounts.close)


async def serve(directory: Path, population: Population) -> None:
    """Serve until the process is ended."""
    async with open_floor(directory, population) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """The command's entry."""
    directory, population = sys.argv[1:]
    # The writer takes the interpreter's lock once per row, and should not have to wait for it long.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # What the imports made never dies: let no collection walk through it.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(serve(Path(directory), Population.load(Path(population))))


if __name__ == "__main__":
    main()
