"""The whole gateway over loopback sockets, the same over both carriers."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any, Final

import aiohttp
import pytest
from tests.support.gateway import (
    ANN,
    BOB,
    EVE,
    Peer,
    Site,
    entry_push,
    open_site,
    until,
)
from tests.support.wire import frame

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.gateway.missed import Missed
from tinyqq.gateway.policy import GatewayPolicy
from tinyqq.model.account import DeviceKind, KickReason
from tinyqq.model.connection import Done, GoAway, HeadHint, Heartbeat, Kicked, Limits, Pulse
from tinyqq.model.ids import GroupId, OperationId, Seq, SessionId, UnitId, direct_conversation
from tinyqq.model.message import Entry, Kind, Sent
from tinyqq.model.sync import Page, Sync
from tinyqq.ports.delivery import Kick
from tinyqq.ports.registry import Node
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.framing import HEADER
from tinyqq.wire.packets import OPERATIONS, PacketType

CARRIERS: Final = ("tcp", "ws")
CHAT: Final = direct_conversation(ANN, BOB)
GROUP: Final = GroupId(20_000)

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("carrier", CARRIERS)]


def connections(site: Site) -> float:
    return site.gateway.counters()["open_connections"]


# ---- a session -----------------------------------------------------------------------------------


async def test_session_when_it_greets_and_logs_in_then_served(carrier: str) -> None:
    async with open_site() as site, site.connect(carrier) as peer:
        welcome = await peer.hello()
        assert (welcome.unit_id, welcome.agent) == ("unit-1", "test/1")
        logged_in = await peer.log_in(ANN)
        assert logged_in.user_id == ANN
        assert await peer.answer_to(await peer.say(CHAT)) == Sent(Seq(1), 1, 1_700_000_000_000)
        assert isinstance(await peer.ask(PacketType.HEARTBEAT, Heartbeat()), Pulse)
        assert await peer.ask(PacketType.CHANGE_PASSWORD) == Done()


async def test_session_when_sends_are_pipelined_then_answers_come_in_order(carrier: str) -> None:
    async with open_site() as site, site.log_in(ANN, carrier) as ann:
        asked = [await ann.say(CHAT, number) for number in range(100)]
        packets = [await ann.next() for _ in asked]
        assert [request_id for _, request_id, _ in packets] == asked
        assert [record.seq for _, _, record in packets] == list(range(1, 101))


async def test_session_when_one_writes_then_others_get_it_and_the_own_other_device(
    carrier: str,
) -> None:
    async with (
        open_site() as site,
        site.log_in(ANN, carrier) as ann,
        site.log_in(ANN, carrier, kind=DeviceKind.WEB) as web,
        site.log_in(BOB, carrier) as bob,
    ):
        site.unit.push([entry_push(CHAT, 1, origin=ann.session_id)])
        for peer in (web, bob):
            packet_type, entry = await peer.next_push()
            assert (packet_type, entry.seq) == (PacketType.DELIVER, 1)
        pulse = await ann.ask(PacketType.HEARTBEAT, Heartbeat())
        assert pulse.pushes == 0


async def test_session_when_in_a_group_then_its_pushes_come(carrier: str) -> None:
    async with open_site() as site:
        site.conversations.members[GROUP] = ((ANN, BOB), Seq(3))
        async with site.log_in(ANN, carrier) as ann, site.log_in(BOB, carrier) as bob:
            for seq in (4, 5):
                site.unit.push([entry_push(GROUP, seq, members=(3, 3))])
            for peer in (ann, bob):
                assert [(await peer.next_push())[1].seq for _ in range(2)] == [4, 5]


async def test_session_when_kicked_then_told_why_and_closed(carrier: str) -> None:
    async with open_site() as site:
        async with site.log_in(ANN, carrier) as ann:
            site.unit.kick([Kick(ANN, KickReason.REVOKED, None, None, SessionId(0), "phone")])
            assert [one[2] for one in await ann.rest()] == [Kicked(KickReason.REVOKED, "phone")]
        await until(lambda: not connections(site))


async def test_session_when_it_logs_out_then_done_and_closed(carrier: str) -> None:
    async with open_site() as site:
        async with site.log_in(ANN, carrier) as ann:
            assert await ann.ask(PacketType.LOG_OUT) == Done()
            assert await ann.rest() == []
        await until(lambda: not site.unit.sessions_of(ANN))


async def test_session_when_the_client_leaves_then_nothing_is_left(carrier: str) -> None:
    async with open_site() as site:
        site.conversations.members[GROUP] = ((ANN,), Seq(3))
        async with site.log_in(ANN, carrier):
            assert site.unit.counters()["groups"] == 1
        await until(lambda: not connections(site) and site.gateway.counters()["running_tasks"] == 1)
        assert site.unit.counters()["groups"] == 0
        assert site.presence.counters() == {"users_online": 0, "groups_bound": 0}


async def test_session_when_more_is_in_flight_than_allowed_then_closed(carrier: str) -> None:
    policy = GatewayPolicy(limits=Limits(max_in_flight=5))
    async with open_site(policy=policy) as site, site.log_in(ANN, carrier) as ann:
        site.services.chat.answers_at_once = False
        for number in range(6):
            await ann.say(CHAT, number)
        [(_, request_id, error)] = await ann.rest()
        assert (request_id, error.code) == (0, ErrorCode.TOO_MANY_IN_FLIGHT)


# ---- time ----------------------------------------------------------------------------------------


async def test_time_when_nobody_logs_in_then_closed(carrier: str) -> None:
    clock = FakeClock()
    async with open_site(clock=clock) as site, site.connect(carrier) as peer:
        await peer.hello()
        clock.advance(Limits().log_in_timeout_s + 1)
        site.gateway.sweep()
        assert [one[2].code for one in await peer.rest()] == [ErrorCode.LOG_IN_TIMEOUT]


async def test_time_when_a_client_is_silent_then_closed_and_the_busy_one_stays(
    carrier: str,
) -> None:
    clock = FakeClock()
    async with (
        open_site(clock=clock) as site,
        site.log_in(ANN, carrier) as silent,
        site.log_in(BOB, carrier) as busy,
    ):
        for _ in range(4):
            clock.advance(Limits().idle_timeout_s / 3)
            await busy.ask(PacketType.HEARTBEAT, Heartbeat())
            site.gateway.sweep()
        assert [one[2].code for one in await silent.rest()] == [ErrorCode.IDLE_TIMEOUT]
        await busy.ask(PacketType.HEARTBEAT, Heartbeat())


async def test_time_when_a_second_has_passed_then_swept_without_being_asked(carrier: str) -> None:
    async with open_site() as site, site.log_in(BOB, carrier) as bob:
        [connection] = site.unit.sessions_of(BOB)
        connection.miss(CHAT, Seq(7))
        assert isinstance((await bob.next_push())[1], HeadHint)


class BrokenMissed(Missed):
    """With a bug."""

    def take_hint(self) -> HeadHint | None:
        raise ZeroDivisionError


async def test_sweep_when_one_connection_has_a_bug_then_it_goes_and_the_others_are_looked_at(
    carrier: str,
) -> None:
    async with (
        open_site() as site,
        site.log_in(ANN, carrier),
        site.log_in(BOB, carrier) as bob,
    ):
        [broken], [well] = site.unit.sessions_of(ANN), site.unit.sessions_of(BOB)
        broken.missed = BrokenMissed()
        await until(lambda: broken.is_lost)
        well.miss(CHAT, Seq(7))
        assert isinstance((await bob.next_push())[1], HeadHint)


# ---- a client that does not read -----------------------------------------------------------------


class Log:
    """A conversation's log, with pages as the offline role gives them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.entries: list[Entry] = []
        site.services.offline.replies["get_page"] = self._page

    async def _page(self, _: object, request: Sync) -> Page:
        entries = self.entries[request.after_seq :][:50]
        return Page(tuple(entries), Seq(len(self.entries)))

    def append(self) -> None:
        """Commit an entry of 16 KiB and push it."""
        seq = Seq(len(self.entries) + 1)
        body = seq.to_bytes(4, "big") * 4096
        self.entries.append(Entry(CHAT, seq, seq, ANN, OperationId(bytes(16)), 0, Kind.TEXT, body))
        self._site.unit.push([entry_push(CHAT, seq, body=body)])


async def catch_up(peer: Peer, has: dict[int, Entry]) -> None:
    """Read as a client does, until a conversation that was missed is whole."""
    hinted = False
    while not hinted:
        _, _, record = await peer.next()
        hinted = isinstance(record, HeadHint)
        if isinstance(record, Entry):
            has[record.seq] = record
    after, head = 0, 1
    while after < head:
        after = max(seq for seq in range(len(has) + 1) if set(range(1, seq + 1)) <= has.keys())
        page = await peer.ask(PacketType.SYNC, Sync(CHAT, Seq(after)))
        has.update({entry.seq: entry for entry in page.entries})
        after, head = max([after, *(entry.seq for entry in page.entries)]), page.head_seq


async def test_slow_reader_when_much_is_pushed_then_bounded_and_nothing_lost(carrier: str) -> None:
    policy = GatewayPolicy(max_output_bytes=256 * 1024)
    async with open_site(policy=policy) as site, site.log_in(BOB, carrier) as bob:
        [connection] = site.unit.sessions_of(BOB)
        log = Log(site)
        held = 0
        while connection.missed is None or len(log.entries) < 200:
            for _ in range(8):
                log.append()
            await asyncio.sleep(0)
            held = max(held, connection.session.output_bytes + connection._carrier.buffered_bytes())
        assert held < 3 * policy.max_output_bytes

        has: dict[int, Entry] = {}
        await catch_up(bob, has)
        log.append()
        last = len(log.entries)
        while last not in has:
            _, entry = await bob.next_push()
            if isinstance(entry, Entry):
                has[entry.seq] = entry
        assert sorted(has) == [entry.seq for entry in log.entries]
        assert not connection.missed


async def test_slow_reader_when_it_asks_without_reading_then_bounded_and_all_answered(
    carrier: str,
) -> None:
    policy = GatewayPolicy(max_output_bytes=256 * 1024, max_running=2, requests_per_s=0)
    async with open_site(policy=policy) as site, site.log_in(BOB, carrier) as bob:
        [connection] = site.unit.sessions_of(BOB)
        entry = Entry(CHAT, Seq(1), 1, ANN, OperationId(bytes(16)), 0, Kind.TEXT, bytes(400_000))
        site.services.offline.replies["get_page"] = Page((entry,), Seq(1))
        asked = [await bob.send(PacketType.SYNC, Sync(CHAT, Seq(0))) for _ in range(60)]
        await until(lambda: connection.is_clogged)
        held = connection.session.output_bytes + connection._carrier.buffered_bytes()
        assert held < 2 * (policy.max_running + 1) * 400_100
        answers = [await bob.next() for _ in asked]
        assert sorted(request_id for _, request_id, _ in answers) == asked


async def test_slow_reader_when_it_takes_nothing_then_cut_off(carrier: str) -> None:
    clock = FakeClock()
    policy = GatewayPolicy(max_output_bytes=64 * 1024)
    async with open_site(policy=policy, clock=clock) as site, site.log_in(BOB, carrier):
        [connection] = site.unit.sessions_of(BOB)
        log = Log(site)
        while not connection.is_clogged:
            log.append()
            await asyncio.sleep(0)
        site.gateway.sweep()
        clock.advance(policy.stuck_timeout_s + 1)
        site.gateway.sweep()
        await until(lambda: not connections(site))
        assert site.gateway.counters()["stuck_total"] == 1


# ---- garbage -------------------------------------------------------------------------------------


def garbage(chance: random.Random) -> bytes:
    """Something that a broken or hostile client may send."""
    hello = frame(PacketType.HELLO, 1, b"\x08\x01\x10\x01")
    packet_type = chance.choice([*map(int, OPERATIONS), chance.randrange(2**16)])
    body = chance.randbytes(chance.randrange(200))
    length = chance.choice([len(body), 2**31, chance.randrange(2**32), max(0, len(body) - 3)])
    packet = HEADER.pack(length, packet_type, chance.randrange(3)) + body
    return chance.choice([b"", hello, hello * 2]) + chance.choice([packet, body, packet * 5])


async def test_garbage_when_many_send_it_then_others_do_not_notice_and_nothing_is_left(
    carrier: str, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(carrier)
    async with open_site() as site, site.log_in(ANN, carrier) as ann:
        for round_ in range(80):
            async with site.connect(carrier) as peer:
                try:
                    if chance.random() < 0.5:
                        await peer.hello()
                    await peer.write(garbage(chance))
                    if chance.random() < 0.5:
                        await peer.ask(PacketType.HEARTBEAT, Heartbeat())
                except (EOFError, OSError):
                    pass
            answer = await ann.answer_to(await ann.say(CHAT, round_))
            assert answer.seq == round_ + 1
        await until(
            lambda: connections(site) == 1 and site.gateway.counters()["running_tasks"] == 1
        )
        assert [one for one in caplog.records if one.levelname == "ERROR"] == []


# ---- how many, and the end -----------------------------------------------------------------------


async def test_connections_when_there_are_too_many_then_the_next_is_closed(carrier: str) -> None:
    policy = GatewayPolicy(max_connections=1)
    async with open_site(policy=policy) as site, site.log_in(ANN, carrier) as ann:
        with pytest.raises((EOFError, OSError)):
            async with site.connect(carrier) as peer:
                await peer.hello()
        assert site.gateway.counters()["refused_connections_total"] == 1
        await ann.ask(PacketType.HEARTBEAT, Heartbeat())


async def test_drain_when_clients_are_here_then_told_answered_and_closed(carrier: str) -> None:
    policy = GatewayPolicy(close_timeout_s=0.2)
    async with (
        open_site(policy=policy) as site,
        site.log_in(ANN, carrier) as ann,
        site.connect(carrier) as eve,
    ):
        await eve.hello()
        site.services.chat.answers_at_once = False
        await ann.say(CHAT)
        await until(lambda: bool(site.services.chat.sends))
        async with asyncio.TaskGroup() as group:
            group.create_task(site.gateway.drain())
            for peer in (ann, eve):
                _, go_away = await peer.next_push()
                assert go_away == GoAway(ErrorCode.DRAINING, 0)
            assert await eve.rest() == []  # nothing is owed to it
            site.services.chat.answer_one(site.services.chat.sends[0])
            assert isinstance((await ann.next())[2], Sent)
            assert await ann.rest() == []
        assert not site.gateway.sessions


class Elsewhere:
    """Another unit, until it goes too."""

    def __init__(self) -> None:
        roles = frozenset({"proxy"})
        self.units: tuple[Node, ...] = (
            Node(UnitId("b"), "i", roles, "tinyqq://b:7001", "http://b:7080", "1"),
        )

    def __call__(self) -> tuple[Node, ...]:
        return self.units


async def test_drain_when_there_is_another_unit_then_told_where_and_served_until_they_go(
    carrier: str,
) -> None:
    policy = GatewayPolicy(drain_window_s=0.1, close_timeout_s=0.2)
    async with (
        open_site(policy=policy, nodes=Elsewhere()) as site,
        site.log_in(ANN, carrier) as ann,
        site.connect(carrier) as eve,
    ):
        await eve.hello()
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(site.gateway.drain())
            _, go_away = await ann.next_push()
            url = "tinyqq://b:7001" if carrier == "tcp" else "ws://b:7080/ws"
            assert go_away == GoAway(ErrorCode.DRAINING, 0, url)
            assert site.gateway.counters()["draining"] == 1
            assert isinstance(await ann.answer_to(await ann.say(CHAT)), Sent)
            refused = await eve.log_in(EVE)
            assert refused.code is ErrorCode.DRAINING
            with pytest.raises((EOFError, OSError, aiohttp.WSServerHandshakeError)):
                async with site.connect(carrier) as peer:
                    await peer.hello()
            assert not draining.done()
            await ann.close()
            told = [record for _, _, record in await eve.rest()]
            assert told == [GoAway(ErrorCode.DRAINING, 0)]  # who is nobody holds nobody up
        assert not site.gateway.sessions


async def test_drain_when_somebody_stays_then_closed_when_the_time_is_up(carrier: str) -> None:
    policy = GatewayPolicy(drain_window_s=0.05, drain_grace_s=0.05, close_timeout_s=0.2)
    async with (
        open_site(policy=policy, nodes=Elsewhere()) as site,
        site.log_in(ANN, carrier) as ann,
    ):
        async with asyncio.TaskGroup() as group:
            group.create_task(site.gateway.drain())
            assert [type(one[2]) for one in await ann.rest()] == [GoAway]
        assert not site.gateway.sessions


async def test_drain_when_the_last_other_unit_goes_then_nobody_waits_any_more(
    carrier: str,
) -> None:
    elsewhere = Elsewhere()
    policy = GatewayPolicy(drain_window_s=60.0, close_timeout_s=0.2)
    async with (
        open_site(policy=policy, nodes=elsewhere) as site,
        site.log_in(ANN, carrier) as ann,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(site.gateway.drain())
        await ann.next_push()
        elsewhere.units = ()
        assert await ann.rest() == []


async def test_drain_when_a_client_does_not_leave_then_cut_off(carrier: str) -> None:
    policy = GatewayPolicy(drain_timeout_s=0.05, close_timeout_s=0.05)
    async with open_site(policy=policy) as site, site.log_in(ANN, carrier) as ann:
        site.services.chat.answers_at_once = False
        await ann.say(CHAT)
        await until(lambda: bool(site.services.chat.sends))
        await site.gateway.drain()
        await site.gateway.drain()
        assert not site.gateway.sessions


async def test_log_in_when_users_are_slow_then_other_sessions_go_on(carrier: str) -> None:
    async with open_site() as site, site.log_in(ANN, carrier) as ann:
        site.services.user.gate = asyncio.Event()
        async with site.connect(carrier) as bob, asyncio.TaskGroup() as group:
            await bob.hello()
            log_in = group.create_task(bob.log_in(BOB))
            assert isinstance(await ann.answer_to(await ann.say(CHAT)), Sent)
            site.services.user.gate.set()
            assert (await log_in).user_id == BOB


async def test_refusal_when_it_may_be_repeated_then_says_when(carrier: str) -> None:
    async with open_site() as site, site.log_in(ANN, carrier) as ann:
        site.services.chat.outcomes = [Unavailable(ErrorCode.BUSY, retry_after_s=0.25)]
        error: Any = await ann.answer_to(await ann.say(CHAT))
        assert (error.code, error.retry_after_s) == (ErrorCode.BUSY, 0.25)


async def test_policy_when_none_is_given_then_the_default(carrier: str) -> None:
    async with open_site() as site:
        assert site.gateway.policy == GatewayPolicy()
        assert replace(site.gateway.policy).limits == Limits()
