"""Two units whose nodes know each other by certificates, on settings that name files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.test_cluster import (
    TIMEOUT_S,
    Cluster,
    befriend,
    delivered,
    person,
    sees_nodes,
    texts,
)
from tests.support.certificates import Authority

from tinyqq.app.build import App, build
from tinyqq.app.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.needs("mariadb", "redis", "zookeeper")]


@asynccontextmanager
async def secured(cluster: Cluster, authority: Authority, name: str) -> AsyncIterator[App]:
    """A unit with a certificate of its own."""
    shared = {**cluster.shared["cluster"], **authority.issue(name)}  # type: ignore[dict-item]  # a table
    settings = Settings.model_validate(
        {"data_dir": cluster.folder / name, **cluster.shared, "cluster": shared}
    )
    async with build(settings) as app:
        yield app


async def test_units_when_they_have_certificates_then_messages_cross(
    cluster: Cluster, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority.pem")
    async with secured(cluster, authority, "one") as one, secured(cluster, authority, "two") as two:
        async with asyncio.timeout(TIMEOUT_S):
            await sees_nodes(one, 2)
            await sees_nodes(two, 2)
        async with person(one, "小明") as ming, person(two, "小红") as hong:
            await befriend(ming, hong)
            for number in range(20):
                await ming.send(hong.user_id, f"#{number}")
            assert await texts(hong, 20) == [f"#{number}" for number in range(20)]
        assert await delivered(one, "handed_on") >= 20
