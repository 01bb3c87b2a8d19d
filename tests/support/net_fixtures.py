"""A net over a log in memory, and what is around it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from tests.support.lane_fixtures import ANN, ANN_BOB, operation_id

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.model.ids import ConversationId, GroupId, Seq, UnitId, UserId
from tinyqq.model.message import Entry, Kind, Notice
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.ports.registry import Node
from tinyqq.ports.storage import Found, LogKey, Tail
from tinyqq.presence.memory import MemoryPresence
from tinyqq.services.net import Net, NetLimits
from tinyqq.services.net_failures import REASONS
from tinyqq.testing.clock import FakeClock
from tinyqq.wire.content import encode_notice

OWN, OTHER = 1, 2
"""Numbers of writers."""
THERE: Final = UnitId("there")
NODE: Final = Node(THERE, "first", frozenset({"chat"}), "", "", "1", writers=(OTHER,))
QUICK: Final = NetLimits(interval_s=0.02, grace_s=0.02, least_pause_s=0.001)


class FakeTail:
    """A log in memory."""

    def __init__(self) -> None:
        self.rows: list[tuple[LogKey, Entry]] = []
        self.members_seq: dict[ConversationId, Seq] = {}
        self.next_writer = 3
        self.away: set[ConversationId] = set()
        """Conversations of a shard that does not answer."""
        self.errors: list[Exception] = []
        self.reads = 0
        self.fetched: list[tuple[ConversationId, Seq]] = []

    def write(
        self,
        seq: int,
        conversation_id: ConversationId = ANN_BOB,
        *,
        writer: int = OTHER,
        kind: int = Kind.TEXT,
        users: tuple[UserId, ...] = (),
    ) -> Entry:
        body = encode_notice(Notice(user_ids=users)) if kind != Kind.TEXT else b""
        entry = Entry(conversation_id, Seq(seq), seq, ANN, operation_id(), 0, kind, body)
        pos = sum(key.writer == writer for key, _ in self.rows) + 1
        self.rows.append((LogKey(writer, pos, conversation_id, Seq(seq), kind), entry))
        self.next_writer = max(self.next_writer, writer + 1)
        return entry

    def _ask(self) -> None:
        self.reads += 1
        if self.errors:
            raise self.errors.pop(0)

    async def read_ends(self, writers: Collection[int], newest: int) -> Tail:
        self._ask()
        ends = {key.writer: key for key, _ in self.rows}
        return Tail(self.next_writer, tuple(ends.values()))

    async def read_keys(self, after: Mapping[int, int], limit: int) -> Tail:
        self._ask()
        keys: list[LogKey] = []
        for writer, pos in after.items():
            its = [key for key, _ in self.rows if key.writer == writer and key.writer_pos > pos]
            keys += its[:limit]
        there = tuple(key for key in keys if key.conversation_id not in self.away)
        return Tail(self.next_writer, there, is_whole=not self.away)

    async def read_from(
        self, conversation_id: ConversationId, after_seq: Seq, limit: int
    ) -> tuple[LogKey, ...]:
        self._ask()
        if conversation_id in self.away:
            raise Unavailable(ErrorCode.UNAVAILABLE)
        keys = [key for key, _ in self.rows if key.conversation_id == conversation_id]
        return tuple(key for key in keys if key.seq > after_seq)[:limit]

    async def read_entries(self, keys: Sequence[tuple[ConversationId, Seq]]) -> Found:
        self._ask()
        self.fetched += keys
        unread = frozenset(key for key in keys if key[0] in self.away)
        wanted = set(keys) - unread
        entries = [entry for _, entry in self.rows if entry[:2] in wanted]
        return Found(tuple(sorted(entries)), self.members_seq, unread)


class FakeUnit:
    """A unit: who is here since which turn, and what it was pushed."""

    def __init__(self) -> None:
        self.here: dict[ConversationId, int] = {}
        self.got: list[Push] = []
        self.known: set[tuple[ConversationId, Seq]] = set()
        self.joined: list[tuple[GroupId, Seq]] = []
        self.number = 0
        self.kept = 0

    def push(self, pushes: Sequence[Push]) -> None:
        self.got += pushes
        self.known.update((one.conversation_id, one.seq) for one in pushes)

    def hint(self, hints: Sequence[Hint]) -> None:
        raise AssertionError

    def kick(self, kicks: Sequence[Kick]) -> None:
        raise AssertionError

    def turn(self, keep: int) -> int:
        self.kept = keep
        self.number += 1
        return self.number

    def was_pushed(self, conversation_id: ConversationId, seq: Seq) -> bool:
        return (conversation_id, seq) in self.known

    def here_since(self, conversation_id: ConversationId) -> int | None:
        return self.here.get(conversation_id)

    def take_joined(self) -> list[tuple[GroupId, Seq]]:
        joined, self.joined = self.joined, []
        return joined


class Picture:
    """A registry as a test wants it."""

    def __init__(self) -> None:
        self.shown: tuple[Node, ...] = (NODE,)
        self.watchers: list[Callable[[tuple[Node, ...]], None]] = []

    async def register(self, node: Node) -> None:
        raise AssertionError

    async def unregister(self) -> None:
        raise AssertionError

    def nodes(self) -> tuple[Node, ...]:
        return self.shown

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        self.watchers.append(on_change)

    def show(self, *nodes: Node) -> None:
        self.shown = nodes
        for on_change in self.watchers:
            on_change(nodes)


class Presence(MemoryPresence):
    """Remembers whom it was to show anew."""

    def __init__(self) -> None:
        super().__init__(unit_id=UnitId("here"))
        self.renewed: list[tuple[set[UserId], set[GroupId]]] = []
        self.on_loss: list[Callable[[], None]] = []

    def renew(self, user_ids: Collection[UserId], group_ids: Collection[GroupId]) -> None:
        self.renewed.append((set(user_ids), set(group_ids)))

    def watch(self, on_loss: Callable[[], None]) -> None:
        self.on_loss.append(on_loss)


class World:
    """A net, and what is around it. Bob has been here for long."""

    def __init__(self, limits: NetLimits | None = None) -> None:
        self.tail, self.unit, self.clock = FakeTail(), FakeUnit(), FakeClock()
        self.registry, self.presence = Picture(), Presence()
        self.own: dict[int, int] = {OWN: 0}
        self.limits = limits or NetLimits()
        self.unit.here[ANN_BOB] = 0
        self.net = Net(
            tail=self.tail,
            unit=self.unit,
            presence=self.presence,
            registry=self.registry,
            own_writers=lambda: self.own,
            clock=self.clock,
            limits=limits,
        )

    async def tick(self, seconds: float = 0.5) -> None:
        """Let time pass, and read."""
        self.clock.advance(seconds)
        self.net._planned_s = self.clock.monotonic()
        await self.net.tick()

    async def begin(self) -> None:
        """Two readings: whoever is here has been here before the second."""
        await self.tick()
        await self.tick()

    def seqs(self) -> list[int]:
        return [push.seq for push in self.unit.got]

    def repairs(self) -> dict[str, float]:
        figures = self.net.counters()
        counted = {why: figures[f"repairs_total{{reason={why}}}"] for why in REASONS}
        return {why: count for why, count in counted.items() if count}
