"""The Python SDK: the only way for people, bots and tests to talk to a server.

::

    from tinyqq.client import Client

    async with Client("http://127.0.0.1:7080") as me:
        await me.login(10001, "password")
        await me.send(10002, "你好")
        async for message in me.messages():
            await message.reply("收到")
"""

from tinyqq.client.client import Client, HistoryPage, Timeouts
from tinyqq.client.link import KickedOut
from tinyqq.client.messages import (
    Change,
    Connected,
    Disconnected,
    Event,
    Message,
    SendRefused,
)
from tinyqq.client.store import FileStore, MemoryStore, Store
from tinyqq.client.trust import Trust
from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.model.account import DeviceKind, ProfileChanged
from tinyqq.model.friend import PresenceChanged
from tinyqq.model.group import JoinPolicy, Role
from tinyqq.model.message import Content, CursorMoved, Kind, Typing

__all__ = [
    "Change",
    "Client",
    "Connected",
    "Content",
    "CursorMoved",
    "DeviceKind",
    "Disconnected",
    "ErrorCode",
    "Event",
    "FileStore",
    "HistoryPage",
    "JoinPolicy",
    "KickedOut",
    "Kind",
    "MemoryStore",
    "Message",
    "PresenceChanged",
    "ProfileChanged",
    "Role",
    "SendRefused",
    "Store",
    "Timeouts",
    "TinyQQError",
    "Trust",
    "Typing",
]
