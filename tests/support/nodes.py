"""Two nodes in one process: one listens on a loopback port, the other has links to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

import grpc.aio
from tests.support.services import FakeServices

from tinyqq.clock import Clock, SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, SessionId, UnitId, UserId
from tinyqq.model.message import Sent
from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink
from tinyqq.ports.registry import Node
from tinyqq.ports.services import Send, Services
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.figures import TellFigures
from tinyqq.rpc.limits import CHANNEL_OPTIONS, LinkLimits
from tinyqq.rpc.links import Links, Peer
from tinyqq.rpc.server import NodeServer

NEAR: Final = UnitId("near")
FAR: Final = UnitId("far")
ROLES: Final = frozenset({"user", "friend", "group", "chat", "offline"})
CREDENTIALS: Final = Credentials(b"a secret of the cluster")
CALLER: Final = Caller(UserId(10_001), DeviceId(b"d" * 16), SessionId(7), language="zh-CN")
CHAT: Final = ConversationId(10_001 << 32 | 10_002)
QUICK: Final = LinkLimits(
    open_timeout_s=20.0, write_timeout_s=20.0, send_timeout_s=60.0, stop_s=20.0, first_wait_s=0.05
)
"""Quick to try again; the deadlines are for tests of deadlines to shorten."""


class RecordingUnit:
    """Implements ``ports.delivery.UnitLink``: writes down what comes, in its order."""

    def __init__(self) -> None:
        self.got: list[Push | Hint | Kick] = []

    def push(self, pushes: Sequence[Push]) -> None:
        """Write down."""
        self.got += pushes

    def hint(self, hints: Sequence[Hint]) -> None:
        """Write down."""
        self.got += hints

    def kick(self, kicks: Sequence[Kick]) -> None:
        """Write down."""
        self.got += kicks


class Outcomes:
    """What became of sends, in the order of the answers."""

    def __init__(self) -> None:
        self.by_number: list[tuple[int, Sent | TinyQQError]] = []

    def send(self, number: int, content: bytes = b"", conversation_id: int = CHAT) -> Send:
        """A send whose outcome is written down under its number."""
        return Send(
            CALLER,
            ConversationId(conversation_id),
            OperationId(number.to_bytes(16, "big")),
            1,
            content,
            lambda outcome: self.by_number.append((number, outcome)),
        )

    def numbers(self) -> list[int]:
        """Who has been answered."""
        return [number for number, _ in self.by_number]

    def refusals(self) -> list[TinyQQError]:
        """The answers that are refusals."""
        return [one for _, one in self.by_number if isinstance(one, TinyQQError)]


class FarNode:
    """The node that listens, and the registry that shows it."""

    def __init__(
        self,
        *,
        unit: UnitLink | None = None,
        services: Services | None = None,
        limits: LinkLimits = QUICK,
        credentials: Credentials = CREDENTIALS,
        roles: frozenset[str] = ROLES,
        figures: TellFigures | None = None,
    ) -> None:
        self.unit = RecordingUnit()
        self.asked_to_drain = asyncio.Event()
        self.fakes = FakeServices()
        self.registry = MemoryRegistry()
        self.limits = limits
        self.credentials = credentials
        self._unit = unit or self.unit
        self._services = services or self.fakes.services
        self._roles = roles
        self._figures = figures
        self.node = Node(FAR, "first", roles, "", "", "1")

    @asynccontextmanager
    async def listen(self, incarnation: str = "first") -> AsyncIterator[NodeServer]:
        """Open the port and show it in the registry."""
        async with NodeServer(
            unit_id=FAR,
            incarnation=incarnation,
            host="127.0.0.1",
            port=0,
            credentials=self.credentials,
            unit=self._unit,
            services=self._services,
            roles=self._roles,
            on_drain=self.asked_to_drain.set,
            limits=self.limits,
            figures=self._figures,
        ) as server:
            await self.show(f"127.0.0.1:{server.port}", incarnation)
            yield server

    async def show(self, internal: str, incarnation: str = "first") -> None:
        """Show the node at an address."""
        self.node = replace(self.node, internal=internal, incarnation=incarnation)
        await self.registry.register(self.node)

    def links(self, clock: Clock | None = None, **options: Any) -> Links:
        """Links of the other node; ``async with`` them."""
        return Links(
            own=NEAR,
            registry=self.registry,
            credentials=options.pop("credentials", CREDENTIALS),
            clock=clock or SystemClock(),
            limits=options.pop("limits", self.limits),
            **options,
        )


@asynccontextmanager
async def open_pair(**options: Any) -> AsyncIterator[tuple[FarNode, Peer]]:
    """A far node that listens, and the near one's peer of it."""
    far = FarNode(**options)
    async with far.listen(), far.links() as links:
        peer = links.peer(FAR)
        assert peer is not None
        yield far, peer


@asynccontextmanager
async def open_channel(port: int) -> AsyncIterator[grpc.aio.Channel]:
    """A bare channel, as anybody could open it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS) as channel:
        yield channel


def own_tasks() -> set[asyncio.Task[Any]]:
    """Every task of the event loop but the test's."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
