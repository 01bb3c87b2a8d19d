"""The registry that the settings name."""

from __future__ import annotations

import pytest

from tinyqq.app.registry import zookeeper_registry
from tinyqq.app.settings import Settings
from tinyqq.clock import SystemClock

SHARED = Settings.model_validate(
    {"registry": "zookeeper://127.0.0.1:1/x", "cluster": {"secret": "0123456789abcdef"}}
)


async def test_registry_when_made_then_not_reached_yet() -> None:
    pytest.importorskip("kazoo")
    assert zookeeper_registry(SHARED, SystemClock()).nodes() == ()
