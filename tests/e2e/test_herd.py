"""Everybody comes back at the same moment: nobody is lost, and the node is not overrun."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from tests.e2e.test_power_cut import newcomer

from tinyqq.app.build import App, build
from tinyqq.app.settings import Settings
from tinyqq.client import Client, Connected
from tinyqq.lab.servers.process import free_ports

pytestmark = pytest.mark.slow

HERD = 20
LOG_INS_PER_S = 5.0
TIMEOUT_S = 200.0


@asynccontextmanager
async def herd(url: str, folder: Path) -> AsyncIterator[list[Client]]:
    """Many who are logged in."""
    async with AsyncExitStack() as stack:
        people = [newcomer(url, folder / f"{number}.db") for number in range(HERD)]
        yield list(await asyncio.gather(*map(stack.enter_async_context, people)))


def node(folder: Path, ports: list[int], log_ins_per_s: float) -> AbstractAsyncContextManager[App]:
    """A node at these ports."""
    settings = Settings.model_validate(
        {
            "data_dir": folder / "data",
            "listen": {"tcp_port": ports[0], "http_port": ports[1]},
            "limits": {"log_ins_per_s": log_ins_per_s},
            "accounts": {"argon2_memory_kib": 8, "argon2_passes": 1},
            "helper": {"enabled": False},
        }
    )
    return build(settings)


async def back(me: Client, moments: list[float]) -> None:
    """Note when somebody has come back."""
    seen = 0
    async for event in me.events():
        if isinstance(event, Connected):
            seen += 1
            if seen == 2:
                moments.append(time.monotonic())
                return


async def refused(app: App) -> float:
    """Log-ins that were sent away."""
    async with aiohttp.ClientSession() as http, http.get(f"{app.http_url}/metrics") as answer:
        text = await answer.text()
    [line] = re.findall(r"^tinyqq_gateway_refused_log_ins_total (.*)$", text, re.MULTILINE)
    return float(line)


@pytest.mark.parametrize("by_directory", [True, False])
async def test_herd_when_it_comes_back_at_once_then_all_are_in_and_no_faster_than_is_good(
    tmp_path: Path, by_directory: bool
) -> None:
    ports = free_ports(2)
    url = f"http://127.0.0.1:{ports[1]}" if by_directory else f"tinyqq://127.0.0.1:{ports[0]}"
    moments: list[float] = []
    async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        await first.enter_async_context(node(tmp_path, ports, 0.0))
        people = await stack.enter_async_context(herd(url, tmp_path))
        async with asyncio.TaskGroup() as group:
            for me in people:
                group.create_task(back(me, moments))
            await first.aclose()
            begun_s = time.monotonic()
            again = await stack.enter_async_context(node(tmp_path, ports, LOG_INS_PER_S))
        assert len(moments) == HERD
        # A second's worth may come at once after a calm time.
        assert max(moments) - begun_s >= (HERD - LOG_INS_PER_S - 1) / LOG_INS_PER_S
        if by_directory:  # some may be late, and then come with others
            assert await refused(again) <= HERD / 4
        else:
            assert await refused(again) > HERD / 4
