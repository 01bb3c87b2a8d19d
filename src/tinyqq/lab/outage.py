"""For how long people are cut off when their unit dies: with the ordinary client, as they have."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tinyqq.client import Client
from tinyqq.lab.population import Person
from tinyqq.lab.stage import Outcome, Stage, Stopwatch, settle
from tinyqq.model.ids import UserId

_LOG_INS_AT_ONCE: Final = 8
_HIT: Final = 4


@dataclass(slots=True)
class Flow:
    """Messages from one to another; ``arrived_s`` is by the receiver's clock, which is ours."""

    sent: int = 0
    arrived_s: list[float] = field(default_factory=list)

    def gap_s(self, struck_s: float) -> float:
        """The longest silence that ended after the stroke."""
        return max(
            (
                later - earlier
                for earlier, later in itertools.pairwise(self.arrived_s)
                if later > struck_s
            ),
            default=float("inf"),
        )


@dataclass(frozen=True, slots=True)
class Outage:
    """``pairs`` of people, spread over the units by the directory, write ``every_s``; then the
    harness does ``how`` to a unit. A pair counts as ``hit`` when it was silent for a while."""

    how: str
    pairs: int = 12
    every_s: float = 0.05
    before_s: float = 2.0
    after_s: float = 12.0

    async def run(self, stage: Stage) -> Outcome:
        """The longest silence of each pair, from the last message before the stroke on."""
        people = stage.population.people[: 2 * self.pairs]
        flows = [Flow() for _ in range(self.pairs)]
        async with contextlib.AsyncExitStack() as stack:
            clients = await _log_in(stack, stage, people)
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            hearing = [
                tasks.create_task(_hear(clients[2 * place + 1], people[2 * place].user_id, flow))
                for place, flow in enumerate(flows)
            ]
            writing = [
                tasks.create_task(self._write(clients[2 * place], people[2 * place + 1], flow))
                for place, flow in enumerate(flows)
            ]
            await asyncio.sleep(self.before_s)
            watch = Stopwatch(stage)
            watch.begin()
            stage.mark(self.how)
            struck_s = time.perf_counter()
            await asyncio.sleep(self.after_s)
            outcome = watch.end(sum(flow.sent for flow in flows))
            await asyncio.gather(*writing)
            await settle(lambda: all(len(flow.arrived_s) == flow.sent for flow in flows))
            for task in hearing:
                task.cancel()
        outcome.figures.update(figures(flows, struck_s, _HIT * self.every_s))
        return outcome

    async def _write(self, client: Client, to: Person, flow: Flow) -> None:
        """Write on, whatever becomes of the unit; each message is sent when its time has come and
        the one before it has been acknowledged."""
        until_s = time.perf_counter() + self.before_s + self.after_s
        while time.perf_counter() < until_s:
            await client.send(to.user_id, str(flow.sent))
            flow.sent += 1
            await asyncio.sleep(self.every_s)


async def _log_in(
    stack: contextlib.AsyncExitStack, stage: Stage, people: Sequence[Person]
) -> list[Client]:
    clients = [await stack.enter_async_context(Client(stage.directory)) for _ in people]
    gate = asyncio.Semaphore(_LOG_INS_AT_ONCE)

    async def log_in(client: Client, person: Person) -> None:
        async with gate:
            await client.login(person.user_id, stage.population.password)

    async with asyncio.TaskGroup() as tasks:
        for client, person in zip(clients, people, strict=True):
            tasks.create_task(log_in(client, person))
    return clients


async def _hear(client: Client, sender_id: UserId, flow: Flow) -> None:
    async for message in client.messages():
        if message.sender == sender_id:
            flow.arrived_s.append(time.perf_counter())


def figures(flows: Sequence[Flow], struck_s: float, hit_s: float) -> dict[str, float]:
    """What the silences come to; those of *hit_s* and more were the stroke's."""
    gaps = sorted(flow.gap_s(struck_s) for flow in flows)
    hit = [gap for gap in gaps if gap >= hit_s]
    return {
        "hit": len(hit),
        "gap_p50_s": hit[len(hit) // 2] if hit else 0.0,
        "gap_max_s": gaps[-1],
        "lost": sum(flow.sent - len(flow.arrived_s) for flow in flows),
    }
