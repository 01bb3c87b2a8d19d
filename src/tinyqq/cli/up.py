"""``tinyqq up``: a whole cluster on this machine, until Ctrl-C."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, NoReturn

import typer

from tinyqq.app.settings import ENV_PREFIX, PROXY, ROLES
from tinyqq.cli import console, options
from tinyqq.cli.console import ExitCode
from tinyqq.cli.texts import Texts
from tinyqq.cli.up_texts import UP_TEXTS
from tinyqq.cli.up_view import UpView
from tinyqq.errors import TinyQQError
from tinyqq.lab.cluster import Cluster
from tinyqq.lab.cluster_folder import ClusterFolder, FolderError
from tinyqq.lab.cluster_plan import Layout, list_ports, make_plan
from tinyqq.lab.cluster_servers import can_pass
from tinyqq.lab.servers.mariadb import is_root
from tinyqq.lab.servers.packages import install_packages, missing_packages
from tinyqq.lab.servers.process import ServerFailed

_EXTRA: Final = ("asyncmy", "grpc", "kazoo", "redis")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_MAX_OF_A_KIND: Final = 50


class Stopped(BaseException):
    """Somebody asked to stop: whatever goes on ends, and is cleaned up on the way out."""


def up(
    *,
    units: Annotated[int, typer.Option(min=1, max=_MAX_OF_A_KIND, help="How many units.")] = 3,
    roles_nodes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=N",
            help="N nodes that have this role alone, and units without it; may be repeated.",
        ),
    ] = None,
    ha: Annotated[
        bool,
        typer.Option(
            "--ha", help="Three ZooKeepers, two Redis with three Sentinels, three Galera nodes."
        ),
    ] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Install missing packages (Debian, Ubuntu).")
    ] = False,
    dir_: options.ClusterDir = options.CLUSTER_DIR,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Throw away what an earlier cluster left there.")
    ] = False,
    set_: options.Set = None,
) -> None:
    """Run a whole cluster on this machine, to try it out, until Ctrl-C."""
    say = Texts(console.texts().language, UP_TEXTS)
    layout = Layout(units, _role_nodes(roles_nodes or ()), is_replicated=ha)
    _check_packages(layout, say, install=install)
    path = dir_.absolute()
    try:
        with ClusterFolder(path) as folder:
            folder.prepare(is_replicated=ha, is_fresh=fresh)
            if ha and is_root() and not can_pass(path):
                console.fail(say("up.closed_folder", path=path), ExitCode.STORAGE)
            _run(folder, layout, set_ or (), say)
    except FolderError as exc:
        _fail_folder(exc, say, ha=ha)
    except OSError as exc:
        console.fail(say("up.failed", reason=exc), ExitCode.STORAGE)
    typer.echo(say("up.stopped", path=path))


def _run(folder: ClusterFolder, layout: Layout, overrides: Sequence[str], say: Texts) -> None:
    began = time.monotonic()
    ports = folder.choose_ports(list_ports(layout))
    plan = make_plan(layout, folder=folder.path, ports=ports, secret=folder.secret())
    view = UpView(plan, folder, say)
    cluster = Cluster(
        plan=plan,
        folder=folder,
        overrides=overrides,
        environment=_environment(os.environ),
        tell=view.show,
    )
    typer.echo(say("up.starting", path=folder.path))
    try:
        with _raise_on_signals(say), cluster:
            view.show_map(cluster.processes, seconds=time.monotonic() - began)
            while True:
                cluster.watch()
    except Stopped:
        return
    except (ServerFailed, TinyQQError, OSError, subprocess.SubprocessError) as exc:
        console.fail(say("up.failed", reason=exc))


@contextlib.contextmanager
def _raise_on_signals(say: Texts) -> Iterator[None]:
    """The first signal ends what goes on in order, the second at once."""

    def stop(number: int, _: object) -> NoReturn:
        typer.echo(say("up.stopping"))
        for one in _SIGNALS:
            signal.signal(one, hurry)
        raise Stopped

    def hurry(number: int, _: object) -> NoReturn:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise Stopped

    before = {one: signal.signal(one, stop) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _check_packages(layout: Layout, say: Texts, *, install: bool) -> None:
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        console.fail(say("up.extra"), ExitCode.SETTINGS)
    missing = missing_packages(layout.kinds)
    if missing and install:
        install_packages(missing)
        missing = missing_packages(layout.kinds)
        if missing:
            console.fail(say("up.install_failed", packages=" ".join(missing)))
    if missing:
        console.fail(say("up.missing", packages=" ".join(missing)))


def _role_nodes(given: Sequence[str]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    alone = [role for role in ROLES if role != PROXY]
    for item in given:
        role, _, count = item.partition("=")
        if role not in alone or not count.isdecimal() or int(count) > _MAX_OF_A_KIND:
            raise typer.BadParameter(
                f"{item!r} is not ROLE=N with one of {', '.join(alone)}", param_hint="--roles-nodes"
            )
        found[role] = int(count)
    return tuple(found.items())


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Without settings: those in the environment are meant for one node."""
    return {name: value for name, value in own.items() if not name.startswith(ENV_PREFIX)}


def _fail_folder(error: FolderError, say: Texts, *, ha: bool) -> NoReturn:
    path = shlex.quote(str(error.path))
    made = say("up.without_ha" if ha else "up.with_ha")
    code = ExitCode.IN_USE if error.reason == "in_use" else ExitCode.STORAGE
    console.fail(say(f"up.{error.reason}", path=path, made=made), code)
