"""One stream to a node, opened when there is something to write, and again after it broke."""

from __future__ import annotations

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import grpc.aio

from tinyqq._pb import node_pb2 as pb
from tinyqq._pb.node_pb2_grpc import NodeStub
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError
from tinyqq.ports.registry import Node
from tinyqq.rpc.auth import Credentials
from tinyqq.rpc.limits import LinkLimits
from tinyqq.rpc.redial import Redial
from tinyqq.rpc.status import failed, translated

logger = logging.getLogger(__name__)

Request = TypeVar("Request")
Response = TypeVar("Response")
Broken = Callable[[TinyQQError], None]
_END_S = 1.0


@dataclass(frozen=True, slots=True)
class Line:
    """The way to a node that its streams share."""

    node: Node
    channel: grpc.aio.Channel
    credentials: Credentials
    clock: Clock
    limits: LinkLimits


class Stream(ABC, Generic[Request, Response]):
    """What both streams of a link have in common: opening, breaking, stopping.

    One write is outstanding at a time, and what arrives meanwhile is the next batch.

    Args:
        on_break: called whenever the stream broke or could not be opened.
    """

    what: ClassVar[str]
    """That it carries, for logs."""

    def __init__(self, line: Line, *, on_break: Broken | None = None) -> None:
        self.opened = 0
        self.breaks = 0
        self.batches = 0
        limits = line.limits
        self._node = line.node
        self._stub = NodeStub(line.channel)
        self._metadata = line.credentials.metadata
        self._name = f"{self.what} {line.node.unit_id}"
        self._clock = line.clock
        self._limits = limits
        self._on_break = on_break
        self._redial = Redial(
            first_s=limits.first_wait_s, last_s=limits.last_wait_s, draw=random.random
        )
        self._is_up = True
        """Until the first failure; one that goes on is logged once."""
        self._more = asyncio.Event()
        self._stopping = asyncio.Event()
        self._call: grpc.aio.StreamStreamCall[Request, Response] | None = None

    def stop(self) -> None:
        """Write what waits and take the answers, as far as that goes quickly, and let :meth:`run`
        end."""
        self._stopping.set()
        self._more.set()

    async def run(self) -> None:
        """Keep the stream until it is stopped; nothing is opened before it is needed."""
        async with asyncio.TaskGroup() as group:
            hurrying = group.create_task(self._hurry())
            while not self._stopping.is_set() or self._has_work():
                if not self._has_work():
                    self._more.clear()
                    await self._more.wait()
                    continue
                error = await self._outcome()
                if error is None or self._stopping.is_set():
                    break
                self._redial.failed(self._clock.monotonic())
                self._broke(error)
                await self._pause(self._redial.wait_s(self._clock.monotonic()))
            hurrying.cancel()
        self._give_up(failed(reason="stopped"))

    @abstractmethod
    def _has_work(self) -> bool:
        """Whether there is a reason to have the stream open."""

    @abstractmethod
    def _open(self) -> grpc.aio.StreamStreamCall[Request, Response]:
        """Begin a call."""

    @abstractmethod
    async def _talk(self, call: grpc.aio.StreamStreamCall[Request, Response]) -> None:
        """Use the stream until it breaks (raises) or everything is done (returns)."""

    @abstractmethod
    def _give_up(self, error: TinyQQError) -> None:
        """What waits or is unanswered will not be dealt with by this stream."""

    async def _outcome(self) -> TinyQQError | None:
        """Open it and use it: why it broke; None: it was stopped."""
        try:
            with translated():
                call = self._open()
                try:
                    self.opened += 1
                    self._call = call
                    call.add_done_callback(self._ended)
                    await self._talk(call)
                finally:
                    self._call = None
                    await end(call)
        except TinyQQError as error:
            return error
        except Exception:
            logger.exception("link.failed", extra={"link": self._name})
            return failed(ErrorCode.INTERNAL)
        return None

    async def _write(
        self, call: grpc.aio.StreamStreamCall[Request, Response], batch: Request
    ) -> None:
        async with asyncio.timeout(self._limits.write_timeout_s):
            await call.write(batch)
        self.batches += 1

    def _check(self, identity: object) -> None:
        """Whether the node that was called has answered; then the stream is open."""
        if not isinstance(identity, pb.Identity) or (
            (identity.unit_id, identity.incarnation) != (self._node.unit_id, self._node.incarnation)
        ):
            raise failed(reason="another node answers")
        self._redial.succeeded()
        self._is_up = True
        logger.info("link.open", extra={"link": self._name})

    def _ended(self, _: object) -> None:
        self._more.set()

    async def _hurry(self) -> None:
        """Once it is to stop, a peer that does not answer must not hold it up."""
        await self._stopping.wait()
        await asyncio.sleep(self._limits.stop_s)
        if self._call is not None:
            self._call.cancel()

    def _broke(self, error: TinyQQError) -> None:
        self.breaks += 1
        level = logging.WARNING if self._is_up else logging.DEBUG
        logger.log(level, "link.broken", extra={"link": self._name, "reason": str(error)})
        self._is_up = False
        self._give_up(error)
        if self._on_break is not None:
            self._on_break(error)

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._stopping.wait()
        except TimeoutError:
            pass


async def end(call: grpc.aio.StreamStreamCall[Any, Any]) -> None:
    """Cancel a call and wait until gRPC has let go of it: a call that is only dropped leaks."""
    call.cancel()
    try:
        async with asyncio.timeout(_END_S):
            await call.code()
    except TimeoutError:
        logger.warning("link.call_does_not_end")
