"""The way of an operator's commands to a node, running or not.

A running node holds its database alone, so it listens on a socket in its data folder; whoever may
open that file is its operator. One JSON line goes in, JSON lines come out, the last one with
``done`` or ``error``. While no node runs, the same calls work on the database itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unavailable, error_for
from tinyqq.model.account import Account
from tinyqq.model.ids import UserId
from tinyqq.services.admin import AccountAdmin

logger = logging.getLogger(__name__)

_FILE: Final = "control.sock"
_MAX_LINE_BYTES: Final = 64 * 1024
_TIMEOUT_S: Final = 30.0
_SHOWN: Final = ("user_id", "nickname", "is_bot", "is_admin", "is_disabled", "created_at_ms")

Row = dict[str, Any]


def control_file(data_dir: Path) -> Path:
    """Where the node of a data folder listens for its operator."""
    return data_dir / _FILE


async def perform(admin: AccountAdmin, call: str, arguments: Row) -> AsyncIterator[Row]:
    """Do what an operator asks; yields what there is to show.

    Raises:
        TinyQQError: by the rules of the call; InvalidRequest for a call that does not exist.
    """
    match call:
        case "add":
            account = await admin.create_account(**arguments)
            yield _shown(account)
            if account.is_bot:
                token = await admin.mint_bot_token(account.user_id, name="token")
                yield {"user_id": account.user_id, "token": token}
        case "passwd":
            await admin.set_password(UserId(arguments["user_id"]), arguments["password"])
        case "disable" | "enable":
            await admin.set_disabled(UserId(arguments["user_id"]), call == "disable")
        case "list":
            async for account in admin.iter_accounts():
                if not account.deleted_at_ms:
                    yield _shown(account)
        case _:
            raise InvalidRequest(ErrorCode.UNKNOWN_OPERATION, call=call)


@contextlib.asynccontextmanager
async def listen_for_operator(data_dir: Path, admin: AccountAdmin) -> AsyncIterator[None]:
    """Answer the operator until the end of the block.

    Where there are no such sockets (Windows) or the path is too long for one, the node runs
    without, and says so in the log.
    """
    path = control_file(data_dir)
    try:
        sock = _bind(path)
    except (OSError, AttributeError) as exc:
        logger.warning("control.unavailable", extra={"file": str(path), "reason": str(exc)})
        yield
        return
    desk = _Desk(admin)
    server = await asyncio.start_unix_server(desk.serve, sock=sock, limit=_MAX_LINE_BYTES)
    try:
        yield
    finally:
        server.close()
        await desk.close()
        path.unlink(missing_ok=True)


async def ask_node(data_dir: Path, call: str, arguments: Row) -> list[Row] | None:
    """Ask the running node of a data folder; None when none runs there.

    Raises:
        TinyQQError: what the node answered; Unavailable when it does not answer in time.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(control_file(data_dir)))
    except (OSError, AttributeError):
        return None
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            writer.write(_line({"call": call, "arguments": arguments}))
            return [row async for row in _rows(reader)]
    except TimeoutError as exc:
        raise Unavailable(ErrorCode.TIMED_OUT) from exc
    except OSError as exc:
        raise Unavailable(ErrorCode.CONNECTION_LOST) from exc
    finally:
        writer.close()


class _Desk:
    """Serves operators, each in the task that asyncio made for the connection."""

    def __init__(self, admin: AccountAdmin) -> None:
        self._admin = admin
        self._open: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one call."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._answer(reader, writer)
        except (TimeoutError, OSError, ValueError) as exc:
            logger.warning("control.failed", extra={"reason": repr(exc)})
        finally:
            self._open.discard(task)
            writer.close()

    async def close(self) -> None:
        """End what is still open."""
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        try:
            async for row in perform(self._admin, request["call"], request["arguments"]):
                writer.write(_line(row))
                await writer.drain()
            writer.write(_line({"done": True}))
        except TinyQQError as error:
            writer.write(_line({"error": int(error.code), "fields": error.fields}))
        await writer.drain()


async def _rows(reader: asyncio.StreamReader) -> AsyncIterator[Row]:
    while line := await reader.readline():
        row: Row = json.loads(line)
        if "error" in row:
            raise error_for(row["error"], **row["fields"])
        if "done" in row:
            return
        yield row
    raise Unavailable(ErrorCode.CONNECTION_LOST)


def _bind(path: Path) -> socket.socket:
    """The socket, for its owner alone from the first moment on."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)  # left by a node that was killed: we hold the database
        sock.bind(str(path))
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _line(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _shown(account: Account) -> Row:
    whole = dataclasses.asdict(account)
    return {name: whole[name] for name in _SHOWN}
