"""What a message costs between two nodes: on the streams, by the size of a batch, and as a call.

``python -m bench.node_stream [--messages N]`` prints CPU µs per message of both sides together
(they share this process), kernel included. ``--soak N`` opens and closes N links instead, each with
both streams and a call, and prints the memory: it must level out.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final, cast

import psutil
import uvloop

from tinyqq._pb import node_pb2 as pb
from tinyqq.clock import SystemClock
from tinyqq.errors import TinyQQError
from tinyqq.model.account import Caller
from tinyqq.model.ids import (
    DeviceId,
    OperationId,
    Seq,
    SessionId,
    UnitId,
    UserId,
    direct_conversation,
)
from tinyqq.model.message import Kind, Sent
from tinyqq.ports.delivery import Hint, Kick, Push, UnitLink
from tinyqq.ports.registry import Node
from tinyqq.ports.services import Send, Services
from tinyqq.registry.memory import MemoryRegistry
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.links import Links, Peer
from tinyqq.rpc.mapping import SEEN, caller_to
from tinyqq.rpc.server import NodeServer

_FAR: Final = UnitId("far")
_MAX_GROWTH_MIB: Final = 4
_CREDENTIALS: Final = Credentials(b"secret of the bench")
_CALLER: Final = Caller(UserId(10_001), DeviceId(b"d" * 16), SessionId(7), language="zh-CN")
_CHAT: Final = direct_conversation(UserId(10_001), UserId(10_002))
_BODY: Final = b"x" * 160
"""The entry of a text of 100 bytes."""
_CONTENT: Final = b"x" * 100
_SENT: Final = Sent(Seq(1), 1, 1_700_000_000_000)
_PUSH: Final = Push(
    _CHAT, Seq(1), UserId(10_001), Kind.TEXT, _BODY, Seq(0), Seq(0), (), (), SessionId(7)
)


class Counter:
    """A unit and roles that only count; ``reached`` waits for a number."""

    def __init__(self) -> None:
        self.count = 0
        self._goal = 0
        self._there = asyncio.Event()

    def push(self, pushes: Sequence[Push]) -> None:
        self.add(len(pushes))

    def hint(self, hints: Sequence[Hint]) -> None:
        self.add(len(hints))

    def kick(self, kicks: Sequence[Kick]) -> None:
        self.add(len(kicks))

    def send(self, send: Send) -> None:
        send.answer(_SENT)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def call(*_: object) -> None:
            return None

        return call

    def answered(self, outcome: Sent | TinyQQError) -> None:
        assert isinstance(outcome, Sent), outcome
        self.add(1)

    def add(self, number: int) -> None:
        self.count += number
        if self.count >= self._goal:
            self._there.set()

    async def reached(self, more: int, begin: Callable[[], None]) -> None:
        """Begin something, and wait until so many more were counted."""
        self._goal = self.count + more
        self._there.clear()
        begin()
        await self._there.wait()


@asynccontextmanager
async def open_far() -> AsyncIterator[tuple[Counter, MemoryRegistry]]:
    """A node that counts, and the registry that shows it."""
    counter, registry = Counter(), MemoryRegistry()
    role: Any = counter
    async with NodeServer(
        unit_id=_FAR,
        incarnation="1",
        host="127.0.0.1",
        port=0,
        credentials=_CREDENTIALS,
        unit=cast(UnitLink, counter),
        services=Services(user=role, friend=role, group=role, chat=role, offline=role),
        roles=frozenset({"user", "chat"}),
        on_drain=lambda: None,
    ) as server:
        node = Node(_FAR, "1", frozenset({"user"}), "", "", "1")
        await registry.register(replace(node, internal=f"127.0.0.1:{server.port}"))
        yield counter, registry


def open_links(registry: MemoryRegistry) -> Links:
    """The near node's links."""
    return Links(
        own=UnitId("near"), registry=registry, credentials=_CREDENTIALS, clock=SystemClock()
    )


async def cost_us(messages: int, run: Callable[[int], Awaitable[None]]) -> float:
    """CPU µs per message, after a warm-up."""
    await run(max(messages // 10, 64))
    gc.collect()
    began = time.process_time()
    await run(messages)
    return (time.process_time() - began) / messages * 1e6


async def push_all(counter: Counter, peer: Peer, at_a_time: int, messages: int) -> None:
    """Pushes, so many at a time."""
    pushes = [_PUSH] * at_a_time
    for _ in range(messages // at_a_time):
        await counter.reached(at_a_time, lambda: peer.deliveries.push(pushes))


async def send_all(counter: Counter, peer: Peer, at_a_time: int, messages: int) -> None:
    """Sends and their answers, so many at a time."""
    key = OperationId(bytes(16))

    def send() -> None:
        for _ in range(at_a_time):
            peer.sends.send(Send(_CALLER, _CHAT, key, 1, _CONTENT, counter.answered))

    for _ in range(messages // at_a_time):
        await counter.reached(at_a_time, send)


async def call_all(peer: Peer, at_a_time: int, messages: int) -> None:
    """Calls and their replies, so many at a time."""
    request = pb.CallRequest(type=SEEN, caller=caller_to(_CALLER))

    async def one_after_another() -> None:
        for _ in range(messages // at_a_time):
            await peer.call(request, timeout_s=10)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_a_time):
            group.create_task(one_after_another())


async def measure(messages: int) -> None:
    """Print the table."""
    print(f"{'at a time':>9} {'push':>8} {'send':>8} {'call':>8}   CPU µs each, both sides")
    async with open_far() as (counter, registry), open_links(registry) as links:
        peer = links.peer(_FAR)
        assert peer is not None
        for at_a_time in (1, 16, 64, 256):
            few = max(messages * at_a_time // 256, 2_000)
            push = await cost_us(few, lambda n, k=at_a_time: push_all(counter, peer, k, n))
            send = await cost_us(few, lambda n, k=at_a_time: send_all(counter, peer, k, n))
            call = await cost_us(
                max(messages // 50, 2_000), lambda n, k=at_a_time: call_all(peer, k, n)
            )
            print(f"{at_a_time:>9} {push:>8.1f} {send:>8.1f} {call:>8.1f}")


async def soak(times: int) -> None:
    """Open and close; print the memory ten times.

    Raises:
        SystemExit: it grows.
    """
    process = psutil.Process()
    sizes_mib: list[float] = []
    async with open_far() as (counter, registry), open_links(registry) as links:
        [node] = registry.nodes()
        for number in range(1, times + 1):
            await registry.register(node)
            peer = links.peer(_FAR)
            assert peer is not None
            await push_all(counter, peer, 16, 16)
            await send_all(counter, peer, 16, 16)
            await call_all(peer, 1, 1)
            await registry.unregister()
            if number % max(times // 10, 1) == 0:
                gc.collect()
                sizes_mib.append(mib := process.memory_info().rss / 2**20)
                facts = f"{len(asyncio.all_tasks()):>3} tasks {process.num_fds():>3} descriptors"
                print(f"{number:>7} links {mib:>7.1f} MiB {facts}", flush=True)
    if sizes_mib[-1] - sizes_mib[0] > _MAX_GROWTH_MIB:
        raise SystemExit("the memory grows with the links that were opened and closed")


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--soak", type=int, default=0)
    options = parser.parse_args()
    work = soak(options.soak) if options.soak else measure(options.messages)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


if __name__ == "__main__":
    main()
