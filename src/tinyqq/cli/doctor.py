"""``tinyqq doctor``: looks at the machine and says what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import typer

from tinyqq.app.settings import MEMORY, PROXY, Settings
from tinyqq.app.sources import shown_database
from tinyqq.cli import checks, cluster_checks, console, options
from tinyqq.cli.console import ExitCode
from tinyqq.cli.doctor_texts import ADVICE
from tinyqq.cli.texts import Texts
from tinyqq.errors import TinyQQError
from tinyqq.storage import migrate
from tinyqq.storage.open import database_path, is_server


def doctor(
    config: options.Config = None, data_dir: options.DataDir = None, set_: options.Set = None
) -> None:
    """Check the environment, and say what to do about what is not right."""
    settings = options.load(config, {"data_dir": data_dir}, set_).settings
    texts = console.texts()
    try:
        findings = examine(settings)
    except TinyQQError as exc:
        options.fail_storage(exc, settings)
    advice = Texts(texts.language, ADVICE)
    for finding in findings:
        mark = typer.style("ok", fg="green") if finding.is_good else typer.style("!!", fg="red")
        typer.echo(f"{mark}  {finding.name:12}  {finding.detail}")
        if finding.advice:
            typer.echo(f"    → {advice(finding.advice)}")
    bad = sum(not finding.is_good for finding in findings)
    if bad:
        typer.echo(texts("doctor.bad", count=bad))
        raise typer.Exit(ExitCode.FAILED)
    typer.echo(texts("doctor.good"))


def examine(settings: Settings) -> list[checks.Finding]:
    """Every question, answered.

    Raises:
        InvalidRequest: the address of the database is none.
    """
    return [
        checks.check_python(),
        checks.check_uvloop(),
        checks.check_descriptors(settings),
        *check_ports(settings),
        checks.check_data_dir(settings),
        checks.check_fsync(settings),
        _check_database(settings),
        asyncio.run(checks.check_files(settings)),
        checks.check_clock(settings),
        *([] if settings.registry == MEMORY else asyncio.run(_check_cluster(settings))),
    ]


def check_ports(settings: Settings) -> Iterator[checks.Finding]:
    """Whether what this node would listen on is free."""
    listen = settings.listen
    if PROXY in settings.roles:
        yield checks.check_port("TCP port", listen.host, listen.tcp_port)
    yield checks.check_port("HTTP port", listen.host, listen.http_port)
    if settings.registry != MEMORY:
        yield checks.check_port("node port", listen.host, listen.node_port)


async def _check_cluster(settings: Settings) -> list[checks.Finding]:
    registry, nodes = await cluster_checks.check_registry(settings)
    findings = [
        cluster_checks.check_sharing(settings),
        cluster_checks.check_address(settings),
        registry,
    ]
    if nodes:
        findings.append(await cluster_checks.check_nodes(settings, nodes))
    if settings.presence != MEMORY:
        findings.append(await cluster_checks.check_presence(settings))
    return findings


def _check_database(settings: Settings) -> checks.Finding:
    if is_server(settings.database):
        return asyncio.run(checks.check_server(settings.database, shown_database(settings)))
    return checks.check_database(database_path(settings.database), migrate.head(), _revision)


def _revision(path: Path) -> str | None:
    return migrate.current(f"sqlite:///{path}")
