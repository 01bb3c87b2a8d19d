"""The ten-line bot of the examples, on a real server."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from tests.e2e.processes import ENVIRONMENT, run_tinyqq, serving

from tinyqq.client import Change, Client, Kind

pytestmark = pytest.mark.slow

ECHO_BOT = Path(__file__).parents[2] / "examples" / "echo_bot.py"


async def test_echo_bot_when_told_something_then_it_says_it_back(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        added = run_tinyqq(tmp_path, "user", "add", "echo", "--bot")
        match = re.search(r"Made (\d+).*once:\s+(\S+)", added.stdout, re.DOTALL)
        assert match is not None, added.stdout + added.stderr
        bot = await asyncio.create_subprocess_exec(
            sys.executable, str(ECHO_BOT), server.url, match[2], env=ENVIRONMENT
        )
        try:
            async with asyncio.timeout(30):
                assert await echo_of(server.url, int(match[1]), "你好") == "你好"
        finally:
            bot.kill()
            await bot.wait()


async def echo_of(url: str, bot_id: int, text: str) -> str:
    """Befriend the bot, tell it something; what it answers."""
    async with Client(url) as me:
        made = await me.register("小明", "correct horse")
        await me.login(made.user_id, "correct horse")
        await me.friends.request(bot_id)
        async for event in me.events():
            if isinstance(event, Change) and (event.kind, event.actor) == (
                Kind.FRIEND_ADDED,
                bot_id,
            ):
                break
        await me.send(bot_id, text)
        async for message in me.messages():
            if message.sender == bot_id:
                return message.text
    raise AssertionError("the stream ended")
