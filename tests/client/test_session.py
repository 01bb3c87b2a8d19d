"""A client's life: opening, logging in and out, closing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.support.clients import all_left, logged_in, next_of, next_texts
from tests.support.entries import ANN, ANN_BOB, BOB, text
from tests.support.fake_server import FakeServer

from tinyqq.client import Client, Connected, FileStore, KickedOut, Message, Trust
from tinyqq.errors import ErrorCode, InvalidRequest, Unauthenticated, Unavailable
from tinyqq.model.account import ChangePassword, KickReason, LoggedIn
from tinyqq.model.connection import Done, Kicked
from tinyqq.model.ids import Seq, SessionId
from tinyqq.model.message import Mark
from tinyqq.wire.packets import PacketType


async def test_open_when_the_store_has_a_token_then_logged_in(
    server: FakeServer, tmp_path: Path
) -> None:
    async with logged_in(server.url, store=tmp_path / "me.db"):
        pass
    async with Client(server.url, store=tmp_path / "me.db") as me:
        assert me.user_id == ANN
    assert len(server.asked(PacketType.LOG_IN)) == 1


async def test_open_when_the_token_is_no_longer_good_then_open_and_nobody(
    server: FakeServer, tmp_path: Path
) -> None:
    store = FileStore(tmp_path / "me.db")
    store.save_account(ANN, "revoked")
    store.close()
    async with Client(server.url, store=tmp_path / "me.db") as me:
        assert me.user_id == 0
        await me.login(ANN, "password")


async def test_open_when_the_token_cannot_be_tried_then_raises_and_is_kept(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "me.db")
    store.save_account(ANN, "token-10001")
    store.close()
    with pytest.raises(Unavailable):
        await Client("tinyqq://127.0.0.1:1", store=tmp_path / "me.db").open()
    store = FileStore(tmp_path / "me.db")
    assert store.load().refresh_token == "token-10001"
    store.close()


def test_client_when_the_address_is_senseless_then_refused_at_once() -> None:
    with pytest.raises(InvalidRequest):
        Client("gopher://x")


async def test_log_in_when_the_fingerprint_is_senseless_then_refused(server: FakeServer) -> None:
    url = server.http_url.replace("http", "https")
    async with Client(url, trust=Trust(fingerprint="nonsense")) as me:
        with pytest.raises(InvalidRequest):
            await me.login(ANN, "password")


async def test_client_when_not_open_then_says_so() -> None:
    with pytest.raises(RuntimeError):
        await Client().login(ANN, "password")


async def test_client_when_not_logged_in_then_says_so(server: FakeServer) -> None:
    async with Client(server.url) as me:
        with pytest.raises(Unauthenticated):
            await me.send(BOB, "hi")
        with pytest.raises(Unauthenticated):
            await me.friends.list()


async def test_close_when_done_twice_or_never_opened_then_fine(server: FakeServer) -> None:
    me = Client(server.url)
    await me.close()
    await me.open()
    await me.close()
    await me.close()


async def test_close_when_the_program_fails_then_its_own_error_comes_out(
    server: FakeServer,
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with logged_in(server.url):
            raise ZeroDivisionError


async def test_close_when_a_reader_waits_then_its_loop_ends(server: FakeServer) -> None:
    async with asyncio.TaskGroup() as tasks:
        async with logged_in(server.url) as me:
            reader = tasks.create_task(all_left(me))
            await asyncio.sleep(0)
    assert [type(one) for one in reader.result()] == [Connected]


async def test_close_when_something_was_handed_out_then_the_server_knows(
    server: FakeServer,
) -> None:
    server.post(ANN_BOB, BOB, text(1).body)
    async with logged_in(server.url) as me:
        await next_of(me, Message)
    assert await server.wait_asked(PacketType.MARK) == Mark(ANN_BOB, Seq(1))


async def test_log_out_when_asked_then_the_stream_ends_and_the_token_is_gone(
    server: FakeServer, tmp_path: Path
) -> None:
    async with logged_in(server.url, store=tmp_path / "me.db") as me:
        await me.log_out()
        with pytest.raises(Unauthenticated):
            await me.send(BOB, "hi")
    async with Client(server.url, store=tmp_path / "me.db") as me:
        assert me.user_id == 0


async def test_log_out_when_a_file_is_asked_for_then_nobody_is_logged_in(
    server: FakeServer,
) -> None:
    async with logged_in(server.http_url) as me:
        await me.log_out()
        with pytest.raises(Unauthenticated) as caught:
            await me.media.list_files()
    assert caught.value.code is ErrorCode.NOT_LOGGED_IN


async def test_log_out_when_the_server_kicks_first_then_no_error(server: FakeServer) -> None:
    def log_out(link: Any, record: Any) -> Done:
        link.push(PacketType.KICKED, Kicked(KickReason.LOGGED_OUT))
        return Done()

    server.handlers[PacketType.LOG_OUT] = log_out
    async with logged_in(server.url) as me:
        async with asyncio.TaskGroup() as tasks:
            reader = tasks.create_task(all_left(me))
            await asyncio.sleep(0)
            await me.log_out()
    assert len(reader.result()) == 1


async def test_kicked_when_reading_then_the_stream_ends_with_it(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED, "phone"))
        with pytest.raises(KickedOut) as caught:
            await all_left(me)
    assert caught.value.reason is KickReason.REPLACED


async def test_log_in_when_as_somebody_else_then_nothing_of_the_first_is_left(
    server: FakeServer,
) -> None:
    server.post(ANN_BOB, BOB, text(1).body)
    async with logged_in(server.url) as me:
        await me.login(BOB, "password")
        assert me.user_id == BOB
        server.post(ANN_BOB, ANN, text(2).body)
        assert await next_texts(me, 2) == ["text 1", "text 2"]


async def test_log_in_when_two_do_at_once_then_the_later_is_who_one_is(server: FakeServer) -> None:
    async with Client(server.url) as me:
        await asyncio.gather(me.login(ANN, "password"), me.login(BOB, "password"))
        assert me.user_id == BOB
        await me.send(ANN, "hi")
        assert (await next_of(me, Message)).sender == BOB


async def test_close_when_something_waits_to_be_taken_then_it_is_the_next_runs(
    server: FakeServer, tmp_path: Path
) -> None:
    server.post(ANN_BOB, BOB, text(1).body)
    server.post(ANN_BOB, BOB, text(2).body)
    async with logged_in(server.url, store=tmp_path / "me.db") as me:
        events = me.messages()
        assert (await anext(events)).text == "text 1"
    assert [one async for one in events] == []
    async with Client(server.url, store=tmp_path / "me.db") as me:
        assert await next_texts(me, 1) == ["text 2"]


async def test_close_when_two_do_at_once_then_fine(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        await asyncio.gather(me.close(), me.close())


async def test_password_that_must_be_changed_when_changed_then_catches_up(
    server: FakeServer,
) -> None:
    changed = False

    def log_in(link: Any, request: Any) -> LoggedIn:
        return LoggedIn(ANN, "access", 0, "token-10001", "Ann", True, SessionId(1))

    def change(link: Any, request: Any) -> Done:
        nonlocal changed
        changed = True
        del server.handlers[PacketType.GET_OVERVIEW]
        return Done()

    def refuse(link: Any, request: Any) -> Any:
        raise Unauthenticated(ErrorCode.PASSWORD_CHANGE_REQUIRED)

    server.post(ANN_BOB, BOB, text(1).body)
    server.handlers[PacketType.LOG_IN] = log_in
    server.handlers[PacketType.GET_OVERVIEW] = refuse
    server.handlers[PacketType.CHANGE_PASSWORD] = change
    async with Client(server.url) as me:
        await me.login(ANN, "password")
        await me.account.change_password("password", "a better one")
        assert await next_texts(me, 1) == ["text 1"]
    assert changed
    assert server.asked(PacketType.CHANGE_PASSWORD) == [ChangePassword("password", "a better one")]


async def test_pushes_lost_when_the_heartbeat_tells_then_fetched(server: FakeServer) -> None:
    async with logged_in(server.url) as me:
        server.lose_pushes = 1
        server.post(ANN_BOB, BOB, text(1).body)
        me._session.on_missed()
        assert await next_texts(me, 1) == ["text 1"]


async def test_open_and_close_when_in_different_tasks_then_as_in_a_notebook(
    server: FakeServer,
) -> None:
    me = Client(server.url)
    async with asyncio.TaskGroup() as cell:
        cell.create_task(me.open())
    async with asyncio.TaskGroup() as cell:
        cell.create_task(me.login(ANN, "password"))
    async with asyncio.TaskGroup() as cell:
        sent = cell.create_task(me.send(BOB, "hi"))
    async with asyncio.TaskGroup() as cell:
        cell.create_task(me.close())
    assert sent.result().seq == 1
