"""The admin API, wired: what this node measures of itself, and what it can ask the others."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from tinyqq.app.business import Business
from tinyqq.app.figures import OwnFigures
from tinyqq.app.ground import Ground
from tinyqq.app.history import History
from tinyqq.app.peers import Peers, ask_to_drain
from tinyqq.app.settings import Settings
from tinyqq.gateway.server import Gateway
from tinyqq.http.admin_cluster import ClusterView
from tinyqq.http.admin_site import AdminSite
from tinyqq.model.figures import NodeFigures
from tinyqq.ports.registry import Node


def make_history(ground: Ground, business: Business, gateway: Gateway) -> History:
    """The node's last hour; ``async with`` it."""
    return History(
        sends=lambda: int(gateway.counters()["sends_total"]),
        deliveries=lambda: ground.unit.deliveries,
        sessions=lambda: gateway.sessions,
        commits=business.commits,
        clock=ground.clock,
    )


def own_figures(
    ground: Ground, business: Business, gateway: Gateway, peers: Peers, history: History
) -> OwnFigures:
    """What this node tells of itself."""
    return OwnFigures(
        me=ground.me,
        clock=ground.clock,
        history=history,
        parts={
            "gateway": gateway.counters,
            "unit": ground.unit.counters,
            "lane": business.counters["lane"],
            "history": history.counters,
        },
        states=ground.states,
        ping=ground.storage.ping,
        links=peers.link_figures,
    )


def make_admin_site(
    settings: Settings,
    ground: Ground,
    business: Business,
    peers: Peers,
    *,
    figures: OwnFigures,
    on_drain: Callable[[], None],
) -> AdminSite:
    """Everything behind ``/v1/admin/``.

    Args:
        on_drain: called when an administrator asks this node to leave.
    """

    async def ask(node: Node, samples: int) -> NodeFigures:
        if node.unit_id == ground.me.unit_id or peers.ask_figures is None:
            return await figures.tell(samples)
        return await peers.ask_figures(node.unit_id, samples)

    async def drain(node: Node) -> None:
        if node.unit_id == ground.me.unit_id:
            on_drain()
        else:
            await ask_to_drain(settings, node)

    view = ClusterView(
        own=ground.me.unit_id,
        registry=ground.registry,
        ask=ask,
        drain=drain,
        clock=ground.clock,
        kinds={
            "registry": kind_of(settings.registry),
            "presence": kind_of(settings.presence),
            "storage": kind_of(settings.database),
        },
    )
    return AdminSite(
        bearers=business.bearers,
        users=business.services.user,
        view=view,
        accounts=business.admin,
        groups=business.groups,
        presence=ground.presence,
    )


def kind_of(url: str) -> str:
    """``redis+sentinel://…`` → ``redis``; ``memory`` is one itself."""
    return (urlsplit(url).scheme or url).partition("+")[0]
