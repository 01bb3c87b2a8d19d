"""The link: logging in, coming back, moving, and the end of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from tests.support.entries import ANN, text
from tests.support.fake_server import FakeServer, fake_server, handled_by

from tinyqq.client.addresses import parse_url
from tinyqq.client.connection import Connection
from tinyqq.client.dialer import Dialer
from tinyqq.client.link import KickedOut, Link
from tinyqq.client.store import MemoryStore
from tinyqq.client.trust import Trust
from tinyqq.clock import SystemClock
from tinyqq.errors import (
    Conflict,
    ErrorCode,
    ProtocolError,
    RateLimited,
    TinyQQError,
    Unauthenticated,
    Unavailable,
)
from tinyqq.model.account import (
    DeviceKind,
    GetProfile,
    KickReason,
    LogIn,
    Profile,
    Register,
    Registered,
    Resume,
)
from tinyqq.model.connection import GoAway, Kicked
from tinyqq.model.ids import OperationId, UserId
from tinyqq.wire.packets import PacketType, error_frame, push_frame

ASK = (PacketType.GET_PROFILE, GetProfile(ANN))
REPLACED = push_frame(PacketType.KICKED, Kicked(KickReason.REPLACED, "phone"))
REGISTER = Register(OperationId(bytes(16)), "Ann", "password")


class User:
    """Remembers what became of the link."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.pushes: list[Any] = []
        self.error: TinyQQError | None = None
        self._changed = asyncio.Event()

    def on_up(self, connection: Connection, user_id: UserId) -> None:
        self._note(f"up {user_id}")

    def on_down(self, error: TinyQQError) -> None:
        self._note("down")

    def on_push(self, packet_type: PacketType, record: Any) -> None:
        self.pushes.append(record)
        self._note("push")

    def on_missed(self) -> None:
        self._note("missed")

    def on_end(self, error: TinyQQError) -> None:
        self.error = error
        self._note("end")

    async def until(self, *seen: str) -> None:
        """Wait until exactly this has been seen."""
        async with asyncio.timeout(30):
            while self.seen != list(seen):
                self._changed.clear()
                await self._changed.wait()

    def _note(self, what: str) -> None:
        self.seen.append(what)
        self._changed.set()


class Fixture:
    """A link, and what is around it."""

    def __init__(self, server: FakeServer, tasks: asyncio.TaskGroup, random: Random) -> None:
        self.user = User()
        self.store = MemoryStore()
        clock = SystemClock()
        dialer = Dialer(
            url=server.url,
            trust=Trust(),
            clock=clock,
            random=random,
            tasks=tasks,
            agent="test/1",
            language="",
        )
        self.link = Link(
            dialer=dialer,
            store=self.store,
            clock=clock,
            random=random,
            tasks=tasks,
            user=self.user,
        )

    async def log_in(self, password: str = "password") -> None:
        request = LogIn(ANN, password, self.link.device_id, DeviceKind.CLI)
        await self.link.log_in(PacketType.LOG_IN, request)


@pytest.fixture
async def made(server: FakeServer, hasty: Random) -> AsyncIterator[Fixture]:
    tasks = await asyncio.TaskGroup().__aenter__()
    fixture = Fixture(server, tasks, hasty)
    yield fixture
    await fixture.link.close()
    await tasks.__aexit__(None, None, None)


async def test_ask_when_not_logged_in_then_answered(made: Fixture) -> None:
    answer = await made.link.ask(PacketType.REGISTER, REGISTER, repeat=True)
    assert answer == Registered(ANN, "CODE")


async def test_ask_when_the_connection_breaks_then_repeated_if_it_may_be(
    server: FakeServer, made: Fixture
) -> None:
    await made.link.ask(PacketType.REGISTER, REGISTER, repeat=True)
    server.handlers[PacketType.REGISTER] = lambda link, record: link.cut()
    for repeat, tries in ((True, 2), (False, 1)):
        server.requests.clear()
        with pytest.raises(Unavailable):
            await made.link.ask(PacketType.REGISTER, REGISTER, repeat=repeat)
        assert len(server.asked(PacketType.REGISTER)) == tries


async def test_ask_when_logged_in_then_on_a_connection_of_its_own(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    await made.link.ask(PacketType.REGISTER, REGISTER, repeat=True)
    assert made.user.seen == [f"up {ANN}"]
    assert server.connections == 2


async def test_log_in_when_right_then_up_and_remembered(server: FakeServer, made: Fixture) -> None:
    await made.link.ask(PacketType.REGISTER, REGISTER, repeat=True)
    await made.log_in()
    assert made.user.seen == [f"up {ANN}"]
    assert made.store.load().refresh_token == f"token-{ANN}"
    assert server.connections == 1


async def test_log_in_when_wrong_then_raises_and_may_be_tried_again(made: Fixture) -> None:
    with pytest.raises(Unauthenticated):
        await made.log_in("wrong")
    await made.log_in()
    assert made.user.seen == [f"up {ANN}"]


async def test_log_in_when_by_token_then_the_token_is_kept(made: Fixture) -> None:
    await made.link.log_in(PacketType.RESUME, Resume("token-10001", made.link.device_id))
    assert made.store.load().refresh_token == "token-10001"


async def test_log_in_when_the_one_before_was_given_up_then_on_a_new_connection(
    server: FakeServer, made: Fixture
) -> None:
    server.silent.add(PacketType.LOG_IN)
    given_up = asyncio.create_task(made.log_in())
    await server.wait_asked(PacketType.LOG_IN)
    given_up.cancel()
    await asyncio.wait([given_up])
    server.silent.clear()
    async with asyncio.timeout(10):
        await made.log_in()
    assert made.user.seen == [f"up {ANN}"]


async def test_log_in_when_kicked_in_the_same_breath_then_does_not_come_back(
    server: FakeServer, made: Fixture
) -> None:
    server.behind_log_in = REPLACED
    with pytest.raises(KickedOut):
        await made.log_in()
    assert server.connections == 1
    assert made.user.seen == ["end"]


async def test_link_when_kicked_in_the_breath_that_takes_it_back_then_ends_with_its_token(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.behind_log_in = REPLACED
    server.cut_all()
    assert made.link._keeper is not None
    async with asyncio.timeout(30):
        await made.link._keeper
    assert made.user.seen == [f"up {ANN}", "down", "end"]
    assert made.store.load().refresh_token == f"token-{ANN}"


async def test_link_when_something_was_asked_while_it_came_back_then_it_can_be_kicked(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    await asyncio.gather(
        made.link._resume(""), made.link.ask(PacketType.REGISTER, REGISTER, repeat=True)
    )
    server.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED, "phone"))
    await made.user.until(f"up {ANN}", f"up {ANN}", "end")


async def test_log_in_when_logged_in_then_the_old_one_is_left(made: Fixture) -> None:
    await made.log_in()
    await made.link.log_in(PacketType.RESUME, Resume("token-10002", made.link.device_id))
    assert made.link.user_id == 10_002
    assert made.user.seen == ["up 10001", "up 10002"]


async def test_call_when_answered_then_its_record(server: FakeServer, made: Fixture) -> None:
    server.handlers[ASK[0]] = lambda link, record: Profile(ANN, "Ann")
    await made.log_in()
    assert await made.link.call(*ASK) == Profile(ANN, "Ann")


async def test_call_when_never_logged_in_then_refused(made: Fixture) -> None:
    with pytest.raises(Unauthenticated):
        await made.link.call(*ASK)


async def test_call_when_the_connection_breaks_then_asked_again_on_the_next(
    server: FakeServer, made: Fixture
) -> None:
    def once(link: Any, record: Any) -> Any:
        server.handlers[ASK[0]] = lambda link, record: Profile(ANN, "Ann")
        link.cut()

    server.handlers[ASK[0]] = once
    await made.log_in()
    assert await made.link.call(*ASK) == Profile(ANN, "Ann")
    assert made.user.seen == [f"up {ANN}", "down", f"up {ANN}"]


async def test_call_when_it_must_not_be_repeated_then_lost(
    server: FakeServer, made: Fixture
) -> None:
    server.handlers[ASK[0]] = lambda link, record: link.cut()
    await made.log_in()
    with pytest.raises(Unavailable) as caught:
        await made.link.call(*ASK, repeat=False)
    assert caught.value.code is ErrorCode.CONNECTION_LOST
    assert len(server.asked(ASK[0])) == 1


@pytest.mark.parametrize("code", [ErrorCode.BUSY, ErrorCode.TIMED_OUT])
async def test_call_when_the_server_cannot_just_now_then_asked_again(
    server: FakeServer, made: Fixture, code: ErrorCode
) -> None:
    def once(link: Any, record: Any) -> Any:
        server.handlers[ASK[0]] = lambda link, record: Profile(ANN, "Ann")
        raise Unavailable(code)

    server.handlers[ASK[0]] = once
    await made.log_in()
    assert await made.link.call(*ASK) == Profile(ANN, "Ann")


async def test_call_when_busy_for_longer_than_the_caller_waits_then_raised(
    server: FakeServer, made: Fixture
) -> None:
    def busy(link: Any, record: Any) -> Any:
        raise Unavailable(ErrorCode.BUSY, retry_after_s=60)

    server.handlers[ASK[0]] = busy
    await made.log_in()
    with pytest.raises(Unavailable) as caught:
        await made.link.call(*ASK, timeout_s=30)
    assert caught.value.retry_after_s == 60


async def test_call_when_there_is_no_server_then_gives_up_in_time(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.greeting = error_frame(0, Unavailable(ErrorCode.DRAINING))
    server.cut_all()
    await made.user.until(f"up {ANN}", "down")
    with pytest.raises(Unavailable) as caught:
        await made.link.call(*ASK, timeout_s=0.05)
    assert caught.value.fields["reason"] == "reconnecting"


async def test_link_when_cut_then_resumes_by_its_token(server: FakeServer, made: Fixture) -> None:
    await made.log_in()
    server.cut_all()
    await made.user.until(f"up {ANN}", "down", f"up {ANN}")
    assert server.asked(PacketType.RESUME) == [Resume(f"token-{ANN}", made.link.device_id)]


@pytest.mark.parametrize(
    "trouble",
    [
        Unavailable(ErrorCode.BUSY),
        RateLimited(ErrorCode.TOO_MANY_LOG_INS),
        ProtocolError(ErrorCode.LOG_IN_TIMEOUT),
    ],
)
async def test_link_when_the_server_is_not_ready_then_tries_until_it_is(
    server: FakeServer, made: Fixture, trouble: TinyQQError
) -> None:
    await made.log_in()
    resume = PacketType.RESUME
    tries = 0

    def not_yet(link: Any, record: Any) -> Any:
        nonlocal tries
        tries += 1
        if tries == 3:
            del server.handlers[resume]
        raise trouble

    server.handlers[resume] = not_yet
    server.cut_all()
    await made.user.until(f"up {ANN}", "down", f"up {ANN}")
    assert tries == 3


async def test_link_when_the_token_is_no_longer_good_then_ends(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()

    def refuse(link: Any, record: Any) -> Any:
        raise Unauthenticated(ErrorCode.TOKEN_EXPIRED)

    server.handlers[PacketType.RESUME] = refuse
    server.cut_all()
    await made.user.until(f"up {ANN}", "down", "end")
    assert made.store.load().refresh_token == ""
    with pytest.raises(Unauthenticated):
        await made.link.call(*ASK)


async def test_link_when_the_server_speaks_another_version_then_ends(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.greeting = error_frame(0, ProtocolError(ErrorCode.VERSION_UNSUPPORTED))
    server.cut_all()
    await made.user.until(f"up {ANN}", "down", "end")


@pytest.mark.parametrize(
    ("reason", "kept"),
    [(KickReason.REPLACED, True), (KickReason.REVOKED, False), (KickReason.UNSPECIFIED, False)],
)
async def test_link_when_kicked_then_ends_and_does_not_come_back(
    server: FakeServer, made: Fixture, reason: KickReason, kept: bool
) -> None:
    await made.log_in()
    server.push_all(PacketType.KICKED, Kicked(reason, "phone"))
    await made.user.until(f"up {ANN}", "end")
    assert isinstance(made.user.error, KickedOut)
    assert made.user.error.reason is reason
    assert bool(made.store.load().refresh_token) is kept
    with pytest.raises(KickedOut):
        await made.link.call(*ASK)
    assert server.connections == 1


async def test_link_when_kicked_then_may_log_in_again_by_will(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED))
    await made.user.until(f"up {ANN}", "end")
    await made.log_in()
    assert made.user.seen[-1] == f"up {ANN}"


@pytest.mark.parametrize("names_it", [True, False])
async def test_link_when_told_to_go_away_then_moves(
    server: FakeServer, made: Fixture, names_it: bool
) -> None:
    async with fake_server() as other:
        await made.log_in()
        url = other.url if names_it else ""
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 1, url))
        await made.user.until(f"up {ANN}", f"up {ANN}")
        assert (server.connections, other.connections) == ((1, 1) if names_it else (2, 0))
        await made.link.close()


async def test_link_when_told_to_go_away_then_first_in_there_and_then_out_here(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        await made.log_in()
        old = made.link.connection
        assert old is not None

        def resume(link: Any, record: Any) -> Any:
            assert made.link.connection is old
            assert not old.is_closed
            # As a server does: the session that was here before is ended, and that is heard first.
            server.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED, "me"))
            return handled_by(PacketType.RESUME)(link, record)

        other.handlers[PacketType.RESUME] = resume
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, other.url))
        await made.user.until(f"up {ANN}", f"up {ANN}")
        assert old.is_closed
        assert made.link.connection is not None
        assert not made.link.has_ended
        await made.link.close()


async def test_link_when_the_new_place_refuses_then_served_here_until_it_takes_it(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        await made.log_in()
        refused = asyncio.Event()

        def busy(link: Any, record: Any) -> Any:
            refused.set()
            del other.handlers[PacketType.RESUME]
            raise Unavailable(ErrorCode.BUSY)

        other.handlers[PacketType.RESUME] = busy
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, other.url))
        await refused.wait()
        server.handlers[ASK[0]] = lambda link, record: Profile(ANN, "Ann")
        assert await made.link.call(*ASK) == Profile(ANN, "Ann")
        await made.user.until(f"up {ANN}", f"up {ANN}")
        await made.link.close()


async def test_link_when_another_device_comes_on_the_new_place_then_ends(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        await made.log_in()
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, other.url))
        await made.user.until(f"up {ANN}", f"up {ANN}")
        other.push_all(PacketType.KICKED, Kicked(KickReason.REPLACED, "phone"))
        await made.user.until(f"up {ANN}", f"up {ANN}", "end")
        await made.link.close()


async def test_link_when_it_has_moved_then_it_may_be_told_to_move_again(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        await made.log_in()
        server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, other.url))
        await made.user.until(f"up {ANN}", f"up {ANN}")
        other.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 0, server.url))
        await made.user.until(f"up {ANN}", f"up {ANN}", f"up {ANN}")
        assert (server.connections, other.connections) == (2, 1)
        await made.link.close()


async def test_link_when_its_unit_is_lost_then_another_one_first(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        server.units = [{"tcp": server.url}, {"tcp": other.url}]
        made.link._dialer._target = parse_url(server.http_url)
        await made.log_in()
        server.cut_all()
        await made.user.until(f"up {ANN}", "down", f"up {ANN}")
        assert (server.connections, other.connections) == (1, 1)
        await made.link.close()


async def test_log_in_when_the_unit_is_leaving_then_at_another(
    server: FakeServer, made: Fixture
) -> None:
    async with fake_server() as other:
        server.units = [{"tcp": server.url}, {"tcp": other.url}]
        made.link._dialer._target = parse_url(server.http_url)

        def refuse(link: Any, record: Any) -> Any:
            raise Unavailable(ErrorCode.DRAINING)

        server.handlers[PacketType.LOG_IN] = refuse
        await made.log_in()
        assert other.asked(PacketType.LOG_IN)
        await made.link.close()


async def test_log_in_when_the_unit_has_no_place_now_then_when_it_has(
    server: FakeServer, made: Fixture
) -> None:
    def busy(link: Any, record: Any) -> Any:
        del server.handlers[PacketType.LOG_IN]
        raise Unavailable(ErrorCode.BUSY, retry_after_s=0.01)

    server.handlers[PacketType.LOG_IN] = busy
    await made.log_in()
    assert made.user.seen == [f"up {ANN}"]


async def test_log_in_when_the_unit_has_no_place_for_long_then_raised(
    server: FakeServer, made: Fixture
) -> None:
    def busy(link: Any, record: Any) -> Any:
        raise Unavailable(ErrorCode.BUSY, retry_after_s=3600.0)

    server.handlers[PacketType.LOG_IN] = busy
    with pytest.raises(Unavailable):
        await made.log_in()


async def test_link_when_cut_before_it_had_to_go_then_only_comes_back(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.push_all(PacketType.GO_AWAY, GoAway(ErrorCode.DRAINING, 60_000, "tinyqq://nowhere"))
    server.cut_all()
    await made.user.until(f"up {ANN}", "down", f"up {ANN}")


async def test_link_when_something_is_pushed_then_passed_on(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.push_all(PacketType.DELIVER, text(1))
    await made.user.until(f"up {ANN}", "push")
    assert made.user.pushes == [text(1)]


async def test_close_when_logged_in_then_silent_for_good(server: FakeServer, made: Fixture) -> None:
    await made.log_in()
    await made.link.close()
    await made.link.close()
    assert made.link.connection is None
    assert made.user.seen == [f"up {ANN}"]


async def test_log_in_when_refused_for_another_reason_then_raised(
    server: FakeServer, made: Fixture
) -> None:
    def refuse(link: Any, record: Any) -> Any:
        raise Conflict(ErrorCode.CONFLICT)

    server.handlers[PacketType.LOG_IN] = refuse
    with pytest.raises(Conflict):
        await made.log_in()


async def test_close_when_somebody_waits_for_the_link_then_told(
    server: FakeServer, made: Fixture
) -> None:
    await made.log_in()
    server.greeting = error_frame(0, Unavailable(ErrorCode.DRAINING))
    server.cut_all()
    await made.user.until(f"up {ANN}", "down")
    waiting = asyncio.gather(made.link.call(*ASK, timeout_s=60), return_exceptions=True)
    await asyncio.sleep(0)
    await made.link.close()
    assert isinstance((await waiting)[0], Unauthenticated)
