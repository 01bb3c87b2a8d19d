"""What the roles stand on, with embedded back-ends."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tinyqq.app.ground import open_ground
from tinyqq.app.peers import Me
from tinyqq.app.settings import Settings
from tinyqq.errors import InvalidRequest
from tinyqq.model.ids import UnitId, UserId
from tinyqq.ports.registry import Node
from tinyqq.presence.memory import MemoryPresence
from tinyqq.registry.memory import MemoryRegistry

ME = Me(UnitId("here"), "first")


def fail(error: Exception) -> None:
    raise AssertionError(error)


async def test_ground_when_nothing_is_set_then_all_is_embedded(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path})
    async with AsyncExitStack() as stack:
        ground = await open_ground(stack.enter_async_context, settings, ME, fail)
        assert isinstance(ground.presence, MemoryPresence)
        assert isinstance(ground.registry, MemoryRegistry)
        assert ground.states == {}
        assert ground.net is None
        assert set(ground.counters) == {"storage", "presence"}
        await ground.storage.ping()
        await ground.registry.register(Node(ME.unit_id, "first", frozenset(), "", "", "1"))
        assert ground.unit.sessions_of(UserId(10_001)) == ()


async def test_ground_when_the_database_is_none_then_refused(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "database_url": "oracle://x/y"})
    async with AsyncExitStack() as stack:
        with pytest.raises(InvalidRequest):
            await open_ground(stack.enter_async_context, settings, ME, fail)
