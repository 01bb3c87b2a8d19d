"""The operator's calls, on the database and through a running node."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tinyqq.app.control import ask_node, control_file, listen_for_operator, perform
from tinyqq.app.offline import open_admin
from tinyqq.app.settings import AccountSettings, Settings
from tinyqq.errors import InvalidRequest, NotFound, Unavailable
from tinyqq.services.admin import AccountAdmin

CHEAP = AccountSettings(argon2_memory_kib=8, argon2_passes=1)


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[AccountAdmin]:
    async with open_admin(Settings(data_dir=tmp_path / "data", accounts=CHEAP)) as admin:
        yield admin


@pytest.fixture
async def folder(tmp_path: Path, admin: AccountAdmin) -> AsyncIterator[Path]:
    """A folder whose node listens for its operator."""
    async with listen_for_operator(tmp_path, admin):
        yield tmp_path


async def rows(admin: AccountAdmin, call: str, **arguments: Any) -> list[dict[str, Any]]:
    return [row async for row in perform(admin, call, arguments)]


async def test_perform_when_a_bot_is_added_then_its_token_is_shown(admin: AccountAdmin) -> None:
    shown, token = await rows(admin, "add", nickname="echo", is_bot=True)
    assert shown["is_bot"]
    assert token["user_id"] == shown["user_id"]
    assert len(token["token"]) > 20


async def test_perform_when_listed_then_accounts_without_secrets(admin: AccountAdmin) -> None:
    await rows(admin, "add", nickname="小明", password="correct horse")
    (listed,) = await rows(admin, "list")
    assert listed["nickname"] == "小明"
    assert "password_hash" not in listed


async def test_perform_when_disabled_and_enabled_then_listed_as_such(admin: AccountAdmin) -> None:
    (shown,) = await rows(admin, "add", nickname="小明")
    for call, is_disabled in (("disable", True), ("enable", False)):
        assert await rows(admin, call, user_id=shown["user_id"]) == []
        (listed,) = await rows(admin, "list")
        assert listed["is_disabled"] is is_disabled


async def test_perform_when_the_password_is_set_then_nothing_to_show(admin: AccountAdmin) -> None:
    (shown,) = await rows(admin, "add", nickname="小明")
    assert await rows(admin, "passwd", user_id=shown["user_id"], password="correct horse") == []


async def test_perform_when_the_call_is_unknown_then_refused(admin: AccountAdmin) -> None:
    with pytest.raises(InvalidRequest):
        await rows(admin, "explode")


async def test_ask_when_no_node_runs_then_none(tmp_path: Path) -> None:
    assert await ask_node(tmp_path, "list", {}) is None


async def test_ask_when_a_killed_node_left_its_socket_then_none(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(control_file(tmp_path)))
    assert await ask_node(tmp_path, "list", {}) is None


async def test_ask_when_a_node_runs_then_it_answers(folder: Path) -> None:
    added = await ask_node(folder, "add", {"nickname": "小明"})
    assert added is not None
    assert await ask_node(folder, "list", {}) == added


async def test_ask_when_the_node_refuses_then_its_error(folder: Path) -> None:
    with pytest.raises(NotFound, match="user_id=10009"):
        await ask_node(folder, "disable", {"user_id": 10009})


async def test_ask_when_the_node_goes_in_the_middle_then_unavailable(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_unix_server(hang_up, control_file(tmp_path)):
        with pytest.raises(Unavailable):
            await ask_node(tmp_path, "list", {})


async def test_listen_when_open_then_for_its_owner_alone(folder: Path) -> None:
    assert stat.S_IMODE(control_file(folder).stat().st_mode) == 0o600


async def test_listen_when_rubbish_comes_then_others_are_still_served(folder: Path) -> None:
    reader, writer = await asyncio.open_unix_connection(control_file(folder))
    writer.write(b"{rubbish\n")
    assert await reader.read() == b""
    writer.close()
    assert await ask_node(folder, "list", {}) == []


async def test_listen_when_closed_then_nothing_is_left(tmp_path: Path, admin: AccountAdmin) -> None:
    async with listen_for_operator(tmp_path, admin):
        reader, writer = await asyncio.open_unix_connection(control_file(tmp_path))
        assert await ask_node(tmp_path, "list", {}) == []  # so both are accepted by now
    assert not control_file(tmp_path).exists()
    assert await reader.read() == b""
    writer.close()


async def test_listen_when_the_path_is_too_long_then_the_node_runs_without(
    tmp_path: Path, admin: AccountAdmin, caplog: pytest.LogCaptureFixture
) -> None:
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    async with listen_for_operator(deep, admin):
        assert await ask_node(deep, "list", {}) is None
    assert "control.unavailable" in caplog.text
