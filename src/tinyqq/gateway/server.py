"""The gateway: it listens, holds the connections, looks at them once a second, and drains."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Self

from aiohttp import web

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode
from tinyqq.gateway.connection import Carrier, Connection, Shared
from tinyqq.gateway.dispatch import Dispatcher
from tinyqq.gateway.entrance import Entrance
from tinyqq.gateway.farewell import Farewells, units_but, window_of
from tinyqq.gateway.flusher import Flusher
from tinyqq.gateway.listener import Network, ProxyListener
from tinyqq.gateway.policy import Counts, GatewayPolicy
from tinyqq.gateway.tasks import TaskPool
from tinyqq.gateway.tcp import TcpCarrier
from tinyqq.gateway.unit import LocalUnit
from tinyqq.gateway.websocket import serve_websocket
from tinyqq.model.connection import GoAway
from tinyqq.ports.delivery import Delivery
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Node
from tinyqq.ports.services import Services
from tinyqq.ports.storage import ConversationStore
from tinyqq.wire.packets import PacketType, push_frame
from tinyqq.wire.session import State

logger = logging.getLogger(__name__)

_SWEEP_INTERVAL_S: Final = 1.0
_SLICES: Final = 10
_POLL_INTERVAL_S: Final = 0.01
_BACKLOG: Final = 1024


class Gateway:
    """Role ``proxy``. ``async with`` it; then listen.

    Args:
        services: what requests are dispatched to.
        unit: holds the open sessions; entered and left by whoever made it.
        delivery: takes hints and kicks that concern other units too.
        agent: the server's name and version, told to clients.
        nodes: those of the cluster, as of now: whose pages are ours, where clients can go.
    """

    def __init__(
        self,
        *,
        services: Services,
        unit: LocalUnit,
        delivery: Delivery,
        presence: Presence,
        conversations: ConversationStore,
        clock: Clock,
        agent: str,
        policy: GatewayPolicy | None = None,
        nodes: Callable[[], Sequence[Node]] = tuple,
    ) -> None:
        self.policy = policy or GatewayPolicy()
        self._nodes = nodes
        self._unit_id = unit.unit_id
        self._counts = Counts()
        self._clock = clock
        self._tasks = TaskPool()
        self._connections: set[Connection] = set()
        self._servers: list[asyncio.Server | ProxyListener] = []
        self._make_carrier = partial(
            TcpCarrier, connect=self._connect, max_output_bytes=self.policy.max_output_bytes
        )
        self._entrance = Entrance(
            users=services.user,
            conversations=conversations,
            presence=presence,
            unit=unit,
            delivery=delivery,
            tasks=self._tasks,
            clock=clock,
            policy=self.policy,
            counts=self._counts,
        )
        desk = Dispatcher(
            services=services,
            enter=self._entrance.enter,
            tasks=self._tasks,
            clock=clock,
            policy=self.policy,
            counts=self._counts,
        )
        self._shared = Shared(
            unit_id=unit.unit_id,
            agent=agent,
            clock=clock,
            policy=self.policy,
            counts=self._counts,
            flusher=Flusher(),
            desk=desk,
            on_lost=self._lost,
        )

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.spawn(self._sweep_for_ever(), timeout_s=None)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.drain()
        await self._tasks.__aexit__(*exc_info)

    # ---- connections -----------------------------------------------------------------------------

    async def listen_tcp(
        self,
        sock: socket.socket,
        *,
        tls: ssl.SSLContext | None = None,
        proxies: Sequence[Network] = (),
    ) -> None:
        """Take TCP connections on a listening socket, which is the gateway's from now on.

        Args:
            proxies: who may say, by a PROXY header, for whom it connects.
        """
        if proxies:
            listener = ProxyListener(
                sock=sock,
                make_carrier=self._make_carrier,
                tls=tls,
                proxies=proxies,
                tasks=self._tasks,
                timeout_s=self.policy.limits.log_in_timeout_s,
                max_opening=self.policy.max_connections,
            )
            self._servers.append(listener)
            return
        server = await asyncio.get_running_loop().create_server(
            self._make_carrier,
            sock=sock,
            ssl=tls,
            backlog=_BACKLOG,
            ssl_handshake_timeout=self.policy.limits.log_in_timeout_s if tls else None,
        )
        self._servers.append(server)

    async def serve_websocket(self, request: web.Request) -> web.StreamResponse:
        """Answer the HTTP request that opens a WebSocket; returns when that is closed.

        Raises:
            HTTPServiceUnavailable: the gateway is draining: a proxy may ask another unit.
        """
        if self.is_draining:
            self._counts.refused_connections += 1
            raise web.HTTPServiceUnavailable
        return await serve_websocket(
            request,
            connect=self._connect,
            nodes=self._nodes(),
            policy=self.policy,
            tasks=self._tasks,
        )

    def _connect(self, carrier: Carrier, address: str) -> Connection | None:
        if self.is_draining or len(self._connections) >= self.policy.max_connections:
            self._counts.refused_connections += 1
            return None
        connection = Connection(shared=self._shared, carrier=carrier, address=address)
        connection.by_websocket = not isinstance(carrier, TcpCarrier)
        self._connections.add(connection)
        self._counts.connections += 1
        return connection

    def _lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._entrance.leave(connection)

    # ---- time ------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Look at every connection once: deadlines, and what is to be said from time to time."""
        self._sweep(list(self._connections))

    def _sweep(self, connections: list[Connection]) -> None:
        now_s = self._clock.monotonic()
        for connection in connections:
            try:
                connection.sweep(now_s)
            except Exception:  # without the sweep nobody's deadlines would hold any more
                logger.exception("connection.sweep_failed")
                connection.abort()

    async def _sweep_for_ever(self) -> None:
        """Cheaper than a timer each: a microsecond a second per connection, in slices, so that
        nobody waits for the whole of it."""
        while True:
            connections = list(self._connections)
            size = len(connections) // _SLICES + 1
            for first in range(0, size * _SLICES, size):
                await asyncio.sleep(_SWEEP_INTERVAL_S / _SLICES)
                self._sweep(connections[first : first + size])

    # ---- the end ---------------------------------------------------------------------------------

    @property
    def is_draining(self) -> bool:
        """Whether it takes no more connections and log-ins."""
        return self._entrance.is_draining

    async def drain(self) -> None:
        """Stop listening, tell each client where to go and when, serve those who are still here,
        and, when the time is up or nobody is left who could take them, wait for answers on their
        way and close.

        A second call returns at once. What has not ended by the deadlines of the policy is cut
        off.
        """
        if self.is_draining:
            return
        at_once = GoAway(ErrorCode.DRAINING, 0)
        self._entrance.close(push_frame(PacketType.GO_AWAY, at_once))
        for server in self._servers:
            server.close()
        window_s = self._say_goodbye()
        if window_s is not None:
            await self._until(self._may_end, window_s + self.policy.drain_grace_s)
        await self._until(self._end_answered, self.policy.drain_timeout_s)
        for connection in tuple(self._connections):
            connection.end()
        await self._until(self._is_empty, self.policy.close_timeout_s)
        for connection in tuple(self._connections):
            connection.abort()
        await self._until(self._is_empty, self.policy.close_timeout_s)
        logger.info("gateway.drained", extra={"left": len(self._connections)})

    def _elsewhere(self) -> Sequence[Node]:
        return units_but(self._unit_id, self._nodes())

    def _say_goodbye(self) -> float | None:
        """Tell every client to go away; over how many seconds, None: there is nowhere to go."""
        units = self._elsewhere()
        clients = [one for one in self._connections if one.session.state is State.OPEN]
        window_s = window_of(len(clients), units, self.policy.drain_window_s)
        farewells = Farewells(clients=len(clients), units=units, window_s=window_s)
        for connection in clients:
            told = farewells.next(
                by_websocket=connection.by_websocket, by_proxy=connection.by_proxy
            )
            connection.drain(push_frame(PacketType.GO_AWAY, told))
        for connection in self._connections.difference(clients):
            connection.drain(push_frame(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0)))
        facts = {"clients": len(clients), "units": len(units), "window_s": round(window_s, 1)}
        logger.info("gateway.draining", extra=facts)
        return window_s if units else None

    def _may_end(self) -> bool:
        """Whether nobody is served any more, or nobody is left who could take them."""
        served = (one.session for one in self._connections)
        return (
            not any(one.caller is not None or one.is_authenticating for one in served)
            or not self._elsewhere()
        )

    def _end_answered(self) -> bool:
        """Close those to whom nothing is owed; whether that was everybody."""
        waiting = False
        for connection in tuple(self._connections):
            if connection.session.in_flight:
                waiting = True
            else:
                connection.end()
        return not waiting

    def _is_empty(self) -> bool:
        return not self._connections

    async def _until(self, is_so: Callable[[], bool], timeout_s: float) -> None:
        for _ in range(round(timeout_s / _POLL_INTERVAL_S)):
            if is_so():
                return
            await asyncio.sleep(_POLL_INTERVAL_S)

    # ---- figures ---------------------------------------------------------------------------------

    @property
    def sessions(self) -> int:
        """Connections that there are, logged in or not."""
        return len(self._connections)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "open_connections": len(self._connections),
            "running_tasks": len(self._tasks),
            "draining": int(self.is_draining),
            **self._counts.as_metrics(),
        }
