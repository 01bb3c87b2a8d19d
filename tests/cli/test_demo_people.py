"""The people of the demo: made once, friends, in a group; and the bot answers."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyqq.app.build import App, build
from tinyqq.app.settings import AccountSettings, ListenSettings, Settings
from tinyqq.cli.demo_people import PASSWORD, Demo, load_people
from tinyqq.client import Client, Content, Message
from tinyqq.model.ids import HELPER_ID, GroupId, UserId, group_conversation

pytestmark = pytest.mark.slow


def settings(data_dir: Path) -> Settings:
    return Settings(
        data_dir=data_dir,
        listen=ListenSettings(tcp_port=0, http_port=0),
        accounts=AccountSettings(argon2_memory_kib=8, argon2_passes=1),
    )


async def first(me: Client, is_wanted: Callable[[Message], bool]) -> Message:
    async with asyncio.timeout(30):
        async for message in me.messages():
            if is_wanted(message):
                return message
    raise AssertionError("the stream ended")


async def test_attend_when_new_then_people_are_friends_and_talk(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    async with build(settings(tmp_path)) as app, demo.attend(app):
        assert demo.people is not None
        ming, hong, gang = demo.people.people
        assert [one.is_admin for one in demo.people.people] == [True, False, False]
        assert {one.user_id async for one in app.admin.iter_accounts() if one.is_admin} == {
            ming.user_id
        }
        async with Client(app.tcp_url) as me:
            await me.login(ming.user_id, PASSWORD)
            friends = {one.user_id for one in await me.friends.list()}
            assert friends == {HELPER_ID, hong.user_id, gang.user_id, demo.people.bot.user_id}
            members = await me.groups.members(demo.people.group_id)
            assert len(members) == 4
            history = await me.history(group_conversation(GroupId(demo.people.group_id)))
            assert [one.text for one in history.entries if isinstance(one, Message)]


async def test_attend_when_the_bot_is_written_to_then_it_answers(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    async with build(settings(tmp_path)) as app, demo.attend(app):
        assert demo.people is not None
        bot, group_id = demo.people.bot.user_id, demo.people.group_id
        async with Client(app.tcp_url) as me:
            await me.login(demo.people.people[0].user_id, PASSWORD)
            await me.send(bot, "喂")
            assert (await first(me, lambda one: one.sender == bot)).text == "你说：喂"
            await me.send_group(group_id, "谁在？")
            await me.send_group(group_id, Content("你在吗？"), mentions=[bot])
            answer = await first(me, lambda one: one.sender == bot)
            assert answer.text == "你说：你在吗？"  # and nothing about what was not for it


async def test_attend_when_made_before_then_the_same_people(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        demo = Demo(tmp_path)
        async with build(settings(tmp_path)) as app, demo.attend(app):
            seen.append(demo.people)
            assert await accounts(app) == 5
    assert seen[0] == seen[1] == load_people(tmp_path / "demo.json")
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600


async def test_attend_when_the_bot_is_disabled_then_the_server_goes_on(tmp_path: Path) -> None:
    for _ in range(2):  # the second time it cannot even log in
        demo = Demo(tmp_path)
        async with build(settings(tmp_path)) as app, demo.attend(app):
            assert demo.people is not None
            await app.admin.set_disabled(UserId(demo.people.bot.user_id), True)
            async with Client(app.tcp_url) as me:
                await me.login(demo.people.people[0].user_id, PASSWORD)


async def accounts(app: App) -> int:
    return len([one async for one in app.admin.iter_accounts()])
