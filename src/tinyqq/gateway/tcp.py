"""TCP below a connection, plain or with TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from tinyqq.gateway.connection import Carrier, Connection

Connect = Callable[[Carrier, str], Connection | None]
"""Makes the connection for a carrier and the client's address; None: there is no room."""


def peer_of(transport: asyncio.BaseTransport) -> str:
    """The address at the other end of a connection; empty: it has gone already."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


class TcpCarrier(asyncio.Protocol):
    """Implements :class:`tinyqq.gateway.connection.Carrier` over an asyncio transport.

    Args:
        connect: see :data:`Connect`.
        max_output_bytes: above this the connection is told that writing is paused.
        address: the client's, where a proxy has told it; empty: the connection's own peer.
    """

    __slots__ = ("_address", "_connect", "_connection", "_max_output_bytes", "_transport")

    _transport: asyncio.Transport

    def __init__(self, *, connect: Connect, max_output_bytes: int, address: str = "") -> None:
        self._connect = connect
        self._address = address
        self._max_output_bytes = max_output_bytes
        self._connection: Connection | None = None

    # ---- asyncio.Protocol ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(
            high=self._max_output_bytes, low=self._max_output_bytes // 4
        )
        self._connection = self._connect(self, self._address or self.peer())
        if self._connection is None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._connection is not None:
            self._connection.received(data)

    def eof_received(self) -> None:
        """The client has ended its direction: the transport closes, and there is no more to say."""
        self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.lost()

    def pause_writing(self) -> None:
        """Too much waits in the transport."""
        if self._connection is not None:
            self._connection.writing_paused()

    def resume_writing(self) -> None:
        """There is room again."""
        if self._connection is not None:
            self._connection.writing_resumed()

    # ---- Carrier ---------------------------------------------------------------------------------

    def peer(self) -> str:
        """The address at the other end."""
        return peer_of(self._transport)

    def write(self, frames: list[bytes]) -> None:
        """Write frames in one go."""
        self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))

    def buffered_bytes(self) -> int:
        """What the socket has not taken yet."""
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Bring no more bytes."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Bring bytes again."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """End our direction and wait for the client to end its own.

        Closing the socket while bytes of the client are unread would reset the connection, and the
        reset would overtake our last packet.
        """
        if self._transport.is_closing():
            return
        try:
            self._transport.write_eof()
        except NotImplementedError:  # TLS says good-bye in its own way
            self._transport.close()
        except OSError:  # the client has reset the connection, and we were not told yet
            self._transport.abort()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()
