"""``tinyqq nodes``: who is in the cluster, as the registry shows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Annotated, Any, Final

import typer

from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.settings import MEMORY, ROLES, Settings
from tinyqq.cli import console, options
from tinyqq.cli.console import ExitCode
from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.ports.registry import Node

_SHOWN_INCARNATION: Final = 6


def nodes(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """List the nodes of the cluster: what they do, how busy they are, whether they are leaving."""
    settings = cluster_settings(config, set_)
    try:
        found = asyncio.run(read_nodes(settings))
    except TinyQQError as exc:
        options.fail_storage(exc, settings)
    if as_json:
        typer.echo(json.dumps([to_row(node) for node in found], ensure_ascii=False, indent=2))
    elif found:
        typer.echo(to_table(found))
    else:
        typer.echo(console.texts()("nodes.none"), err=True)


def cluster_settings(config: options.Config, set_: options.Set) -> Settings:
    """The settings of a command that is about a cluster; ends it where there can be none."""
    settings = options.load(config, {}, set_).settings
    if settings.registry == MEMORY:
        console.fail(console.texts()("nodes.alone"), ExitCode.SETTINGS)
    return settings


async def read_nodes(settings: Settings) -> tuple[Node, ...]:
    """What the registry shows now.

    Raises:
        TinyQQError: it does not answer.
    """
    async with zookeeper_registry(settings, SystemClock()) as registry:
        return registry.nodes()


def state_of(node: Node) -> str:
    """In a word."""
    return "draining" if node.draining else "ok"


def to_row(node: Node) -> dict[str, Any]:
    """One node for programs."""
    return {
        "node": node.unit_id,
        "state": state_of(node),
        "roles": sorted(node.roles, key=_rank),
        "sessions": node.sessions,
        "load": node.load,
        "version": node.version,
        "incarnation": node.incarnation,
        "address": node.internal,
        "tcp": node.public_tcp,
        "http": node.public_http,
    }


def to_table(found: Iterable[Node]) -> str:
    """All nodes for people."""
    rows: list[tuple[str, ...]] = [
        ("NODE", "STATE", "ROLES", "SESSIONS", "LOAD", "VERSION", "START", "ADDRESS", "CLIENTS")
    ]
    rows += [_line(node) for node in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _line(node: Node) -> tuple[str, ...]:
    is_whole = node.roles.issuperset(ROLES)
    return (
        node.unit_id,
        state_of(node),
        "all" if is_whole else ",".join(sorted(node.roles, key=_rank)),
        str(node.sessions),
        f"{node.load:.2f}",
        node.version,
        node.incarnation[:_SHOWN_INCARNATION],
        node.internal or "-",
        node.public_tcp or "-",
    )


def _rank(role: str) -> tuple[int, str]:
    """Roles in the order in which settings name them; those of a newer version last."""
    known: tuple[str, ...] = ROLES
    return (known.index(role) if role in known else len(known), role)
