"""The parts list of a node: the only place that knows which adapter stands behind which port.

Parts are entered from the ground up and left in the opposite order: the gateway drains first, then
the lane commits what is pending, then cursors are written, and the database is closed last.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from tinyqq import __version__
from tinyqq.app.administration import make_admin_site, make_history, own_figures
from tinyqq.app.business import Business, open_business
from tinyqq.app.control import listen_for_operator
from tinyqq.app.ground import Ground, open_ground
from tinyqq.app.listening import OpenPort, lan_addresses, open_port
from tinyqq.app.load import NodeLoad
from tinyqq.app.node import NodeEntry
from tinyqq.app.offline import make_data_dir
from tinyqq.app.peers import Me, NodePort, open_links, open_node_port
from tinyqq.app.settings import PROXY, Settings
from tinyqq.app.tls import load_tls
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.server import Gateway
from tinyqq.http.admin_site import AdminSite
from tinyqq.http.app import HttpParts, make_app, serve_http
from tinyqq.http.health import Readiness
from tinyqq.http.metrics import Counters
from tinyqq.model.ids import UnitId
from tinyqq.model.places import authority
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import Services
from tinyqq.services.admin import AccountAdmin
from tinyqq.storage.file_lock import FileLock
from tinyqq.storage.open import exit_at_once

_AGENT: Final = f"tinyqq/{__version__}"
_WEB_FOLDER: Final = Path(__file__).parents[1] / "_web"
"""Where the build puts the web client; not there in a checkout that was never built."""


@dataclass(frozen=True, slots=True)
class App:
    """A running node.

    ``tcp_address``, ``http_address``: where it listens; it has no TCP port where it takes no
    clients. ``fingerprint``: of its certificate, empty without TLS.
    """

    tcp_address: tuple[str, int] | None
    http_address: tuple[str, int]
    fingerprint: str
    services: Services
    admin: AccountAdmin
    unit_id: UnitId
    registry: Registry

    @property
    def tcp_url(self) -> str:
        """As a client takes it; empty: there is none."""
        if self.tcp_address is None:
            return ""
        return _url("tinyqqs" if self.fingerprint else "tinyqq", self.tcp_address)

    @property
    def http_url(self) -> str:
        """As a browser and a client take it."""
        return _url("https" if self.fingerprint else "http", self.http_address)

    @property
    def local_tcp_url(self) -> str:
        """``tcp_url`` as this machine reaches it."""
        return _local(self.tcp_url)

    @property
    def local_url(self) -> str:
        """``http_url`` as this machine reaches it."""
        return _local(self.http_url)


@contextlib.asynccontextmanager
async def build(
    settings: Settings,
    *,
    tcp: OpenPort | None = None,
    http: OpenPort | None = None,
    on_fatal: Callable[[Exception], None] = exit_at_once,
    on_drain: Callable[[], None] = lambda: None,
) -> AsyncIterator[App]:
    """Run a node until the end of the block.

    Args:
        tcp, http: listening sockets; None: opened as the settings say. Without the role proxy
            there is no TCP port.
        on_fatal: called, in another thread, when the database can no longer be trusted.
        on_drain: called when an operator asks the node to leave: the block should end.

    Raises:
        PortTaken, CannotListen: nobody can listen there.
        OSError: the data folder cannot be written.
        TlsError: the certificate cannot be used.
        InvalidRequest: the address of the database is none, or its driver is not installed.
        Unavailable: another process has the data folder or the database, or the registry does not
            answer.
    """
    listen = settings.listen
    is_proxy = PROXY in settings.roles
    with contextlib.ExitStack() as sockets:
        if is_proxy:
            tcp = tcp or open_port(listen.host, listen.tcp_port, is_default=False)
            sockets.enter_context(tcp.sock)
        http = http or open_port(listen.host, listen.http_port, is_default=False)
        sockets.enter_context(http.sock)
        make_data_dir(settings.data_dir)
        sockets.enter_context(FileLock(settings.data_dir / "node.lock"))
        now = datetime.datetime.now(datetime.UTC)
        tls = load_tls(settings.tls, settings.data_dir, addresses=lan_addresses(), now=now)
        me = Me(unit_name(settings, tcp or http), secrets.token_hex(8))
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            ground = await open_ground(enter, settings, me, on_fatal)
            on_break = ground.net.link_broke if ground.net else None
            peers = await enter(open_links(settings, me, ground.registry, ground.clock, on_break))
            business = await open_business(enter, settings, ground, peers)
            gateway = _gateway(settings, ground, business)
            history = await enter(make_history(ground, business, gateway))
            figures = own_figures(ground, business, gateway, peers, history)
            node_port = await enter(
                open_node_port(
                    settings,
                    me,
                    business.incoming,
                    business.own,
                    on_drain,
                    figures=figures.tell,
                )
            )
            await enter(gateway)
            app = App(
                tcp_address=(tcp.host, tcp.port) if tcp else None,
                http_address=(http.host, http.port),
                fingerprint=tls.fingerprint if tls else "",
                services=business.services,
                admin=business.admin,
                unit_id=me.unit_id,
                registry=ground.registry,
            )
            context = tls.context if tls else None
            if tcp:
                await gateway.listen_tcp(tcp.sock, tls=context, proxies=listen.trusted_proxies)
            admin = make_admin_site(
                settings, ground, business, peers, figures=figures, on_drain=on_drain
            )
            counters = {**node_port.counters, "history": history.counters}
            site = _site(settings, ground, business, gateway, admin=admin, counters=counters)
            await enter(serve_http(site, http.sock, tls=context))
            await enter(listen_for_operator(settings.data_dir, business.admin))
            entry = await enter(_node_entry(settings, ground, gateway, app, node_port))
            try:
                yield app
            finally:
                # Before the HTTP site goes, and its WebSockets with it.
                await entry.drain()
                await node_port.leave()
                await gateway.drain()
                await node_port.wait_quiet()


def unit_name(settings: Settings, port: OpenPort) -> UnitId:
    """What a node is called that listens there first."""
    return UnitId(settings.cluster.node_name or f"{socket.gethostname()}-{port.port}")


def _gateway(settings: Settings, ground: Ground, business: Business) -> Gateway:
    return Gateway(
        services=business.services,
        unit=ground.unit,
        delivery=business.delivery,
        presence=ground.presence,
        conversations=ground.storage.conversations,
        clock=ground.clock,
        agent=_AGENT,
        policy=_gateway_policy(settings),
        nodes=ground.registry.nodes,
    )


def _site(
    settings: Settings,
    ground: Ground,
    business: Business,
    gateway: Gateway,
    *,
    admin: AdminSite,
    counters: Mapping[str, Counters],
) -> web.Application:
    shown = {
        "gateway": gateway.counters,
        "unit": ground.unit.counters,
        **ground.counters,
        **business.counters,
        **counters,
    }
    parts = HttpParts(
        serve_websocket=gateway.serve_websocket if PROXY in settings.roles else None,
        registry=ground.registry,
        readiness=Readiness(
            {"storage": ground.storage.ping},
            states=ground.states,
            is_draining=lambda: gateway.is_draining,
        ),
        counters=shown if settings.http.metrics else None,
        agent=_AGENT,
        clock=ground.clock,
        trusted_proxies=settings.listen.trusted_proxies,
        users=business.services.user,
        media=business.media,
        bearers=business.bearers,
        web_folder=_WEB_FOLDER,
        admin=admin,
    )
    return make_app(parts)


def _node_entry(
    settings: Settings, ground: Ground, gateway: Gateway, app: App, node_port: NodePort
) -> NodeEntry:
    node = Node(
        unit_id=ground.me.unit_id,
        incarnation=ground.me.incarnation,
        roles=frozenset(settings.roles),
        public_tcp=app.tcp_url and (settings.listen.public_tcp or app.tcp_url),
        public_http=settings.listen.public_http or app.http_url,
        version=__version__,
        internal=node_port.address,
        log_ins_per_s=settings.limits.log_ins_per_s,
        listen_tcp=app.tcp_url,
        listen_http=app.http_url,
    )
    return NodeEntry(
        registry=ground.registry,
        node=node,
        sessions=lambda: gateway.sessions,
        writers=lambda: ground.storage.writers,
        load=NodeLoad(
            sessions=lambda: gateway.sessions,
            capacity=settings.limits.max_connections,
            clock=ground.clock,
        ),
    )


def _gateway_policy(settings: Settings) -> GatewayPolicy:
    limits = settings.limits
    return GatewayPolicy(
        limits=limits.to_limits(),
        max_connections=limits.max_connections,
        max_output_bytes=limits.max_output_bytes,
        drain_window_s=settings.drain.window_s,
        drain_grace_s=settings.drain.grace_s,
        log_ins_per_s=limits.log_ins_per_s,
        sessions_per_kind=settings.accounts.sessions_per_kind,
        requests_per_s=limits.requests_per_s,
        sends_per_s=limits.sends_per_s,
        web_origins=settings.http.web_origins,
    )


def _url(scheme: str, address: tuple[str, int]) -> str:
    return f"{scheme}://{authority(*address)}"


def _local(url: str) -> str:
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
