"""Each question about a cluster, answered well and badly."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.nodes import CREDENTIALS, FarNode
from tests.support.registries import shown_nodes

from tinyqq.app.settings import Settings
from tinyqq.cli import cluster_checks
from tinyqq.lab.servers.process import free_port
from tinyqq.lab.servers.zookeeper import ZookeeperServer


def settings(**changes: object) -> Settings:
    shared = {
        "registry": "zookeeper://user:secret@127.0.0.1/x",
        "presence": f"redis://:secret@127.0.0.1:{free_port()}/0",
        "database_url": "mysql+asyncmy://user:secret@127.0.0.1/x",
        "cluster": {"secret": CREDENTIALS.secret.decode()},
        "media": {"store": "s3://files"},
    }
    return Settings.model_validate({**shared, **changes})


def test_sharing_when_something_is_of_this_node_alone_then_named() -> None:
    assert cluster_checks.check_sharing(settings()).is_good
    finding = cluster_checks.check_sharing(settings(presence="memory"))
    assert finding.detail.startswith("presence: of this node alone")
    assert finding.advice == "cluster.not_shared"
    finding = cluster_checks.check_sharing(settings(media={"store": "files"}))
    assert finding.detail.startswith("media.store: of this node alone")


def test_address_when_only_this_machine_reaches_it_then_told() -> None:
    assert "this machine alone" in cluster_checks.check_address(settings()).detail
    elsewhere = settings(cluster={"advertise": "10.0.0.5", "secret": "s" * 16})
    assert cluster_checks.check_address(elsewhere).detail == "10.0.0.5:7101, shared secret"


def test_address_when_a_certificate_is_missing_then_advice(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("cert_file", "key_file", "authority_file")}
    finding = cluster_checks.check_address(settings(cluster={"secret": "s" * 16, **files}))
    assert "cert_file" in finding.detail
    assert finding.advice == "cluster.certificate"


async def test_presence_when_nobody_answers_then_advice_and_no_password() -> None:
    finding = await cluster_checks.check_presence(settings())
    assert finding.advice == "cluster.redis"
    assert "secret" not in finding.detail


async def test_nodes_when_one_does_not_answer_then_named() -> None:
    far = FarNode()
    async with far.listen():
        assert (await cluster_checks.check_nodes(settings(), [far.node])).is_good
        strange = settings(cluster={"secret": "not the cluster's secret"})
        finding = await cluster_checks.check_nodes(strange, [far.node])
    assert finding.detail == f"0 of 1 answer; not {far.node.unit_id} at {far.node.internal}"
    assert finding.advice == "cluster.silent_nodes"


@pytest.mark.needs("zookeeper")
async def test_registry_when_it_answers_then_who_is_there(
    zookeeper_server: ZookeeperServer,
) -> None:
    registry = f"{zookeeper_server.url}/{uuid4().hex}"
    with shown_nodes(registry, FarNode().node):
        finding, nodes = await cluster_checks.check_registry(settings(registry=registry))
    assert finding.is_good
    assert [node.unit_id for node in nodes] == [FarNode().node.unit_id]
