"""The HTTP port as one aiohttp application: the parts list of what it answers."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tinyqq.clock import Clock
from tinyqq.http.admin_site import AdminSite
from tinyqq.http.cross_origin import let_pages_ask
from tinyqq.http.directory import PATH as DIRECTORY_PATH
from tinyqq.http.directory import UnitDirectory
from tinyqq.http.health import Readiness, answer_health
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

logger = logging.getLogger(__name__)

MAX_REQUEST_BYTES: Final = 64 * 1024
_SHUTDOWN_TIMEOUT_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpParts:
    """What the port answers for.

    ``serve_websocket``: answers ``/ws``; None: the node takes no clients.
    ``counters``: for ``/metrics``, by the name of their part; None: it is not shown.
    ``agent``: the server's name and version, shown on the page.
    ``trusted_proxies``: whose word about the client's address is believed.
    ``users``: lets pages log in, and programs get access tokens; None: they cannot.
    ``media``, ``bearers``: files, and who may ask for them; None: there are none.
    ``admin``: what administrators ask; None: nobody is answered.
    ``web_folder``: where the built web client is; without one ``/`` says how to chat.
    """

    serve_websocket: Handler | None
    registry: Registry
    readiness: Readiness
    counters: Mapping[str, Counters] | None
    agent: str
    clock: Clock
    trusted_proxies: Sequence[Network] = ()
    users: UserApi | None = None
    media: MediaApi | None = None
    bearers: Bearers | None = None
    web_folder: Path | None = None
    admin: AdminSite | None = None


def make_app(parts: HttpParts) -> web.Application:
    """Everything that the port answers."""
    app = web.Application(
        middlewares=[trust_proxies(parts.trusted_proxies), tell_problems],
        client_max_size=MAX_REQUEST_BYTES,
    )
    app.on_response_prepare.append(add_security_headers)
    site = Site(parts.web_folder) if parts.web_folder else None
    if site is not None and site.is_built:
        site.add_to(app.router)
    else:
        app.router.add_get("/", Page(agent=parts.agent).answer)
    if parts.users is not None:
        WebSessions(parts.users).add_to(app.router)
        TokenDesk(parts.users).add_to(app.router)
    if parts.media is not None and parts.bearers is not None:
        MediaUploads(parts.media, parts.bearers).add_to(app.router)
        MediaFiles(parts.media, parts.bearers).add_to(app.router)
        Media(parts.media, parts.bearers).add_to(app.router)
    if parts.admin is not None:
        parts.admin.add_to(app)
    if parts.serve_websocket is not None:
        app.router.add_get("/ws", parts.serve_websocket)
    app.router.add_get("/healthz", answer_health)
    app.router.add_get("/readyz", parts.readiness.answer)
    directory = UnitDirectory(parts.registry, clock=parts.clock)
    app.router.add_get(DIRECTORY_PATH, directory.answer)
    let_pages_ask(app)
    if parts.counters is not None:
        metrics = Metrics({**parts.counters, "directory": directory.counters})
        app.router.add_get("/metrics", metrics.answer)
    return app


class _ServerLog(logging.LoggerAdapter[logging.Logger]):
    """The log of what aiohttp cannot hand to a handler. What a client has sent that is no HTTP is
    no fault of ours, and not worth a traceback to whoever can send it again and again."""

    # Any: what the standard library takes.
    def exception(self, msg: object, *args: Any, exc_info: Any = True, **more: Any) -> None:
        """A traceback, unless the client is to blame."""
        if isinstance(exc_info, (HttpProcessingError, web.RequestPayloadError)):
            self.debug(msg, *args)
        else:
            super().exception(msg, *args, exc_info=exc_info, **more)


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
        logger=_ServerLog(logger),
        handle_signals=False,
        shutdown_timeout=_SHUTDOWN_TIMEOUT_S,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, sock, ssl_context=tls).start()
        yield
    finally:
        await runner.cleanup()
