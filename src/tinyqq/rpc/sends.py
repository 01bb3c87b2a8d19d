"""The lanes of another node, as whoever sends sees them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import grpc.aio

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.message import Sent
from tinyqq.ports.services import Answer, Send
from tinyqq.rpc.mapping import add_send, outcome_from
from tinyqq.rpc.status import failed, translated
from tinyqq.rpc.stream import Broken, Line, Stream

logger = logging.getLogger(__name__)

SendCall = grpc.aio.StreamStreamCall[pb.Sends, pb.Answers]
_BUSY_S = 0.5
_SEND_BYTES = 150
"""What a send takes besides its content, roughly."""


class SendStream(Stream[pb.Sends, pb.Answers]):
    """The ``send`` of :class:`tinyqq.ports.services.ChatApi` over the stream ``Chat``.

    Every send is answered exactly once: by the node, or with Unavailable when too many are
    unanswered (at once), when its time is up, when the stream breaks. The client sends it again
    under the same id then, so what had been committed is found and not doubled.
    """

    what = "sends to"

    def __init__(self, line: Line, *, on_break: Broken | None = None) -> None:
        super().__init__(line, on_break=on_break)
        self.sends = 0
        self.refused_full = 0
        self.refused_broken = 0
        self.timed_out = 0
        self._last_number = 0
        self._waiting: deque[tuple[int, Send]] = deque()
        self._waiting_bytes = 0
        self._unanswered: dict[int, tuple[float, Answer]] = {}

    def __len__(self) -> int:
        """How many sends are unanswered."""
        return len(self._unanswered)

    @property
    def is_usable(self) -> bool:
        """Whether a send would be tried now."""
        return not self._stopping.is_set() and not self._redial.wait_s(self._clock.monotonic())

    def send(self, send: Send) -> None:
        """Hand a send over. Order: numbered in the order of the calls, as long as none is
        refused."""
        now = self._clock.monotonic()
        wait_s = self._redial.wait_s(now)
        if wait_s or self._stopping.is_set():
            self.refused_broken += 1
            send.answer(Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=max(wait_s, _BUSY_S)))
            return
        size = len(send.content) + _SEND_BYTES
        if (
            len(self._unanswered) >= self._limits.max_sends
            or self._waiting_bytes + size > self._limits.max_send_bytes
        ):
            self.refused_full += 1
            send.answer(Unavailable(ErrorCode.BUSY, retry_after_s=_BUSY_S))
            return
        self.sends += 1
        self._last_number += 1
        self._waiting_bytes += size
        self._waiting.append((self._last_number, send))
        deadline = now + self._limits.send_timeout_s
        self._unanswered[self._last_number] = (deadline, send.answer)
        self._more.set()

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "sends_total": self.sends,
            "send_batches_total": self.batches,
            "sends_unanswered": len(self._unanswered),
            "sends_refused_full_total": self.refused_full,
            "sends_refused_broken_total": self.refused_broken,
            "sends_timed_out_total": self.timed_out,
            "send_breaks_total": self.breaks,
        }

    def _has_work(self) -> bool:
        return bool(self._unanswered)

    def _open(self) -> SendCall:
        return self._stub.Chat(metadata=self._metadata)

    async def _talk(self, call: SendCall) -> None:
        error: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                expiring = group.create_task(self._expire())
                await self._greet(call)
                reading = group.create_task(self._read(call))
                await self._write_sends(call)
                await call.done_writing()  # ended, not cancelled: a cancelled call leaks a little
                await reading
                expiring.cancel()
        except* TinyQQError as group_of:
            error = group_of.exceptions[0]
        if error is not None:
            raise error

    async def _greet(self, call: SendCall) -> None:
        with translated():
            async with asyncio.timeout(self._limits.open_timeout_s):
                first = await call.read()
            self._check(first.identity if isinstance(first, pb.Answers) else None)

    async def _write_sends(self, call: SendCall) -> None:
        """Write until it is to stop and everything is answered."""
        with translated():
            while not self._stopping.is_set() or self._unanswered:
                if self._waiting:
                    await self._write(call, self._next_batch())
                    continue
                self._more.clear()
                await self._more.wait()
                if call.done():
                    raise failed(reason="ended")

    def _next_batch(self) -> pb.Sends:
        batch = pb.Sends()
        taken = 0
        while self._waiting and taken < self._limits.max_write_bytes:
            number, send = self._waiting.popleft()
            taken += len(send.content) + _SEND_BYTES
            add_send(batch, number, send)
        self._waiting_bytes -= taken
        return batch

    async def _read(self, call: SendCall) -> None:
        with translated():
            while isinstance(answers := await call.read(), pb.Answers):
                for answer in answers.answers:
                    self._answer(answer.id, outcome_from(answer))
                if self._stopping.is_set():
                    self._more.set()
            if not self._stopping.is_set() or self._unanswered:
                raise failed(reason="ended")

    async def _expire(self) -> None:
        """Answer what nobody has answered for too long; the oldest are the first in the dict."""
        while True:
            await asyncio.sleep(self._limits.send_timeout_s / 4)
            now = self._clock.monotonic()
            late = [number for number, (deadline, _) in self._unanswered.items() if deadline < now]
            for number in late:
                self.timed_out += 1
                self._answer(number, Unavailable(ErrorCode.TIMED_OUT, retry_after_s=_BUSY_S))

    def _answer(self, number: int, outcome: Sent | TinyQQError) -> None:
        _, answer = self._unanswered.pop(number, (0.0, None))
        if answer is None:
            return  # it was given up before
        try:
            answer(outcome)
        except Exception:
            logger.exception("send.answer_failed")

    def _give_up(self, error: TinyQQError) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0
        for number in list(self._unanswered):
            self.refused_broken += 1
            wait_s = max(self._redial.wait_s(self._clock.monotonic()), error.retry_after_s)
            self._answer(number, Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=wait_s))
