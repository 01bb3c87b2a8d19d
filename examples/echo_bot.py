"""A bot that befriends whoever asks and says back what it is told.

tinyqq user add echo --bot                  # prints its number and its token
python examples/echo_bot.py http://127.0.0.1:7080 TOKEN
"""

import asyncio
import sys

from tinyqq.client import Change, Client, Kind, Message


async def main(url: str, token: str) -> None:
    async with Client(url, device_kind="bot") as me:
        await me.login(token=token)
        async for event in me.events():
            match event:
                case Change(kind=Kind.FRIEND_REQUESTED, is_own=False):
                    await me.friends.accept(event.actor)
                case Message(is_own=False):
                    await event.reply(event.text)


asyncio.run(main(*sys.argv[1:]))
