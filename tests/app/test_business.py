"""Which roles a node answers itself, and which it asks others for."""

from __future__ import annotations

import dataclasses
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.support.services import FakeServices

from tinyqq.app.business import Business, open_business
from tinyqq.app.ground import open_ground
from tinyqq.app.peers import Me, Peers
from tinyqq.app.settings import Settings
from tinyqq.model.ids import HELPER_ID, UnitId
from tinyqq.ports.services import Services

SECRET = {"secret": "sixteen bytes or more"}


def fail(error: Exception) -> None:
    raise AssertionError(error)


async def business(
    stack: AsyncExitStack, folder: Path, others: Services | None, **changes: object
) -> Business:
    settings = Settings.model_validate({"data_dir": folder, **changes})
    enter = stack.enter_async_context
    alone = Settings.model_validate({"data_dir": folder})
    ground = await open_ground(enter, alone, Me(UnitId("here"), "first"), fail)
    peers = Peers(link=lambda _: None, others=lambda: (), services=others, counters={})
    return await open_business(enter, settings, ground, peers)


async def test_roles_when_there_are_no_others_then_all_are_here(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        made = await business(stack, tmp_path, None)
        assert made.services is made.own


async def test_roles_when_some_are_elsewhere_then_these_are_asked_for_there(tmp_path: Path) -> None:
    others = FakeServices().services
    cluster = {"registry": "zookeeper://127.0.0.1/x", "cluster": SECRET}
    async with AsyncExitStack() as stack:
        made = await business(stack, tmp_path, others, roles=["proxy", "chat"], **cluster)
        here = {
            field.name
            for field in dataclasses.fields(Services)
            if getattr(made.services, field.name) is getattr(made.own, field.name)
        }
        assert here == {"chat"}
        assert made.services.user is others.user


@pytest.mark.parametrize("enabled", [True, False])
async def test_helper_when_switched_then_it_has_an_account_or_not(
    tmp_path: Path, enabled: bool
) -> None:
    async with AsyncExitStack() as stack:
        made = await business(stack, tmp_path, None, helper={"enabled": enabled})
        found = [account.user_id async for account in made.admin.iter_accounts()]
        assert found == ([HELPER_ID] if enabled else [])
