"""What a node has when it is alone, and what it needs when it is not. Real peers: tests/e2e."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.certificates import Authority
from tests.support.lane_fixtures import RecordingDelivery
from tests.support.nodes import CALLER, RecordingUnit
from tests.support.services import FakeServices

from tinyqq.app.peers import Me, advertised, open_links, open_node_port
from tinyqq.app.settings import Settings
from tinyqq.clock import SystemClock
from tinyqq.errors import Unavailable
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.testing.clock import FakeClock

ME = Me(UnitId("here"), "1")


def settings(folder: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data_dir": folder, **changes})


async def test_links_when_alone_then_there_is_nobody(tmp_path: Path) -> None:
    async with open_links(settings(tmp_path), ME, MemoryRegistry(), FakeClock()) as peers:
        assert not peers.others()
        assert peers.link(UnitId("there")) is None
        assert peers.services is None
        assert peers.counters == {}


async def test_node_port_when_alone_then_nobody_listens(tmp_path: Path) -> None:
    unit: Any = RecordingDelivery()
    services: Any = None
    async with open_node_port(settings(tmp_path), ME, unit, services, lambda: None) as port:
        assert (port.address, port.counters) == ("", {})
        await port.wait_quiet()


def test_secret_when_the_registry_is_shared_then_needed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"cluster\.secret"):
        settings(tmp_path, registry="zookeeper://127.0.0.1/x", cluster={"secret": "short"})


@pytest.mark.parametrize(
    ("advertise", "expected"),
    [
        ("", "127.0.0.1:7101"),
        ("10.0.0.5", "10.0.0.5:7101"),
        ("10.0.0.5:9", "10.0.0.5:9"),
        ("[fd00::1]", "[fd00::1]:7101"),
        ("[fd00::1]:9", "[fd00::1]:9"),
        ("fd00::1", "[fd00::1]:7101"),
    ],
)
def test_advertised_when_a_host_then_with_the_port(
    tmp_path: Path, advertise: str, expected: str
) -> None:
    assert advertised(settings(tmp_path, cluster={"advertise": advertise}), 7101) == expected


def test_advertised_when_listening_everywhere_then_an_address_of_the_machine(
    tmp_path: Path,
) -> None:
    for host in ("0.0.0.0", "::"):
        address = advertised(settings(tmp_path, listen={"host": host}), 7101)
        assert address.endswith(":7101")
        assert not address.startswith(("0.", "[::]"))


def test_advertised_when_listening_on_ipv6_then_in_brackets(tmp_path: Path) -> None:
    assert advertised(settings(tmp_path, listen={"host": "::1"}), 7101) == "[::1]:7101"


# ---- certificates -------------------------------------------------------------------------------

SECRET = "a secret of the cluster"


def secured(folder: Path, certificate: dict[str, Path]) -> Settings:
    """Settings of a node of a cluster."""
    return settings(
        folder,
        registry="zookeeper://127.0.0.1/not-asked",
        cluster={"secret": SECRET, **certificate},
        listen={"node_port": 0},
    )


async def call_as(caller: Settings, far: Settings) -> list[str]:
    """Let one node make a call to another; what the other was asked.

    Raises:
        NodeFailed: they do not know each other.
    """
    fakes, unit = FakeServices(), RecordingUnit()
    registry = MemoryRegistry()
    async with open_node_port(
        far, Me(UnitId("far"), "1"), unit, fakes.services, lambda: None
    ) as port:
        node = Node(UnitId("far"), "1", frozenset({"user"}), "", "", "1", internal=port.address)
        await registry.register(node)
        async with open_links(caller, ME, registry, SystemClock()) as peers:
            assert peers.services is not None
            await peers.services.user.seen(CALLER)
        return [name for name, *_ in fakes.user.calls]


async def test_certificates_when_one_authority_signed_both_then_they_talk(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ours.pem")
    near, far = (secured(tmp_path, authority.issue(name)) for name in ("near", "far"))
    assert await call_as(near, far) == ["seen"]


@pytest.mark.parametrize("swapped", [False, True])
async def test_certificates_when_a_node_has_another_or_none_then_nobody_talks_to_it(
    tmp_path: Path, swapped: bool
) -> None:
    ours, theirs = Authority(tmp_path / "ours.pem"), Authority(tmp_path / "theirs.pem")
    node = secured(tmp_path, ours.issue("node"))
    forged = {**theirs.issue("stranger"), "authority_file": ours.file}
    for stranger in (secured(tmp_path, {}), secured(tmp_path, forged)):
        with pytest.raises(Unavailable):
            await (call_as(node, stranger) if swapped else call_as(stranger, node))


async def first_byte(address: str, authority_file: Path) -> bytes:
    """What a port says first to a client that shows no certificate."""
    context = ssl.create_default_context(cafile=authority_file)
    context.set_alpn_protocols(["h2"])
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=context)
    try:
        async with asyncio.timeout(30):
            return await reader.readexactly(1)
    finally:
        writer.transport.abort()


async def test_certificates_when_a_client_shows_none_then_it_gets_no_answer(
    tmp_path: Path,
) -> None:
    ours = Authority(tmp_path / "ours.pem")
    node = secured(tmp_path, ours.issue("node"))
    services = FakeServices().services
    async with open_node_port(node, ME, RecordingUnit(), services, lambda: None) as port:
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await first_byte(port.address, ours.file)


def test_certificates_when_only_some_files_are_named_then_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="go together"):
        settings(tmp_path, cluster={"cert_file": "x.pem"})
