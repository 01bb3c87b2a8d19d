"""Flags that several commands share, and how they become settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from tinyqq.app.listening import find_owner
from tinyqq.app.settings import Settings
from tinyqq.app.sources import LoadedSettings, SettingsError, load_settings
from tinyqq.cli.console import ExitCode, explain, fail, texts
from tinyqq.errors import TinyQQError

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="TINYQQ_CONFIG", help="Settings file.", show_default="./tinyqq.toml"
    ),
]
DataDir = Annotated[
    Path | None, typer.Option(help="Folder for everything kept.", show_default="./data")
]
Roles = Annotated[
    str | None,
    typer.Option(
        help="What it does, with commas: proxy,user,friend,group,chat,offline.", show_default="all"
    ),
]
Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
TcpPort = Annotated[int | None, typer.Option(help="Port of the TCP protocol.", show_default="7001")]
HttpPort = Annotated[
    int | None, typer.Option(help="Port of HTTP and WebSocket.", show_default="7080")
]
TlsCert = Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")]
TlsKey = Annotated[Path | None, typer.Option(help="Private key, PEM.")]
TlsSelfSigned = Annotated[
    bool | None,
    typer.Option("--tls-self-signed", help="Make a certificate, for a LAN.", show_default=False),
]
Registration = Annotated[
    str | None,
    typer.Option(help="Who may make an account: open, invite or closed.", show_default="open"),
]
LogLevel = Annotated[
    str | None, typer.Option(help="The least that is logged: debug, info, warning or error.")
]
LogFormat = Annotated[
    str | None,
    typer.Option(help="console, json, or auto: console on a terminal.", show_default="auto"),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Any other setting, as `tinyqq config show` names it; may be repeated.",
    ),
]
ClusterDir = Annotated[Path, typer.Option("--dir", help="Folder for everything of the cluster.")]
CLUSTER_DIR: Final = Path("tinyqq-cluster")


def fail_storage(error: TinyQQError | OSError, settings: Settings) -> NoReturn:
    """End because the data folder, the database, the registry or the node port cannot be used."""
    say = texts()
    if isinstance(error, OSError):
        path = error.filename or settings.data_dir
        fail(say("error.data_dir", path=path, reason=error.strerror or error), ExitCode.STORAGE)
    if "lock_file" in error.fields:
        fail(say("error.in_use", path=settings.data_dir), ExitCode.IN_USE)
    if "registry" in error.fields:
        hosts = error.fields["registry"]
        fail(say("error.registry", hosts=hosts), ExitCode.STORAGE)
    if "address" in error.fields:
        address = str(error.fields["address"])
        owner = find_owner(int(address.rpartition(":")[2])) or say("error.unknown_owner")
        fail(say("error.node_port", address=address, owner=owner), ExitCode.PORT_TAKEN)
    if "extra" in error.fields:
        fail(say("error.extra", setting=error.fields["extra"]), ExitCode.SETTINGS)
    fail(say("error.storage", reason=explain(error)), ExitCode.STORAGE)


def load(
    config: Path | None, flags: Mapping[str, object], settings: list[str] | None = None
) -> LoadedSettings:
    """The settings of a command; ends it with a message when they cannot be used.

    Args:
        flags: by dotted path; None: not given.
        settings: ``NAME=VALUE`` from ``--set``, over the flags.
    """
    given = dict(flags)
    for item in settings or ():
        name, equals, value = item.partition("=")
        if not equals:
            raise typer.BadParameter(f"{item!r} is not NAME=VALUE", param_hint="--set")
        given[name.strip()] = value.strip()
    try:
        return load_settings(config=config, flags=given)
    except SettingsError as exc:
        fail(f"{texts()('error.settings')}\n{exc}", ExitCode.SETTINGS)
