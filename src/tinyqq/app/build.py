"""The parts list of a node: the only place that knows which adapter stands behind which port.

Parts are entered from the ground up and left in the opposite order: the gateway drains first, then
the lane commits what is pending, then cursors are written, and the database is closed last.
"""

from __future__ import annotations

import contextlib
import datetime
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from aiohttp import web

from tinyqq import __version__
from tinyqq.app.control import listen_for_operator
from tinyqq.app.listening import OpenPort, lan_addresses, open_port
from tinyqq.app.node import NodeEntry
from tinyqq.app.offline import make_data_dir
from tinyqq.app.peers import Me, Peers, needs_extra, open_links, open_node_port
from tinyqq.app.settings import MEMORY, AccountSettings, Settings
from tinyqq.app.tls import load_tls
from tinyqq.clock import Clock, SystemClock
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.gateway.server import Gateway
from tinyqq.gateway.unit import LocalUnit
from tinyqq.http.app import make_app, serve_http
from tinyqq.http.health import State
from tinyqq.http.metrics import Counters
from tinyqq.model.ids import HELPER_ID, UnitId
from tinyqq.ports.delivery import Delivery, UnitLink
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Node, Registry
from tinyqq.ports.services import Services
from tinyqq.presence.memory import MemoryPresence
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.services.admin import AccountAdmin
from tinyqq.services.chat import ChatService
from tinyqq.services.delivery import DeliveryService
from tinyqq.services.friends import FriendService
from tinyqq.services.groups import GroupService
from tinyqq.services.helper import Helper, HelperInbox
from tinyqq.services.lane import Lane, LaneLimits
from tinyqq.services.offline import OfflineService
from tinyqq.services.passwords import PasswordPool
from tinyqq.services.throttle import Rate, Throttle, ThrottleRates
from tinyqq.services.tokens import open_access_tokens
from tinyqq.services.users import AccountPolicy, Registration, UserService
from tinyqq.storage.open import Storage, exit_at_once, open_storage

if TYPE_CHECKING:  # what they import is an optional extra
    from tinyqq.presence.redis import RedisPresence
    from tinyqq.registry.zookeeper import ZookeeperRegistry

ROLES: Final = frozenset({"proxy", "user", "friend", "group", "chat", "offline"})
_AGENT: Final = f"tinyqq/{__version__}"


_Part = TypeVar("_Part")


class Enter(Protocol):
    """Enters a part now; the exit stack leaves it at the end."""

    def __call__(self, part: AbstractAsyncContextManager[_Part], /) -> Awaitable[_Part]:
        """The part, running."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """A running node.

    ``tcp_address``, ``http_address``: where it listens. ``fingerprint``: of its certificate, empty
    without TLS.
    """

    tcp_address: tuple[str, int]
    http_address: tuple[str, int]
    fingerprint: str
    services: Services
    admin: AccountAdmin
    unit_id: UnitId
    registry: Registry

    @property
    def tcp_url(self) -> str:
        """As a client takes it."""
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
) -> AsyncIterator[App]:
    """Run a node until the end of the block.

    Args:
        tcp, http: listening sockets; None: opened as the settings say.
        on_fatal: called, in another thread, when the database can no longer be trusted.

    Raises:
        PortTaken, CannotListen: nobody can listen there.
        OSError: the data folder cannot be written.
        TlsError: the certificate cannot be used.
        InvalidRequest: the address of the database is none, or its driver is not installed.
        Unavailable: another process has the database, or the registry does not answer.
    """
    listen = settings.listen
    tcp = tcp or open_port(listen.host, listen.tcp_port, is_default=False)
    http = http or open_port(listen.host, listen.http_port, is_default=False)
    with tcp.sock, http.sock:
        make_data_dir(settings.data_dir)
        now = datetime.datetime.now(datetime.UTC)
        tls = load_tls(settings.tls, settings.data_dir, addresses=lan_addresses(), now=now)
        unit_id = UnitId(f"{socket.gethostname()}-{tcp.port}")
        async with contextlib.AsyncExitStack() as stack:
            enter = stack.enter_async_context
            me = Me(unit_id, secrets.token_hex(8))
            ground = await _ground(enter, settings, me, on_fatal)
            roles = await _roles(enter, settings, ground)
            node_port = open_node_port(settings, me, ground.unit, roles.services, ROLES)
            internal, node_counters = await enter(node_port)
            gateway = await enter(_gateway(settings, ground, roles))
            app = App(
                tcp_address=(tcp.host, tcp.port),
                http_address=(http.host, http.port),
                fingerprint=tls.fingerprint if tls else "",
                services=roles.services,
                admin=roles.admin,
                unit_id=unit_id,
                registry=ground.registry,
            )
            context = tls.context if tls else None
            await gateway.listen_tcp(tcp.sock, tls=context)
            site = _site(settings, ground, roles, gateway, node_counters)
            await enter(serve_http(site, http.sock, tls=context))
            await enter(listen_for_operator(settings.data_dir, roles.admin))
            entry = await enter(_node_entry(settings, ground, gateway, app, internal))
            try:
                yield app
            finally:
                # Before the HTTP site goes, and its WebSockets with it.
                await entry.drain()
                await gateway.drain()


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all roles stand on."""

    me: Me
    clock: Clock
    storage: Storage
    registry: Registry
    presence: Presence
    unit: LocalUnit
    states: Mapping[str, State]
    counters: Mapping[str, Counters]


async def _ground(
    enter: Enter, settings: Settings, me: Me, on_fatal: Callable[[Exception], None]
) -> _Ground:
    clock = SystemClock()
    storage = await enter(open_storage(settings.database, on_fatal=on_fatal))
    states: dict[str, State] = {}
    counters: dict[str, Counters] = {"storage": storage.counters}

    registry: Registry = MemoryRegistry()
    is_live = _everybody
    if settings.registry != MEMORY:
        zookeeper = await enter(_zookeeper(settings, clock))
        registry, is_live = zookeeper, zookeeper.is_live
        states["registry"] = lambda: zookeeper.state
        counters["registry"] = zookeeper.counters

    presence: Presence
    if settings.presence == MEMORY:
        memory = MemoryPresence(unit_id=me.unit_id)
        presence, counters["presence"] = memory, memory.counters
    else:
        redis = await enter(_redis(settings, me, is_live, clock))
        presence, counters["presence"] = redis, redis.counters
        states["presence"] = lambda: redis.state

    unit = LocalUnit(unit_id=me.unit_id, presence=presence, conversations=storage.conversations)
    return _Ground(
        me=me,
        clock=clock,
        storage=storage,
        registry=registry,
        presence=presence,
        unit=await enter(unit),
        states=states,
        counters=counters,
    )


def _zookeeper(settings: Settings, clock: Clock) -> ZookeeperRegistry:
    with needs_extra("registry"):
        from tinyqq.registry.zookeeper import ZookeeperRegistry
    return ZookeeperRegistry(
        url=settings.registry, clock=clock, session_timeout_s=settings.registry_session_timeout_s
    )


def _redis(
    settings: Settings, me: Me, is_live: Callable[[UnitId, str], bool], clock: Clock
) -> RedisPresence:
    with needs_extra("presence"):
        from tinyqq.presence.redis import RedisPresence
    return RedisPresence(
        url=settings.presence,
        unit_id=me.unit_id,
        incarnation=me.incarnation,
        is_live=is_live,
        clock=clock,
    )


def _everybody(unit_id: UnitId, incarnation: str) -> bool:
    """A registry of one cannot say who else lives."""
    return True


@dataclass(frozen=True, slots=True)
class _Roles:
    """The business roles, and the operator's desk beside them."""

    services: Services
    admin: AccountAdmin
    delivery: Delivery
    counters: Mapping[str, Counters]


async def _roles(enter: Enter, settings: Settings, ground: _Ground) -> _Roles:
    clock = ground.clock
    storage = ground.storage
    accounts, conversations = storage.accounts, storage.conversations
    has_helper = settings.helper.enabled

    inbox = HelperInbox(ground.unit)
    peers = await enter(open_links(settings, ground.me, ground.registry, clock))
    delivery = await enter(_delivery(ground, inbox if has_helper else ground.unit, peers))
    offline = await enter(
        OfflineService(
            reader=storage.log_reader, conversations=conversations, delivery=delivery, clock=clock
        )
    )
    limits = LaneLimits(max_batch_bytes=storage.max_batch_bytes)
    lane = await enter(Lane(log=storage.log_writer, delivery=delivery, clock=clock, limits=limits))
    chat = ChatService(
        lane=lane,
        reader=storage.log_reader,
        max_text_chars=settings.limits.max_text_chars,
        on_sent=offline.note_sent,
    )
    friends = FriendService(
        lane=lane,
        accounts=accounts,
        conversations=conversations,
        presence=ground.presence,
        delivery=delivery,
        clock=clock,
        house_accounts=frozenset({HELPER_ID} if has_helper else ()),
    )
    groups = GroupService(
        lane=lane,
        accounts=accounts,
        conversations=conversations,
        log_reader=storage.log_reader,
        clock=clock,
        member_limit=settings.groups.member_limit,
    )
    helper = Helper(inbox=inbox, lane=lane, accounts=accounts, friends=friends, clock=clock)
    if has_helper:
        await helper.ensure_account()
        await enter(helper)
    passwords = await enter(_password_pool(settings.accounts))
    throttle = Throttle(clock=clock, rates=_rates(settings.accounts))
    users = UserService(
        accounts=accounts,
        friends=friends,
        groups=groups,
        delivery=delivery,
        passwords=passwords,
        tokens=await open_access_tokens(
            accounts, lifetime_s=settings.accounts.access_token_lifetime_s
        ),
        throttle=throttle,
        clock=clock,
        policy=_account_policy(settings.accounts),
        welcome=helper.welcome if has_helper else None,
    )
    return _Roles(
        services=Services(user=users, friend=friends, group=groups, chat=chat, offline=offline),
        admin=AccountAdmin(accounts=accounts, passwords=passwords, delivery=delivery, clock=clock),
        delivery=delivery,
        counters={
            **peers.counters,
            "delivery": delivery.counters,
            "lane": lane.counters,
            "offline": offline.counters,
            "password": passwords.counters,
            "throttle": throttle.counters,
            "helper": helper.counters,
        },
    )


def _delivery(ground: _Ground, local: UnitLink, peers: Peers) -> DeliveryService:
    return DeliveryService(
        own=ground.me.unit_id,
        local=local,
        presence=ground.presence,
        link=peers.link,
        peers=peers.others,
    )


def _gateway(settings: Settings, ground: _Ground, roles: _Roles) -> Gateway:
    return Gateway(
        services=roles.services,
        unit=ground.unit,
        delivery=roles.delivery,
        presence=ground.presence,
        conversations=ground.storage.conversations,
        clock=ground.clock,
        agent=_AGENT,
        policy=_gateway_policy(settings),
    )


def _site(
    settings: Settings,
    ground: _Ground,
    roles: _Roles,
    gateway: Gateway,
    node_counters: Mapping[str, Counters],
) -> web.Application:
    return make_app(
        serve_websocket=gateway.serve_websocket,
        registry=ground.registry,
        checks={"storage": ground.storage.ping},
        states=ground.states,
        parts={
            "gateway": gateway.counters,
            "unit": ground.unit.counters,
            **ground.counters,
            **roles.counters,
            **node_counters,
        },
        agent=_AGENT,
        show_metrics=settings.http.metrics,
        trusted_proxies=settings.http.trusted_proxies,
    )


def _node_entry(
    settings: Settings, ground: _Ground, gateway: Gateway, app: App, internal: str
) -> NodeEntry:
    node = Node(
        unit_id=ground.me.unit_id,
        incarnation=ground.me.incarnation,
        roles=ROLES,
        public_tcp=app.tcp_url,
        public_http=app.http_url,
        version=__version__,
        internal=internal,
    )
    return NodeEntry(
        registry=ground.registry,
        node=node,
        sessions=lambda: gateway.sessions,
        capacity=settings.limits.max_connections,
    )


def _password_pool(accounts: AccountSettings) -> PasswordPool:
    return PasswordPool(memory_kib=accounts.argon2_memory_kib, passes=accounts.argon2_passes)


def _rates(accounts: AccountSettings) -> ThrottleRates:
    return ThrottleRates(
        log_ins_per_address=Rate(accounts.log_ins_per_address_per_minute, 60),
        registrations_per_address=Rate(accounts.registrations_per_address_per_hour, 3600),
    )


def _account_policy(accounts: AccountSettings) -> AccountPolicy:
    return AccountPolicy(
        registration=Registration(accounts.registration),
        invite_code=accounts.invite_code.get_secret_value(),
        refresh_lifetime_s=accounts.refresh_token_lifetime_s,
    )


def _gateway_policy(settings: Settings) -> GatewayPolicy:
    limits = settings.limits
    return GatewayPolicy(
        limits=limits.to_limits(),
        max_connections=limits.max_connections,
        max_output_bytes=limits.max_output_bytes,
        sessions_per_kind=settings.accounts.sessions_per_kind,
        requests_per_s=limits.requests_per_s,
        sends_per_s=limits.sends_per_s,
        web_origins=settings.http.web_origins,
    )


def _url(scheme: str, address: tuple[str, int]) -> str:
    host, port = address
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _local(url: str) -> str:
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
