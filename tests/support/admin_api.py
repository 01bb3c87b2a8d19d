"""The admin API around fakes, and who asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.dispatching import Picture
from tests.support.services import FakeApi, FakeUsers

from tinyqq.clock import Clock, SystemClock
from tinyqq.errors import ErrorCode, Unauthenticated, Unavailable
from tinyqq.http.admin_cluster import AskFigures, ClusterView
from tinyqq.http.admin_site import AdminSite
from tinyqq.http.problems import add_security_headers, tell_problems
from tinyqq.model.account import Caller, GetProfile, Profile
from tinyqq.model.figures import NodeFigures, Sample
from tinyqq.model.ids import DeviceId, SessionId, UnitId, UserId
from tinyqq.ports.presence import Presence
from tinyqq.ports.registry import Node
from tinyqq.presence.memory import MemoryPresence

ROOT = UserId(10_001)
ANN = UserId(10_002)
DEEDS = {
    ("POST", "/nodes/a/drain"): "drain",
    ("POST", "/users/10002/disable"): "disable",
    ("POST", "/users/10002/enable"): "enable",
    ("POST", "/users/10002/password"): "reset password",
    ("POST", "/users/10002/log-out"): "log out",
    ("POST", "/groups/10001/dismiss"): "dismiss",
}
"""Every path that changes something, and what the log calls it."""
PATHS = [
    ("GET", "/me"),
    ("GET", "/live"),
    ("GET", "/history"),
    ("GET", "/users"),
    ("GET", "/users/10002/devices"),
    ("GET", "/groups"),
    ("GET", "/groups/10001/members"),
    *DEEDS,
]
"""Every path of the admin API; a test compares it with what there is."""


class People(FakeUsers):
    """Root is the administrator; a token is the user's number."""

    def __init__(self) -> None:
        super().__init__()
        self.admins = {ROOT}
        self.is_away = False

    async def caller_of(self, token: str) -> Caller:
        """Implements ``ports.media.Bearers`` too."""
        if self.must_change_password:
            raise Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)
        if not token.isdigit():
            raise Unauthenticated(ErrorCode.TOKEN_INVALID)
        return Caller(UserId(int(token)), DeviceId(bytes(16)), SessionId(0))

    async def get_profile(self, caller: Any, request: GetProfile) -> Profile:
        """One's own, with the flag."""
        if self.is_away:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        is_admin = caller.user_id in self.admins
        return Profile(request.user_id, f"user {request.user_id}", is_admin=is_admin)


def node(name: str, **changes: Any) -> Node:
    """A node of the cluster."""
    plain = Node(UnitId(name), f"{name}-1", frozenset({"proxy", "chat"}), "", "", "1")
    return replace(plain, internal=f"{name}:7070", **changes)


def figures_of(one: Node, **changes: Any) -> NodeFigures:
    """What a node tells."""
    return replace(NodeFigures(one.unit_id, one.incarnation, at_ms=1, up_s=2.0), **changes)


def sample(at_ms: int) -> Sample:
    """An interval."""
    return Sample(at_ms, 5.0, 1, 2, 3, 4, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0)


async def answer_all(one: Node, samples: int) -> NodeFigures:
    """Every node answers, with as many samples as are wanted, three at most."""
    return figures_of(one, samples=tuple(sample(at) for at in range(min(samples, 3))))


class Cluster:
    """A view of nodes that a test shows, and who was asked to leave."""

    def __init__(
        self, *nodes: Node, ask: AskFigures = answer_all, clock: Clock | None = None
    ) -> None:
        self.registry = Picture(*nodes)
        self.drained: list[Node] = []
        self.view = ClusterView(
            own=UnitId("a"),
            registry=self.registry,
            ask=ask,
            drain=self._drain,
            clock=clock or SystemClock(),
            kinds={"registry": "memory"},
        )

    async def _drain(self, one: Node) -> None:
        self.drained.append(one)


class Desk:
    """The admin API on a loopback socket, asked as somebody."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    def headers(self, user_id: int | None = ROOT) -> dict[str, str]:
        """Of somebody's request; None: of nobody's."""
        if user_id is None:
            return {}
        return {"Authorization": f"Bearer {user_id}"}

    async def ask(
        self,
        method: str,
        path: str,
        *,
        by: int | None = ROOT,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """The status, and the answer's JSON."""
        async with self.session.request(
            method, f"{self.url}/v1/admin{path}", headers={**self.headers(by), **(headers or {})}
        ) as answer:
            return answer.status, await answer.json(
                content_type=None
            ) if answer.status != 204 else 0


def add_site(
    app: web.Application,
    *,
    users: People | None = None,
    cluster: Cluster | None = None,
    accounts: Any = None,
    groups: Any = None,
    presence: Presence | None = None,
) -> None:
    """The whole API; what is not given is a fake that answers nothing."""
    people = users or People()
    AdminSite(
        bearers=people,
        users=people,
        view=(cluster or Cluster(node("a"))).view,
        accounts=accounts or FakeApi(),
        groups=groups or FakeApi(),
        presence=presence or MemoryPresence(unit_id=UnitId("a")),
    ).add_to(app)


@asynccontextmanager
async def open_desk(**parts: Any) -> AsyncIterator[Desk]:
    """The API of these parts (see :func:`add_site`) on a socket."""
    app = web.Application(middlewares=[tell_problems])
    app.on_response_prepare.append(add_security_headers)
    add_site(app, **parts)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Desk(session, f"http://localhost:{server.port}")
