"""Two people at two chat clients, as real processes on a real server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.e2e.processes import ENVIRONMENT, TINYQQ, serving

pytestmark = pytest.mark.slow


class Terminal:
    """A chat client behind pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.shown = ""

    def type(self, *lines: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def sees(self, pattern: str) -> re.Match[str]:
        """Wait until it has shown something like this."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while (match := re.search(pattern, self.shown)) is None:
                line = (await self._process.stdout.readline()).decode()
                assert line, self.shown
                self.shown += line
        return match

    async def leave(self) -> int:
        self.type("/quit")
        async with asyncio.timeout(30):
            return await self._process.wait()


@asynccontextmanager
async def chat(folder: Path, url: str, *flags: str, **more: str) -> AsyncIterator[Terminal]:
    process = await asyncio.create_subprocess_exec(
        TINYQQ,
        "chat",
        url,
        "--state",
        str(folder / "chat"),
        *flags,
        env={**ENVIRONMENT, **more},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Terminal(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def register(terminal: Terminal, nickname: str) -> str:
    """Make an account; returns its number."""
    terminal.type("", nickname, "correct horse", "correct horse")
    number = (await terminal.sees(r"Your number is (\d+)"))[1]
    await terminal.sees(f"Hello {nickname}")
    return number


async def test_two_people_when_one_leaves_and_returns_then_nothing_is_missed_or_doubled(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        async with chat(tmp_path, server.url) as ming:
            async with chat(tmp_path, server.tcp_url) as mei:
                ming_id = await register(ming, "小明")
                mei_id = await register(mei, "小美")
                ming.type(f"/add {mei_id} 我是小明")
                await mei.sees("asks to be a friend: 我是小明")
                mei.type(f"/accept {ming_id}")
                await ming.sees(rf"You and 小美\({mei_id}\) are friends now")
                ming.type(f"/open {mei_id}", "你好")
                await mei.sees(rf"小明\({ming_id}\): 你好")
                mei.type(f"/open {ming_id}", "你好呀")
                await ming.sees(r"小美\(\d+\): 你好呀")
                assert await mei.leave() == 0
            ming.type("一", "二", "三", "/history")
            await ming.sees("三")
            async with chat(tmp_path, server.tcp_url, "--user", mei_id) as mei:
                await mei.sees("三")
                said = re.findall(r": (\S+)$", mei.shown, re.MULTILINE)
                assert [word for word in said if word in "一二三"] == ["一", "二", "三"]
                assert "你好" not in said
                assert await mei.leave() == 0
            assert await ming.leave() == 0


async def test_password_when_in_the_environment_then_not_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        async with chat(tmp_path, server.url, TINYQQ_PASSWORD="correct horse") as me:
            me.type("", "小明")
            number = (await me.sees(r"Your number is (\d+)"))[1]
            assert await me.leave() == 0
        other = tmp_path / "another machine"
        async with chat(other, server.url, "--user", number, TINYQQ_PASSWORD="wrong") as me:
            await me.sees("Wrong number or password")
            assert await me.leave() == 1
