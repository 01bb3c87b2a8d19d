"""The cluster as the node that serves the admin page sees it: who lives, who has gone, what each
node tells of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from typing import Any, Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, NotFound, TinyQQError
from tinyqq.model.figures import NodeFigures, Sample
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node, Registry

AskFigures = Callable[[Node, int], Awaitable[NodeFigures]]
"""Asks a node, this one too, for its figures with so many samples; has a deadline of its own."""

SHOWN_GONE_MS: Final = 10 * 60 * 1000
_MAX_GONE: Final = 100
_FRESH_S: Final = 1.0
"""Figures are asked for at most so often, however many look."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A node that is not in the registry any more, as it was seen last.

    ``since_ms``: when that was noticed. A node that leaves says so before (``node.draining``).
    """

    node: Node
    since_ms: int


class Departed:
    """Who has gone lately. Pure: the picture and the time are handed in."""

    def __init__(self) -> None:
        self._known: dict[UnitId, Node] = {}
        self._gone: dict[UnitId, Gone] = {}
        self._leaving: set[str] = set()

    def expect(self, incarnation: str) -> None:
        """This start was asked to leave: one without clients goes so fast that nobody sees it say
        so."""
        self._leaving.add(incarnation)

    def see(self, nodes: Iterable[Node], now_ms: int) -> None:
        """The registry shows these now."""
        known = {node.unit_id: node for node in nodes}
        for unit_id, node in self._known.items():
            if unit_id not in known:
                is_leaving = node.draining or node.incarnation in self._leaving
                self._leaving.discard(node.incarnation)
                self._gone[unit_id] = Gone(replace(node, draining=is_leaving), now_ms)
        for unit_id in known:
            self._gone.pop(unit_id, None)
        while len(self._gone) > _MAX_GONE:  # the longest gone first
            del self._gone[next(iter(self._gone))]
        self._known = known

    def lately(self, now_ms: int) -> tuple[Gone, ...]:
        """By unit id; who has gone long ago is forgotten."""
        for unit_id, gone in list(self._gone.items()):
            if now_ms - gone.since_ms > SHOWN_GONE_MS:
                del self._gone[unit_id]
        return tuple(gone for _, gone in sorted(self._gone.items()))


class ClusterView:
    """What the admin page shows of the cluster.

    Args:
        own: this node.
        ask: gets figures of any node.
        drain: asks a node to leave.
        kinds: which kind of registry, presence and storage there is, by these words.
    """

    def __init__(
        self,
        *,
        own: UnitId,
        registry: Registry,
        ask: AskFigures,
        drain: Callable[[Node], Awaitable[None]],
        clock: Clock,
        kinds: Mapping[str, str],
    ) -> None:
        self._own = own
        self._registry = registry
        self._ask = ask
        self._drain = drain
        self._clock = clock
        self._kinds = dict(kinds)
        self._departed = Departed()
        self._figures: dict[UnitId, NodeFigures] = {}
        self._silent_since_ms: dict[UnitId, int] = {}
        self._looking = asyncio.Lock()
        self._looked_s = float("-inf")
        self._on_change: set[Callable[[], None]] = set()
        registry.watch(self._see)
        self._departed.see(registry.nodes(), clock.now_ms())

    def watch(self, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call back when somebody comes, goes or reports; returns what ends it."""
        self._on_change.add(on_change)
        return lambda: self._on_change.discard(on_change)

    async def look(self) -> None:
        """Ask every node for its figures, unless that has just been done."""
        async with self._looking:
            if self._clock.monotonic() - self._looked_s < _FRESH_S:
                return
            nodes = self._registry.nodes()
            found = await self._ask_all(nodes, 0)
            self._looked_s = self._clock.monotonic()
            now_ms = self._clock.now_ms()
            self._figures = {**_only(self._figures, found), **_answers(found)}
            self._silent_since_ms = {
                unit_id: self._silent_since_ms.get(unit_id, now_ms)
                for unit_id, figures in found.items()
                if figures is None
            }

    def picture(self) -> dict[str, Any]:
        """The cluster as of now, for JSON. Figures are those of the last :meth:`look`."""
        now_ms = self._clock.now_ms()
        return {
            "at_ms": now_ms,
            "by": self._own,
            "kinds": self._kinds,
            "nodes": [self._node(node) for node in self._registry.nodes()],
            "gone": [_gone(one) for one in self._departed.lately(now_ms)],
        }

    async def history(self, samples: int) -> dict[str, Any]:
        """The last samples of every node, for JSON; ``silent``: who did not answer."""
        nodes = self._registry.nodes()
        found = await self._ask_all(nodes, samples)
        return {
            "fields": [field.name for field in fields(Sample)],
            "nodes": [
                {
                    "unit": unit_id,
                    "incarnation": figures.incarnation,
                    "samples": [_rounded(one) for one in figures.samples],
                }
                for unit_id, figures in found.items()
                if figures is not None
            ],
            "silent": [unit_id for unit_id, figures in found.items() if figures is None],
        }

    async def drain(self, unit_id: UnitId, incarnation: str) -> None:
        """Ask this start of a node to leave; returns when it has begun to.

        Raises:
            NotFound: it is not in the registry (any more).
            TinyQQError: it did not answer.
        """
        for node in self._registry.nodes():
            if (node.unit_id, node.incarnation) == (unit_id, incarnation):
                self._departed.expect(incarnation)
                await self._drain(node)
                return
        raise NotFound(ErrorCode.NOT_FOUND, unit=unit_id)

    async def _ask_all(
        self, nodes: Iterable[Node], samples: int
    ) -> dict[UnitId, NodeFigures | None]:
        async with asyncio.TaskGroup() as group:
            tasks = {
                node.unit_id: group.create_task(self._ask_one(node, samples)) for node in nodes
            }
        return {unit_id: task.result() for unit_id, task in tasks.items()}

    async def _ask_one(self, node: Node, samples: int) -> NodeFigures | None:
        try:
            figures = await self._ask(node, samples)
        except TinyQQError:
            return None
        # What another start of the node has counted is not this one's.
        return figures if figures.incarnation == node.incarnation else None

    def _node(self, node: Node) -> dict[str, Any]:
        figures = self._figures.get(node.unit_id)
        if figures is not None and figures.incarnation != node.incarnation:
            figures = None
        return {
            **_facts(node),
            "load": node.load,
            "is_draining": node.draining,
            "silent_since_ms": self._silent_since_ms.get(node.unit_id),
            "figures": None if figures is None else _figures(figures),
        }

    def _see(self, nodes: tuple[Node, ...]) -> None:
        self._departed.see(nodes, self._clock.now_ms())
        for on_change in tuple(self._on_change):
            on_change()


def _only(
    figures: Mapping[UnitId, NodeFigures], units: Iterable[UnitId]
) -> dict[UnitId, NodeFigures]:
    return {unit_id: figures[unit_id] for unit_id in units if unit_id in figures}


def _answers(found: Mapping[UnitId, NodeFigures | None]) -> dict[UnitId, NodeFigures]:
    return {unit_id: one for unit_id, one in found.items() if one is not None}


def _facts(node: Node) -> dict[str, Any]:
    return {
        "unit": node.unit_id,
        "incarnation": node.incarnation,
        "roles": sorted(node.roles),
        "version": node.version,
        "sessions": node.sessions,
        "address": node.internal,
        "tcp": node.public_tcp,
        "http": node.public_http,
    }


def _gone(gone: Gone) -> dict[str, Any]:
    return {**_facts(gone.node), "since_ms": gone.since_ms, "has_left": gone.node.draining}


def _figures(figures: NodeFigures) -> dict[str, Any]:
    return {
        "at_ms": figures.at_ms,
        "up_s": round(figures.up_s, 3),
        "counters": dict(figures.counters),
        "states": dict(figures.states),
        "links": [asdict(one) for one in figures.links],
    }


def _rounded(sample: Sample) -> list[float]:
    return [round(value, 3) for value in astuple(sample)]
