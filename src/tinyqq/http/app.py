"""The HTTP port as one aiohttp application: the parts list of what it answers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from tinyqq.clock import Clock
from tinyqq.http.admin_site import AdminSite
from tinyqq.http.cross_origin import let_pages_ask
from tinyqq.http.directory import PATH as DIRECTORY_PATH
from tinyqq.http.directory import UnitDirectory
from tinyqq.http.health import Check, Readiness, State, answer_health
from tinyqq.http.media import Media
from tinyqq.http.media_files import MediaFiles
from tinyqq.http.media_uploads import MediaUploads
from tinyqq.http.metrics import Counters, Metrics
from tinyqq.http.page import Page
from tinyqq.http.problems import Handler, add_security_headers, tell_problems
from tinyqq.http.proxies import Network, trust_proxies
from tinyqq.http.sessions import WebSessions
from tinyqq.http.site import Site
from tinyqq.http.tokens import TokenDesk
from tinyqq.ports.media import Bearers, MediaApi
from tinyqq.ports.registry import Registry
from tinyqq.ports.services import UserApi

MAX_REQUEST_BYTES: Final = 64 * 1024
_SHUTDOWN_TIMEOUT_S: Final = 2.0


def make_app(
    *,
    serve_websocket: Handler | None,
    registry: Registry,
    checks: Mapping[str, Check],
    parts: Mapping[str, Counters],
    agent: str,
    clock: Clock,
    is_draining: Callable[[], bool],
    states: Mapping[str, State] | None = None,
    show_metrics: bool = True,
    trusted_proxies: Sequence[Network] = (),
    users: UserApi | None = None,
    media: MediaApi | None = None,
    bearers: Bearers | None = None,
    web_folder: Path | None = None,
    admin: AdminSite | None = None,
) -> web.Application:
    """Everything that the port answers.

    Args:
        serve_websocket: answers ``/ws``; None: the node takes no clients.
        checks: what must be ready, by name.
        states: how the parts are that it can do without, by name.
        parts: counters for ``/metrics``, by the name of their part.
        agent: the server's name and version, shown on the page.
        is_draining: whether the node is leaving.
        trusted_proxies: whose word about the client's address is believed.
        users: lets pages log in, and programs get access tokens; None: they cannot.
        media, bearers: files, and who may ask for them; None: there are none.
        admin: what administrators ask; None: nobody is answered.
        web_folder: where the built web client is; without one ``/`` says how to chat.
    """
    app = web.Application(
        middlewares=[trust_proxies(trusted_proxies), tell_problems],
        client_max_size=MAX_REQUEST_BYTES,
    )
    app.on_response_prepare.append(add_security_headers)
    site = Site(web_folder) if web_folder else None
    if site is not None and site.is_built:
        site.add_to(app.router)
    else:
        app.router.add_get("/", Page(agent=agent).answer)
    if users is not None:
        WebSessions(users).add_to(app.router)
        TokenDesk(users).add_to(app.router)
    if media is not None and bearers is not None:
        MediaUploads(media, bearers).add_to(app.router)
        MediaFiles(media, bearers).add_to(app.router)
        Media(media, bearers).add_to(app.router)
    if admin is not None:
        admin.add_to(app)
    if serve_websocket is not None:
        app.router.add_get("/ws", serve_websocket)
    app.router.add_get("/healthz", answer_health)
    readiness = Readiness(checks, states=states, is_draining=is_draining)
    app.router.add_get("/readyz", readiness.answer)
    directory = UnitDirectory(registry, clock=clock)
    app.router.add_get(DIRECTORY_PATH, directory.answer)
    let_pages_ask(app)
    if show_metrics:
        metrics = Metrics({**parts, "directory": directory.counters})
        app.router.add_get("/metrics", metrics.answer)
    return app


@asynccontextmanager
async def serve_http(
    app: web.Application, sock: socket.socket, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Answer on a listening socket while the context is open.

    WebSockets that are open at its end are cut off: drain the gateway before.
    """
    runner = web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, sock, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()
