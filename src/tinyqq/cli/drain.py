"""``tinyqq drain``: a node of the cluster leaves, and takes care of its clients before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from tinyqq.app.peers import ask_to_drain
from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.settings import Settings
from tinyqq.app.tls import TlsError
from tinyqq.cli import console, options
from tinyqq.cli.console import ExitCode
from tinyqq.cli.nodes import cluster_settings
from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.ports.registry import Node, Registry


def drain(
    node: Annotated[
        str, typer.Argument(metavar="NODE", help="Its name, as `tinyqq nodes` shows it.")
    ],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Until it has gone.")] = False,
    config: options.Config = None,
    set_: options.Set = None,
) -> None:
    """Ask a node to leave, its clients first.

    It takes no more of them, tells each that it has where to go and when, finishes what is in
    flight, and stops. The beginning of its name will do.
    """
    settings = cluster_settings(config, set_)
    try:
        asyncio.run(_drain(settings, node, wait=wait))
    except TlsError as exc:
        console.fail(console.texts()("error.tls", reason=exc), ExitCode.SETTINGS)
    except TinyQQError as exc:
        options.fail_storage(exc, settings)


async def _drain(settings: Settings, name: str, *, wait: bool) -> None:
    texts = console.texts()
    async with zookeeper_registry(settings, SystemClock()) as registry:
        node = _find(registry.nodes(), name)
        try:
            await ask_to_drain(settings, node)
        except TinyQQError as exc:
            console.fail(texts("drain.no_answer", node=node.unit_id, at=node.internal, reason=exc))
        typer.echo(texts("drain.begun", node=node.unit_id, sessions=node.sessions))
        if wait:
            await gone(registry, node)
            typer.echo(texts("drain.done", node=node.unit_id))


def _find(nodes: Sequence[Node], name: str) -> Node:
    """The node that is meant; ends the command when it is none or any of several."""
    texts = console.texts()
    matching = matches(nodes, name)
    if len(matching) == 1:
        return matching[0]
    names = ", ".join(node.unit_id for node in matching or nodes) or "-"
    console.fail(texts("drain.which" if matching else "drain.unknown", name=name, names=names))


def matches(nodes: Sequence[Node], name: str) -> list[Node]:
    """The node of that name, or all whose names begin so."""
    exact = [node for node in nodes if node.unit_id == name]
    return exact or [node for node in nodes if node.unit_id.startswith(name)]


async def gone(registry: Registry, node: Node) -> None:
    """Wait until this start of a node is out of the registry."""
    changed = asyncio.Event()
    registry.watch(lambda _: changed.set())
    while any(
        (one.unit_id, one.incarnation) == (node.unit_id, node.incarnation)
        for one in registry.nodes()
    ):
        changed.clear()
        await changed.wait()
