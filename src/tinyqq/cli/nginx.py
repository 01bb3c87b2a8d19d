"""``tinyqq nginx``: an nginx configuration from the live registry: printed, written, kept true."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tinyqq.app.nginx import Front, NginxError, find_stream_module, make_config
from tinyqq.app.nginx_watch import NginxWatch, nginx_of, write_file
from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.run import stop_on_signals
from tinyqq.app.settings import Settings
from tinyqq.cli import console, options
from tinyqq.cli.nodes import cluster_settings
from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.log import configure_logging

_LISTEN = re.compile(r"(?:(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):)?\d{1,5}")


def _check_listen(text: str) -> str:
    if text and not _LISTEN.fullmatch(text):
        raise typer.BadParameter(f"{text!r} is not [HOST:]PORT")
    return text


Listen = partial(typer.Option, metavar="[HOST:]PORT", callback=_check_listen)


def nginx(
    *,
    tcp: Annotated[str, Listen(help="Where nginx listens for TCP; '': not at all.")] = "7000",
    http: Annotated[
        str, Listen(help="Where it listens for HTTP and WebSocket; '': not at all.")
    ] = "8080",
    tls_cert: Annotated[
        Path | None, typer.Option(help="Certificate chain, PEM: nginx speaks TLS to clients.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key, PEM.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write it to this file, if it has changed.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: write, test and reload when units come and go.")
    ] = False,
    reload: Annotated[
        str,
        typer.Option(
            help="Shell command after a change.", show_default="nginx -s reload -c OUTPUT"
        ),
    ] = "",
    home: Annotated[
        Path | None,
        typer.Option(help="Folder for the pid, log and temporary files of an nginx of its own."),
    ] = None,
    stream_module: Annotated[
        Path | None,
        typer.Option(
            help="nginx's stream module, if it is not built in.", show_default="as it is here"
        ),
    ] = None,
    shutdown_timeout: Annotated[
        int, typer.Option(min=1, help="Seconds that open connections outlive a reload.")
    ] = 3600,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """Print an nginx configuration for the units that the registry shows."""
    settings = cluster_settings(config, set_)
    texts = console.texts()
    if (tls_cert is None) != (tls_key is None):
        raise typer.BadParameter("--tls-cert and --tls-key go together")
    if watch and output is None:
        raise typer.BadParameter("--watch needs --output")
    front = Front(
        tcp=tcp,
        http=http,
        cert_file=tls_cert,
        key_file=tls_key,
        stream_module=stream_module or find_stream_module(),
        home=home and home.absolute(),
        idle_timeout_s=settings.limits.idle_timeout_s,
        shutdown_timeout_s=shutdown_timeout,
    )
    try:
        if watch and output is not None:
            configure_logging(log_format=settings.log.format, level=settings.log.level)
            asyncio.run(_watch(settings, front, output.absolute(), reload))
        else:
            asyncio.run(_once(settings, front, output))
    except NginxError as exc:
        console.fail(texts("nginx.failed", reason=exc))
    except TinyQQError as exc:
        options.fail_storage(exc, settings)
    except OSError as exc:
        console.fail(texts("nginx.failed", reason=exc))


async def _once(settings: Settings, front: Front, output: Path | None) -> None:
    async with zookeeper_registry(settings, SystemClock()) as registry:
        text = make_config(registry.nodes(), front)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_file(output, text)


async def _watch(settings: Settings, front: Front, output: Path, reload: str) -> None:
    nginx = nginx_of(output, reload=reload)
    with stop_on_signals() as stop:
        async with (
            zookeeper_registry(settings, SystemClock()) as registry,
            asyncio.TaskGroup() as group,
        ):
            watch = NginxWatch(
                registry=registry,
                make=partial(make_config, front=front),
                output=output,
                nginx=nginx,
            )
            task = group.create_task(watch.run(), name="nginx-watch")
            await stop.wait()
            task.cancel()
