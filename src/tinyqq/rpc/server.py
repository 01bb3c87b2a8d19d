"""The port on which a node takes its peers' deliveries, sends and calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final, Self, cast

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeServicer, add_NodeServicer_to_server
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import UnitId
from tinyqq.model.places import authority
from tinyqq.ports.delivery import UnitLink
from tinyqq.ports.services import Services
from tinyqq.rpc.auth import Credentials, Guard
from tinyqq.rpc.figures import TellFigures
from tinyqq.rpc.inbound import Desk
from tinyqq.rpc.limits import SERVER_OPTIONS, LinkLimits

_MAX_RPCS: Final = 2000
"""Calls and streams at a time; what comes above is refused by gRPC."""
_QUIET_S: Final = 0.5
"""After so long without a question everybody has seen that the node leaves."""
_QUIET_TIMEOUT_S: Final = 10.0


class NodeServer:
    """Listens while ``async with`` is open. Leaving it reads no more, answers what was read (for
    ``stop_s`` at most), and ends every stream.

    Args:
        host: a name or an address of this machine.
        port: 0 takes a free one, see :attr:`port`.
        unit: takes deliveries.
        services: answer sends and calls.
        roles: those of them that are in this process.
        on_drain: called when an operator wants the node to leave.
        figures: what the node tells of itself; None: nothing.
    """

    def __init__(
        self,
        *,
        unit_id: UnitId,
        incarnation: str,
        host: str,
        port: int,
        credentials: Credentials,
        unit: UnitLink,
        services: Services,
        roles: frozenset[str],
        on_drain: Callable[[], None],
        limits: LinkLimits | None = None,
        figures: TellFigures | None = None,
    ) -> None:
        self.port = port
        self._address = authority(host, port)
        self._limits = limits or LinkLimits()
        self._credentials = credentials
        self._guard = Guard(credentials.secret)
        self._health = health.HealthServicer()
        self._desk = Desk(
            identity=pb.Identity(unit_id=unit_id, incarnation=incarnation),
            unit=unit,
            services=services,
            roles=roles,
            on_drain=on_drain,
            max_sends=self._limits.max_sends,
            figures=figures,
        )
        self._server: grpc.aio.Server | None = None

    async def __aenter__(self) -> Self:
        server = grpc.aio.server(
            interceptors=(self._guard,), options=SERVER_OPTIONS, maximum_concurrent_rpcs=_MAX_RPCS
        )
        add_NodeServicer_to_server(cast(NodeServicer, self._desk), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self.port = self._listen(server)
        await server.start()
        await self._health.set("", health_pb2.HealthCheckResponse.SERVING)
        self._server = server
        return self

    async def __aexit__(self, *_: object) -> None:
        server, self._server = self._server, None
        if server is not None:
            await self._health.enter_graceful_shutdown()
            self._desk.close()
            await server.stop(self._limits.stop_s)

    async def leave(self) -> None:
        """Tell whoever asks for its health that this node wants no more work."""
        await self._health.set("", health_pb2.HealthCheckResponse.NOT_SERVING)

    async def wait_quiet(self) -> None:
        """Wait until the other nodes have seen that this one leaves: they ask nothing any more, and
        what they asked is answered. A node that nobody ever asked does not wait."""
        if not self._desk.taken:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_QUIET_TIMEOUT_S):
                taken = -1
                while taken != self._desk.taken or self._desk.is_answering:
                    taken = self._desk.taken
                    await asyncio.sleep(_QUIET_S)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"strangers_total": self._guard.strangers, **self._desk.counters()}

    def _listen(self, server: grpc.aio.Server) -> int:
        secure = self._credentials.for_server()
        try:
            if secure is None:
                return server.add_insecure_port(self._address)
            return server.add_secure_port(self._address, secure)
        except RuntimeError as exc:
            raise Unavailable(ErrorCode.UNAVAILABLE, address=self._address) from exc
