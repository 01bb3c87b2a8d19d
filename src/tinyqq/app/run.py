"""A node as a process: event loop, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import importlib.util
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tinyqq.app.build import App, build, unit_name
from tinyqq.app.listening import OpenPort, open_port
from tinyqq.app.settings import MEMORY, PROXY, Settings
from tinyqq.app.sources import LoadedSettings
from tinyqq.log import configure_logging

if sys.platform != "win32":
    import resource

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """The listening sockets of a node; no TCP port without the role proxy."""

    tcp: OpenPort | None
    http: OpenPort


Attend = Callable[[App], contextlib.AbstractAsyncContextManager[Any]]
"""What runs beside a node: made when it listens, entered and left with it."""


def run_node(
    loaded: LoadedSettings, *, announce: Callable[[App, Ports], None], attend: Attend | None = None
) -> None:
    """Run a node until SIGTERM or SIGINT, then drain and stop it.

    Args:
        announce: called when the node listens.
        attend: something that runs beside it, within ``async with``.

    Raises:
        PortTaken, CannotListen, TlsError, TinyQQError, OSError: as :func:`tinyqq.app.build.build`.
    """
    settings = loaded.settings
    raise_descriptor_limit(settings.limits.max_connections + 256)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(loaded, announce=announce, attend=attend or _nothing))


async def serve(
    loaded: LoadedSettings, *, announce: Callable[[App, Ports], None], attend: Attend
) -> None:
    """The same within a running event loop."""
    with stop_on_signals() as stop:
        ports = open_ports(loaded)
        begin_log(loaded.settings, ports)
        async with (
            build(loaded.settings, tcp=ports.tcp, http=ports.http, on_drain=stop.set) as app,
            attend(app),
        ):
            announce(app, ports)
            logger.info("node.started", extra={"tcp": app.tcp_url, "http": app.http_url})
            with calm_collector():
                await stop.wait()
            logger.info("node.stopping")
    logger.info("node.stopped")


def begin_log(settings: Settings, ports: Ports) -> None:
    """Log as the settings say. In a cluster every line names the node: the lines of several may lie
    together."""
    here = {"here": unit_name(settings, ports.tcp or ports.http)}
    configure_logging(
        log_format=settings.log.format,
        level=settings.log.level,
        fields=here if settings.registry != MEMORY else {},
    )


def open_ports(loaded: LoadedSettings) -> Ports:
    """Listen where the settings say; ports that nobody chose may move.

    Raises:
        PortTaken, CannotListen: nobody can listen there.
    """
    listen = loaded.settings.listen
    tcp = None
    if PROXY in loaded.settings.roles:
        is_default = loaded.is_default("listen.tcp_port")
        tcp = open_port(listen.host, listen.tcp_port, is_default=is_default)
    try:
        http = open_port(
            listen.host, listen.http_port, is_default=loaded.is_default("listen.http_port")
        )
    except BaseException:
        if tcp:
            tcp.sock.close()
        raise
    return Ports(tcp, http)


@contextlib.contextmanager
def stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. A second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def on_signal(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    # signal.signal and not loop.add_signal_handler, which Windows does not have.
    for number in old:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop's loop where it is installed (Windows has none)."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop]
    factory = importlib.import_module("uvloop").new_event_loop
    return factory


@contextlib.contextmanager
def calm_collector() -> Iterator[None]:
    """Let the garbage collector look at what is new only, and less often.

    The modules and parts of a node live as long as it does, and messages leave no circles behind:
    looking through all of it after every 700 new objects costs a tenth of the hot path.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def raise_descriptor_limit(wanted: int) -> int:
    """Let this process open as many files as it may, up to *wanted*; returns how many."""
    if sys.platform == "win32":
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        with contextlib.suppress(OSError, ValueError):  # macOS has a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@contextlib.asynccontextmanager
async def _nothing(app: App) -> AsyncIterator[None]:
    yield
