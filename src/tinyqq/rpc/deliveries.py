"""A unit in another process, as whoever delivers sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import grpc.aio

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import TinyQQError
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.rpc.buffer import DeliveryBuffer, Item, Note
from tinyqq.rpc.status import failed
from tinyqq.rpc.stream import Broken, Line, Stream

DeliveryCall = grpc.aio.StreamStreamCall[pb.Deliveries, pb.Identity]


class DeliveryStream(Stream[pb.Deliveries, pb.Identity]):
    """Implements :class:`tinyqq.ports.delivery.UnitLink` over the stream ``Link``.

    Order: pushes arrive in the order of the calls, and so do hints, and kicks; a kick does not
    overtake a push. What was on its way when the stream broke may be lost: ``on_break`` tells, and
    kicks go once more.
    """

    what = "deliveries to"

    def __init__(self, line: Line, *, on_break: Broken | None = None) -> None:
        super().__init__(line, on_break=on_break)
        self.items = 0
        self.lost = 0
        self._in_hand = 0
        self._buffer = DeliveryBuffer(
            max_bytes=line.limits.max_buffer_bytes, max_age_s=line.limits.max_buffer_age_s
        )

    def push(self, pushes: Sequence[Push]) -> None:
        """Put entries on their way."""
        self._add(pushes)

    def hint(self, hints: Sequence[Hint]) -> None:
        """Put hints on their way."""
        self._add(hints)

    def kick(self, kicks: Sequence[Kick]) -> None:
        """Put orders to end sessions on their way."""
        self._add(kicks)

    def note(self, note: Note) -> None:
        """Put a request that nobody waits for on its way."""
        self._add((note,))

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "deliveries_total": self.items,
            "delivery_batches_total": self.batches,
            "deliveries_dropped_full_total": self._buffer.dropped_full,
            "deliveries_dropped_old_total": self._buffer.dropped_old,
            "deliveries_lost_total": self.lost,
            "delivery_breaks_total": self.breaks,
            "deliveries_waiting": len(self._buffer),
        }

    def _add(self, items: Sequence[Item]) -> None:
        self._buffer.add(items, self._clock.monotonic())
        self._more.set()

    def _has_work(self) -> bool:
        self._buffer.expire(self._clock.monotonic())
        return bool(self._buffer)

    def _open(self) -> DeliveryCall:
        return self._stub.Link(metadata=self._metadata)

    async def _talk(self, call: DeliveryCall) -> None:
        async with asyncio.timeout(self._limits.open_timeout_s):
            self._check(await call.read())
        while True:
            waiting = len(self._buffer)
            batch = self._buffer.take(self._clock.monotonic(), self._limits.max_write_bytes)
            if batch is not None:
                self._in_hand = waiting - len(self._buffer)
                await self._write(call, batch)
                self.items += self._in_hand
                self._in_hand = 0
            elif self._stopping.is_set():
                break
            else:
                self._more.clear()
                if not call.done():  # it may have ended while a batch was written
                    await self._more.wait()
                if call.done():
                    await call.read()  # raises what the status says
                    raise failed(reason="ended")
        await call.done_writing()
        await call.code()

    def _give_up(self, error: TinyQQError) -> None:
        self.lost += self._in_hand
        self._in_hand = 0
        self._buffer.put_back_kicks(self._clock.monotonic())
