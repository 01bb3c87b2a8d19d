"""What ``tinyqq doctor`` looks at where a node is to be one of several."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tinyqq.app.ground import ask_presence
from tinyqq.app.peers import advertised, ask_health
from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.settings import MEMORY, Settings
from tinyqq.app.sources import shown_values
from tinyqq.app.tls import TlsError, load_node_tls
from tinyqq.cli.checks import EXTRA, Finding
from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.ports.registry import Node
from tinyqq.storage.open import is_server

_TIMEOUT_S: Final = 3.0
_SHOWN: Final = 3


def check_sharing(settings: Settings) -> Finding:
    """Whether nodes that see each other also share everything else."""
    own = [
        name
        for name, is_shared in (
            ("database_url", is_server(settings.database)),
            ("presence", settings.presence != MEMORY),
            ("media.store", is_shared_store(settings.media.store)),
        )
        if not is_shared
    ]
    if own:
        return Finding(
            "cluster",
            f"{', '.join(own)}: of this node alone, but the registry is shared",
            "cluster.not_shared",
        )
    return Finding("cluster", "database, registry, presence and files are shared")


def is_shared_store(store: str) -> bool:
    """Whether files lie outside the node's own data folder; whether the others have the same folder
    mounted, nobody sees from here."""
    return store.startswith("s3://") or Path(store).is_absolute()


def check_address(settings: Settings) -> Finding:
    """Where the other nodes look for this one, and what it shows them."""
    address = advertised(settings, settings.listen.node_port).removesuffix(":0")
    here = " (this machine alone)" if address.startswith(("127.", "localhost", "[::1]")) else ""
    try:
        how = "mTLS" if load_node_tls(settings.cluster) else "shared secret"
    except TlsError as exc:
        return Finding("to others", f"{address}: {exc}", "cluster.certificate")
    return Finding("to others", f"{address}{here}, {how}")


async def check_registry(settings: Settings) -> tuple[Finding, tuple[Node, ...]]:
    """Whether the registry answers; and who is in it."""
    shown = _shown(settings, "registry")
    try:
        async with zookeeper_registry(settings, SystemClock()) as registry:
            nodes = registry.nodes()
    except TinyQQError as exc:
        return Finding("registry", f"{shown}: {exc}", _advice(exc, "cluster.zookeeper")), ()
    return Finding("registry", f"{shown}, {len(nodes)} node(s)"), nodes


async def check_presence(settings: Settings) -> Finding:
    """Whether Redis answers."""
    shown = _shown(settings, "presence")
    try:
        await ask_presence(settings, timeout_s=_TIMEOUT_S)
    except TinyQQError as exc:
        return Finding("presence", f"{shown}: {exc}", _advice(exc, "cluster.redis"))
    return Finding("presence", shown)


async def check_nodes(settings: Settings, nodes: Sequence[Node]) -> Finding:
    """Whether the other nodes can be reached from here, and know our secret."""
    others = [node for node in nodes if node.internal]
    answers = await asyncio.gather(*(_ask(settings, node) for node in others))
    silent = [
        f"{node.unit_id} at {node.internal}"
        for node, is_well in zip(others, answers, strict=True)
        if not is_well
    ]
    detail = f"{len(others) - len(silent)} of {len(others)} answer"
    if not silent:
        return Finding("nodes", detail)
    more = ", …" if len(silent) > _SHOWN else ""
    return Finding(
        "nodes",
        f"{detail}; not {', '.join(silent[:_SHOWN])}{more}",
        "cluster.silent_nodes",
    )


async def _ask(settings: Settings, node: Node) -> bool:
    try:
        await ask_health(settings, node, timeout_s=_TIMEOUT_S)
    except (TinyQQError, TlsError):
        return False
    return True


def _advice(error: TinyQQError, otherwise: str) -> str:
    return EXTRA if "extra" in error.fields else otherwise


def _shown(settings: Settings, path: str) -> str:
    return shown_values(settings)[path].strip('"')
