"""Accounts straight from the database, while no node runs."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tinyqq.app.offline import NoDelivery, make_data_dir, open_admin
from tinyqq.app.settings import Settings
from tinyqq.errors import Unavailable
from tinyqq.model.account import KickReason
from tinyqq.model.ids import ConversationId, SessionId, UserId
from tinyqq.model.message import Typing
from tinyqq.ports.delivery import Hint, Kick


async def test_open_admin_when_nobody_has_the_database_then_accounts_are_kept(
    tmp_path: Path,
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    async with open_admin(settings) as admin:
        made = await admin.create_account(nickname="小明")
    async with open_admin(settings) as admin:
        assert [one.user_id async for one in admin.iter_accounts()] == [made.user_id]


async def test_open_admin_when_another_has_the_database_then_unavailable(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    async with open_admin(settings):
        with pytest.raises(Unavailable):
            async with open_admin(settings):
                pass


def test_data_dir_when_made_then_for_its_owner_alone(tmp_path: Path) -> None:
    make_data_dir(tmp_path / "data")
    make_data_dir(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_no_delivery_when_told_then_nothing_happens() -> None:
    nobody = NoDelivery()
    nobody.push([])
    nobody.hint(Hint((), Typing(ConversationId(10_000)), SessionId(0)))
    nobody.kick(Kick(UserId(10_001), KickReason.REVOKED, None, None, SessionId(0), ""))
