"""A bot that says back what it is told: python examples/echo_bot.py URL TOKEN

Make its account and token with `tinyqq user add --bot`.
"""

import asyncio
import sys

from tinyqq.client import Client


async def main(url: str, token: str) -> None:
    async with Client(url, device_kind="bot") as me:
        await me.login(token=token)
        async for message in me.messages():
            await message.reply(message.text)


asyncio.run(main(*sys.argv[1:]))
