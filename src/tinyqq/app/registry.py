"""The registry that many nodes share, for a node and for a command that only looks: such a command
loads nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyqq.app.settings import Settings
from tinyqq.clock import Clock
from tinyqq.errors import needs_extra

if TYPE_CHECKING:  # what it imports is an optional extra
    from tinyqq.registry.zookeeper import ZookeeperRegistry


def zookeeper_registry(settings: Settings, clock: Clock) -> ZookeeperRegistry:
    """The one that the settings name.

    Raises:
        InvalidRequest: its driver is not installed.
    """
    with needs_extra("registry"):
        from tinyqq.registry.zookeeper import ZookeeperRegistry
    return ZookeeperRegistry(
        url=settings.registry, clock=clock, session_timeout_s=settings.registry_session_timeout_s
    )
