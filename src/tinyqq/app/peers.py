"""What a node has when it is not alone: links to the others, and a port for them.

A part of the composition root beside ``build.py``; the adapters are an optional extra, so they are
imported only when there is a registry that other nodes share.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tinyqq.app.listening import lan_addresses
from tinyqq.app.settings import MEMORY, PROXY, Settings
from tinyqq.app.tls import load_node_tls
from tinyqq.clock import Clock
from tinyqq.errors import needs_extra
from tinyqq.http.metrics import Counters
from tinyqq.model.figures import LinkFigures, NodeFigures
from tinyqq.model.ids import UnitId
from tinyqq.model.places import authority, is_everywhere
from tinyqq.ports.delivery import UnitLink
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import FindHome, Services
from tinyqq.services.gathering import nowhere

if TYPE_CHECKING:  # what they import is an optional extra
    from tinyqq.rpc.auth import Credentials
    from tinyqq.rpc.dispatch import Dispatch
    from tinyqq.rpc.placing import Placing

_FIGURES_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Me:
    """This process start of this unit."""

    unit_id: UnitId
    incarnation: str


@dataclass(frozen=True, slots=True)
class NodePort:
    """Where the other nodes find this one."""

    address: str
    """Empty: nowhere, nobody else can be."""
    counters: Mapping[str, Counters]
    leave: Callable[[], Awaitable[None]]
    """When this node leaves: says so to whoever asks for its health."""
    wait_quiet: Callable[[], Awaitable[None]]
    """When this node leaves: waits until the others ask nothing any more."""


@dataclass(frozen=True, slots=True)
class Peers:
    """The other nodes, as delivery sees them."""

    link: Callable[[UnitId], UnitLink | None]
    others: Callable[[], Sequence[UnitId]]
    services: Services | None
    """The roles at other nodes; None: there can be no others."""
    counters: Mapping[str, Counters]
    link_figures: Callable[[], tuple[LinkFigures, ...]] = tuple
    """What went over each link."""
    find_home: FindHome = nowhere
    """Where this node and the others gather a conversation that several of them write."""
    ask_figures: Callable[[UnitId, int], Awaitable[NodeFigures]] | None = None
    """What another node tells of itself, with so many samples; None: there can be no others."""


@contextlib.asynccontextmanager
async def open_links(
    settings: Settings,
    me: Me,
    registry: Registry,
    clock: Clock,
    on_break: Callable[[UnitId], None] | None = None,
) -> AsyncIterator[Peers]:
    """Links to whoever is in the registry; none where nobody else can be.

    Args:
        on_break: called when what was on its way between this node and another may be lost.
    """
    if settings.registry == MEMORY:
        yield Peers(link=lambda _: None, others=lambda: (), services=None, counters={})
        return
    with needs_extra("registry"):
        from tinyqq.rpc.dispatch import Dispatch
        from tinyqq.rpc.homes import Homes
        from tinyqq.rpc.links import Links
        from tinyqq.rpc.placing import Placing
    links = Links(
        own=me.unit_id,
        registry=registry,
        credentials=_credentials(settings),
        clock=clock,
        on_break=on_break,
    )
    others: tuple[UnitId, ...] = ()

    def see(nodes: Sequence[Node]) -> None:
        nonlocal others
        others = tuple(
            node.unit_id for node in nodes if PROXY in node.roles and node.unit_id != me.unit_id
        )

    async with links:
        registry.watch(see)
        see(registry.nodes())
        dispatch = Dispatch(own=me.unit_id, registry=registry, links=links, clock=clock)
        placing = Placing(own=me.unit_id, registry=registry, links=links)
        yield Peers(
            link=links.to,
            others=lambda: others,
            services=_remote(dispatch, placing),
            counters={
                "links": links.counters,
                "dispatch": dispatch.counters,
                "placing": placing.counters,
            },
            link_figures=links.figures,
            find_home=Homes(own=me.unit_id, registry=registry, links=links).find,
            ask_figures=partial(links.ask_figures, timeout_s=_FIGURES_TIMEOUT_S),
        )


def _remote(dispatch: Dispatch, placing: Placing) -> Services:
    with needs_extra("registry"):
        from tinyqq.rpc import client
    return Services(
        user=client.RemoteUsers(call=dispatch.call),
        friend=client.RemoteFriends(call=dispatch.call),
        group=client.RemoteGroups(call=dispatch.call),
        chat=client.RemoteChat(call=dispatch.call, send=placing.send),
        offline=client.RemoteOffline(call=dispatch.call, note=dispatch.note),
    )


@contextlib.asynccontextmanager
async def open_node_port(
    settings: Settings,
    me: Me,
    unit: UnitLink,
    services: Services,
    on_drain: Callable[[], None],
    *,
    figures: Callable[[int], Awaitable[NodeFigures]] | None = None,
) -> AsyncIterator[NodePort]:
    """Take deliveries, sends and calls of other nodes, for the roles of this one.

    Args:
        on_drain: called when an operator asks the node to leave.
        figures: what the node tells of itself; None: nothing.

    Raises:
        Unavailable: nobody can listen there.
    """
    if settings.registry == MEMORY:
        yield NodePort("", {}, _nothing, _nothing)
        return
    with needs_extra("registry"):
        from tinyqq.rpc.server import NodeServer
    server = NodeServer(
        unit_id=me.unit_id,
        incarnation=me.incarnation,
        host=settings.listen.host,
        port=settings.listen.node_port,
        credentials=_credentials(settings),
        unit=unit,
        services=services,
        roles=frozenset(settings.roles),
        on_drain=on_drain,
        figures=figures,
    )
    async with server:
        address = advertised(settings, server.port)
        counters = {"node_port": server.counters}
        yield NodePort(address, counters, server.leave, server.wait_quiet)


def advertised(settings: Settings, port: int) -> str:
    """``host:port`` at which the other nodes reach this one, which listens on *port*."""
    given = settings.cluster.advertise
    if (given and given.count(":") < 2) or given.startswith("["):  # not a bare IPv6 address
        parts = urlsplit(f"//{given}")
        return authority(parts.hostname or "", parts.port or port)
    host = given or settings.listen.host
    if is_everywhere(host):
        host = (*lan_addresses(), "127.0.0.1")[0]
    return authority(host, port)


async def ask_to_drain(settings: Settings, node: Node) -> None:
    """Ask another node to leave; returns when it has begun to.

    Raises:
        TinyQQError: it did not answer, or is another start of that node.
    """
    with needs_extra("registry"):
        from tinyqq.rpc.operator import ask_to_drain as ask
    await ask(node, _credentials(settings))


async def ask_health(settings: Settings, node: Node, *, timeout_s: float) -> None:
    """Return if another node answers, and lets this one ask.

    Raises:
        TinyQQError: it does not.
    """
    with needs_extra("registry"):
        from tinyqq.rpc.operator import ask_health as ask
    await ask(node, _credentials(settings), timeout_s=timeout_s)


async def _nothing() -> None:
    """Where nobody else can be, nobody asks."""


def _credentials(settings: Settings) -> Credentials:
    with needs_extra("registry"):
        from tinyqq.rpc.auth import Certificates, Credentials
    pem = load_node_tls(settings.cluster)
    return Credentials(
        settings.cluster.secret.get_secret_value().encode(), Certificates(*pem) if pem else None
    )
