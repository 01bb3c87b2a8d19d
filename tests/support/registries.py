"""A registry in ZooKeeper that shows nodes which nobody runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kazoo.client import KazooClient

from tinyqq.ports.registry import Node
from tinyqq.registry.node_json import encode_node


@contextlib.contextmanager
def shown_nodes(url: str, *nodes: Node) -> Iterator[None]:
    """Show *nodes* in the registry at *url*."""
    hosts, _, chroot = url.removeprefix("zookeeper://").partition("/")
    client = KazooClient(hosts)
    client.start()
    try:
        for node in nodes:
            path = f"/{chroot}/nodes/{node.unit_id}"
            client.create(path, encode_node(node), ephemeral=True, makepath=True)
        yield
    finally:
        client.stop()
        client.close()
