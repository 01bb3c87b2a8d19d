"""``tinyqq serve``: a node, and what it tells whoever started it."""

from __future__ import annotations

import os
from collections.abc import Callable

import typer

from tinyqq import __version__
from tinyqq.app.build import App
from tinyqq.app.listening import CannotListen, OpenPort, PortTaken, lan_addresses
from tinyqq.app.run import Attend, Ports, run_node
from tinyqq.app.settings import Settings
from tinyqq.app.sources import LoadedSettings
from tinyqq.app.tls import TlsError
from tinyqq.cli import console, options
from tinyqq.cli.console import ExitCode
from tinyqq.cli.texts import Texts
from tinyqq.errors import TinyQQError
from tinyqq.model.places import is_everywhere

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    *,
    roles: options.Roles = None,
    host: options.Host = None,
    tcp_port: options.TcpPort = None,
    http_port: options.HttpPort = None,
    data_dir: options.DataDir = None,
    registration: options.Registration = None,
    tls_cert: options.TlsCert = None,
    tls_key: options.TlsKey = None,
    tls_self_signed: options.TlsSelfSigned = None,
    log_level: options.LogLevel = None,
    log_format: options.LogFormat = None,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """Run a server until Ctrl-C. It keeps everything in its data folder."""
    flags = {
        "roles": roles,
        "listen.host": host,
        "listen.tcp_port": tcp_port,
        "listen.http_port": http_port,
        "data_dir": data_dir,
        "accounts.registration": registration,
        "tls.cert_file": tls_cert,
        "tls.key_file": tls_key,
        "tls.self_signed": tls_self_signed,
        "log.level": log_level,
        "log.format": log_format,
    }
    run(options.load(config, flags, set_))


def run(
    loaded: LoadedSettings,
    *,
    attend: Attend | None = None,
    tell: Callable[[Texts], None] | None = None,
) -> None:
    """Run a node; ends the command with a message when it cannot run.

    Args:
        attend: runs beside it.
        tell: says more when it listens; None: that there is a demo.
    """
    texts = console.texts()
    settings = loaded.settings

    def on_listening(app: App, ports: Ports) -> None:
        announce(app, ports, settings, texts)
        if tell is None and app.tcp_url:
            typer.echo(texts("serve.demo", command="make demo" if _in_make() else "tinyqq demo"))
        elif tell is not None:
            tell(texts)
        typer.echo(texts("serve.stop"))

    try:
        run_node(loaded, announce=on_listening, attend=attend)
    except PortTaken as exc:
        owner = exc.owner or texts("error.unknown_owner")
        console.fail(
            texts("error.port_taken", host=exc.host, port=exc.port, owner=owner),
            ExitCode.PORT_TAKEN,
        )
    except CannotListen as exc:
        console.fail(texts("error.listen", host=exc.host, reason=exc.reason))
    except TlsError as exc:
        console.fail(texts("error.tls", reason=exc), ExitCode.SETTINGS)
    except (TinyQQError, OSError) as exc:
        options.fail_storage(exc, settings)
    typer.echo(texts("serve.stopped"))


def announce(app: App, ports: Ports, settings: Settings, texts: Texts) -> None:
    """Tell where the node is, and what to type next."""
    for opened in filter(None, (ports.tcp, ports.http)):
        say_moved(opened, texts)
    typer.secho(texts("serve.ready", version=__version__), bold=True)
    if not app.tcp_url:
        typer.echo(texts("serve.roles", roles=", ".join(settings.roles), url=app.local_url))
        return
    typer.echo(texts("serve.page", url=app.local_url))
    typer.echo(texts("serve.tcp", url=app.local_tcp_url))
    host, port = app.http_address
    if is_everywhere(host):
        for address in lan_addresses():
            url = app.http_url.replace(f"{host}:{port}", f"{address}:{port}")
            typer.echo(texts("serve.lan", url=url))
    if app.fingerprint:
        typer.echo(texts("serve.fingerprint", fingerprint=app.fingerprint))
    typer.echo(texts("serve.data", path=settings.data_dir.absolute()))
    typer.echo(texts("serve.chat", command=chat_command(app)))
    say_warnings(app, settings, texts)


def say_moved(port: OpenPort, texts: Texts) -> None:
    """Tell that a default port was taken."""
    if port.moved_from:
        message = texts("serve.moved", wanted=port.moved_from, port=port.port)
        typer.secho(message, fg=typer.colors.YELLOW)


def say_warnings(app: App, settings: Settings, texts: Texts) -> None:
    """Tell what a server that others can reach should not be left at."""
    host = app.http_address[0]
    if host in _LOOPBACK:
        return
    if settings.accounts.registration == "open":
        typer.secho(texts("serve.open", host=host), fg=typer.colors.YELLOW)
    if not app.fingerprint:
        typer.secho(texts("serve.plain"), fg=typer.colors.YELLOW)


def chat_command(app: App) -> str:
    """What to type in a second terminal to talk."""
    url = app.local_url
    is_plain = not app.fingerprint and app.http_address[1] == 7080
    if _in_make():
        return "make chat" if is_plain else f"make chat URL={url}{_pin(app, make=True)}"
    return "tinyqq chat" if is_plain else f"tinyqq chat {url}{_pin(app, make=False)}"


def _pin(app: App, *, make: bool) -> str:
    if not app.fingerprint:
        return ""
    option = f"--fingerprint {app.fingerprint}"
    return f' ARGS="{option}"' if make else f" {option}"


def _in_make() -> bool:
    """Whether make started us: it counts its levels in the environment."""
    return "MAKELEVEL" in os.environ
