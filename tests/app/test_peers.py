"""What a node has when it is alone, and what it needs when it is not. Real peers: tests/e2e."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.lane_fixtures import RecordingDelivery

from tinyqq.app.peers import Me, advertised, needs_extra, open_links, open_node_port
from tinyqq.app.settings import Settings
from tinyqq.errors import InvalidRequest
from tinyqq.model.ids import UnitId
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


def test_needs_extra_when_not_installed_then_said_with_the_setting() -> None:
    with pytest.raises(InvalidRequest) as caught, needs_extra("registry"):
        raise ModuleNotFoundError
    assert caught.value.fields == {"extra": "registry"}


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
    ],
)
def test_advertised_when_a_host_then_with_the_port(
    tmp_path: Path, advertise: str, expected: str
) -> None:
    assert advertised(settings(tmp_path, cluster={"advertise": advertise}), 7101) == expected


def test_advertised_when_listening_everywhere_then_an_address_of_the_machine(
    tmp_path: Path,
) -> None:
    assert not advertised(settings(tmp_path, listen={"host": "0.0.0.0"}), 7101).startswith("0.")
