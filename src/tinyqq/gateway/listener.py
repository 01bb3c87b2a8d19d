"""The TCP port when proxies stand before it: what they tell of the client is read before all else.

The header comes before TLS, and the bytes after it are not ours to take. So the port accepts by
itself, looks at what waits in the socket, takes the header alone, and only then gives the socket to
the event loop's transport, plain or with TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

from tinyqq.errors import ProtocolError
from tinyqq.gateway.tasks import TaskPool
from tinyqq.wire.proxy_protocol import MAX_HEADER_BYTES, ProxyHeaderReader

logger = logging.getLogger(__name__)

Network = IPv4Network | IPv6Network
_ACCEPTS_AT_ONCE: Final = 64
"""Then the others get their turn; what still waits is heard of again."""
_PAUSE_S: Final = 1.0
"""After the system refused to accept: it has no descriptor or no memory left."""


class ProxyListener:
    """Accepts TCP connections until :meth:`close`, from proxies and from clients themselves.

    Args:
        sock: listens; it is the listener's from now on.
        make_carrier: makes the protocol of a connection, with the client's ``address`` by keyword.
        tls: None: the port speaks plainly.
        proxies: whose header is believed. They may also connect without one.
        tasks: runs what a connection needs before it has its transport.
        timeout_s: the time that a connection has for its header and its TLS handshake.
        max_opening: connections in that state; one more is closed at once.
    """

    def __init__(
        self,
        *,
        sock: socket.socket,
        make_carrier: Callable[..., asyncio.Protocol],
        tls: ssl.SSLContext | None,
        proxies: Sequence[Network],
        tasks: TaskPool,
        timeout_s: float,
        max_opening: int,
    ) -> None:
        self._sock = sock
        self._make_carrier = make_carrier
        self._tls = tls
        self._proxies = tuple(proxies)
        self._tasks = tasks
        self._timeout_s = timeout_s
        self._max_opening = max_opening
        self._loop = asyncio.get_running_loop()
        self._opening: set[socket.socket] = set()
        self._pause: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        self._resume()

    def close(self) -> None:
        """Accept no more, and drop what has no transport yet; a second call has no effect."""
        if self._pause is not None:
            self._pause.cancel()
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()
        for sock in self._opening:
            self._loop.remove_reader(sock)
            sock.close()
        self._opening.clear()

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS_AT_ONCE):
            try:
                sock, peer = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                logger.error("gateway.not_accepting", extra={"error": repr(exc)})
                self._loop.remove_reader(self._sock)
                self._pause = self._loop.call_later(_PAUSE_S, self._resume)
                return
            if len(self._opening) >= self._max_opening:
                sock.close()
                continue
            sock.setblocking(False)
            self._opening.add(sock)
            self._tasks.spawn(self._open(sock, str(peer[0])), timeout_s=self._timeout_s)

    async def _open(self, sock: socket.socket, peer: str) -> None:
        try:
            client = await self._read_header(sock) if self._is_proxy(peer) else ""
        except ProtocolError as exc:
            logger.warning("gateway.bad_proxy_header", extra={"proxy": peer, "error": str(exc)})
            sock.close()
            return
        except BaseException as exc:
            sock.close()
            if isinstance(exc, OSError):
                return  # it went away without a word
            raise
        finally:
            self._opening.discard(sock)
        options: dict[str, Any] = {}
        if self._tls is not None:
            options = {"ssl": self._tls, "ssl_handshake_timeout": self._timeout_s}
        with contextlib.suppress(OSError):  # of a handshake: the transport has closed the socket
            await self._loop.connect_accepted_socket(
                partial(self._make_carrier, address=client or peer), sock, **options
            )

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    async def _read_header(self, sock: socket.socket) -> str:
        """The client's address; empty: there is no header, or it names nobody.

        Raises:
            ProtocolError: it cannot be read.
            OSError: the connection is gone.
        """
        reader = ProxyHeaderReader()
        while not reader.is_done:
            await self._readable(sock)
            with contextlib.suppress(BlockingIOError):
                waiting = sock.recv(MAX_HEADER_BYTES, socket.MSG_PEEK)
                if not waiting:
                    raise ConnectionResetError
                taken = reader.feed(waiting)
                if taken:
                    sock.recv(taken)
            if reader.error is not None:
                raise reader.error
        return reader.address

    async def _readable(self, sock: socket.socket) -> None:
        event = asyncio.Event()
        self._loop.add_reader(sock, event.set)
        try:
            await event.wait()
        finally:
            if sock.fileno() >= 0:
                self._loop.remove_reader(sock)
