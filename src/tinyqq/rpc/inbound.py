"""What peers ask of this node: their deliveries go to its unit, sends to its lanes, calls to its
roles."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

import grpc.aio

from tinyqq._pb import node_pb2 as pb
from tinyqq.errors import ErrorCode, NotFound, ProtocolError, TinyQQError, Unavailable
from tinyqq.model.flights import Flights
from tinyqq.model.message import Sent
from tinyqq.outcomes import outcome_of
from tinyqq.ports.delivery import UnitLink
from tinyqq.ports.services import Login, Services
from tinyqq.rpc.figures import TellFigures, figures_to
from tinyqq.rpc.mapping import (
    SEEN,
    add_answer,
    caller_from,
    hint_from,
    kick_from,
    login_to,
    push_from,
    send_from,
)
from tinyqq.rpc.status import status_of, translated
from tinyqq.wire.calls import CALLS, ENTRANCES, NOTES, Target
from tinyqq.wire.packets import PacketType, decode_request, encode

logger = logging.getLogger(__name__)

LinkContext = grpc.aio.ServicerContext[pb.Deliveries, pb.Identity]
ChatContext = grpc.aio.ServicerContext[pb.Sends, pb.Answers]
DrainContext = grpc.aio.ServicerContext[pb.Identity, pb.Identity]
CallContext = grpc.aio.ServicerContext[pb.CallRequest, pb.CallReply]
FiguresContext = grpc.aio.ServicerContext[pb.FiguresRequest, pb.FiguresReply]
_DEFAULT_TIMEOUT_S: Final = 10.0
_SLACK_S: Final = 1.0
"""gRPC itself ends a call at its deadline; this is for the case that it forgets to."""
_RETRY_AFTER_S: Final = 1.0
_CALL_FAILED: Final = "call.failed"


class Desk:
    """The methods of the service ``Node``.

    Args:
        identity: tells peers who answers.
        roles: those of *services* that are in this process. Others are refused, so that a call goes
            over one wire at most.
        on_drain: called when an operator wants the node to leave.
        max_sends: how many of one peer's sends may be unanswered before no more are read.
        figures: what this node tells of itself; None: nothing.
    """

    def __init__(
        self,
        *,
        identity: pb.Identity,
        unit: UnitLink,
        services: Services,
        roles: frozenset[str],
        on_drain: Callable[[], None],
        max_sends: int,
        figures: TellFigures | None = None,
    ) -> None:
        self.received = 0
        self.sends = 0
        self.calls = 0
        self._identity = identity
        self._unit = unit
        self._services = services
        self._roles = roles
        self._on_drain = on_drain
        self._max_sends = max_sends
        self._figures = figures
        self._answering = 0
        self._closing = asyncio.Event()
        self._calls = self._methods(CALLS)
        self._notes = self._methods(NOTES)
        self._entrances = self._methods(ENTRANCES)

    def close(self) -> None:
        """Read no more from the streams; they end when all that was read is answered."""
        self._closing.set()

    @property
    def taken(self) -> int:
        """Calls and sends of other nodes so far."""
        return self.calls + self.sends

    @property
    def is_answering(self) -> bool:
        """Whether a call has no answer yet."""
        return bool(self._answering)

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {
            "deliveries_received_total": self.received,
            "sends_received_total": self.sends,
            "calls_received_total": self.calls,
        }

    # ---- the methods, named as in node.proto -----------------------------------------------------

    async def Link(self, _: AsyncIterator[pb.Deliveries], context: LinkContext) -> None:
        """Deliveries of one peer."""
        await context.write(self._identity)
        ended = asyncio.Event()
        await self._with_reader(self._read_deliveries(context), ended.set, ended.wait())

    async def Chat(self, _: AsyncIterator[pb.Sends], context: ChatContext) -> None:
        """Sends of one peer, and their answers."""
        await context.write(pb.Answers(identity=self._identity))
        line = AnswerLine(context.write, self._max_sends)
        await self._with_reader(self._read_sends(context, line), line.close, line.write())

    async def Call(self, request: pb.CallRequest, context: CallContext) -> pb.CallReply:
        """A business call."""
        self.calls += 1
        remaining_s = cast(float | None, context.time_remaining())  # None: no deadline
        timeout_s = _DEFAULT_TIMEOUT_S if remaining_s is None else remaining_s + _SLACK_S
        self._answering += 1
        try:
            outcome = await outcome_of(
                self._answer(request), timeout_s=timeout_s, event=_CALL_FAILED
            )
        finally:
            self._answering -= 1
        if isinstance(outcome, TinyQQError):
            await context.abort(*status_of(outcome))
        return outcome

    async def Drain(self, request: pb.Identity, context: DrainContext) -> pb.Identity:
        """An operator's wish that this node leaves. Another start of it is not meant."""
        if request.incarnation != self._identity.incarnation:
            await context.abort(*status_of(NotFound(ErrorCode.NOT_FOUND, unit=request.unit_id)))
        logger.info("node.asked_to_drain")
        self._on_drain()
        return self._identity

    async def Figures(self, request: pb.FiguresRequest, context: FiguresContext) -> pb.FiguresReply:
        """What this node tells of itself. Not counted as a call: whoever looks on must not keep a
        node that leaves from going."""
        if self._figures is None:
            await context.abort(*status_of(Unavailable(ErrorCode.UNAVAILABLE)))
        outcome = await outcome_of(
            self._figures(request.samples), timeout_s=_DEFAULT_TIMEOUT_S, event=_CALL_FAILED
        )
        if isinstance(outcome, TinyQQError):
            await context.abort(*status_of(outcome))
        return figures_to(outcome)

    # ---- streams ---------------------------------------------------------------------------------

    async def _with_reader(
        self,
        reader: Coroutine[Any, Any, None],
        at_end: Callable[[], None],
        writer: Coroutine[Any, Any, object],
    ) -> None:
        """Read until the peer is done, has gone, or this node closes; then let the writer end."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(reader)
                closing = group.create_task(self._closing.wait())
                reading.add_done_callback(lambda _: at_end())
                closing.add_done_callback(lambda _: reading.cancel())
                with translated():
                    await writer
                closing.cancel()
        except* TinyQQError as gone:
            logger.debug("link.peer_gone", extra={"reason": str(gone.exceptions[0])})

    async def _read_deliveries(self, context: LinkContext) -> None:
        with translated():
            while isinstance(batch := await context.read(), pb.Deliveries):
                self._deliver(batch)

    def _deliver(self, batch: pb.Deliveries) -> None:
        self.received += len(batch.pushes)
        if batch.pushes:
            with _contained():
                self._unit.push([push_from(one) for one in batch.pushes])
        if batch.hints:
            with _contained():
                self._unit.hint([hint_from(one) for one in batch.hints])
        if batch.kicks:
            with _contained():
                self._unit.kick([kick_from(one) for one in batch.kicks])
        for note in batch.notes:
            with _contained():
                self._note(note)

    def _note(self, note: pb.Note) -> None:
        take = self._notes.get(note.type)
        if take is None:
            logger.warning("note.refused", extra={"type": note.type})
            return
        take(caller_from(note.caller), decode_request(note.type, note.body))

    async def _read_sends(self, context: ChatContext, line: AnswerLine) -> None:
        with translated():
            while isinstance(batch := await context.read(), pb.Sends):
                for message in batch.sends:
                    await line.room()
                    self.sends += 1
                    self._send(message, line)

    def _send(self, message: pb.Send, line: AnswerLine) -> None:
        answer = line.begin(message)
        try:
            self._check_role("chat")
            line.check(message)
            self._services.chat.send(send_from(message, answer))
        except TinyQQError as error:
            answer(error)
        except Exception:
            logger.exception("send.failed")
            answer(Unavailable(ErrorCode.INTERNAL, retry_after_s=_RETRY_AFTER_S))

    # ---- calls -----------------------------------------------------------------------------------

    async def _answer(self, request: pb.CallRequest) -> pb.CallReply:
        number = request.type
        if number == SEEN:
            self._check_role("user")
            await self._services.user.seen(caller_from(request.caller))
            return pb.CallReply()
        if number in ENTRANCES:
            return await self._enter(request)
        if number not in CALLS:
            raise ProtocolError(ErrorCode.UNKNOWN_TYPE, type=number)
        self._check_role(CALLS[number].role)
        record = decode_request(number, request.body)
        reply = await self._calls[number](caller_from(request.caller), record)
        return pb.CallReply() if reply is None else pb.CallReply(body=encode(reply))

    async def _enter(self, request: pb.CallRequest) -> pb.CallReply:
        self._check_role("user")
        where: dict[str, Any] = {"address": request.entrance.address}
        if request.type in (PacketType.LOG_IN, PacketType.RESUME):
            where["session_id"] = request.entrance.session_id
            where["language"] = request.entrance.language
        record = decode_request(request.type, request.body)
        reply = await self._entrances[request.type](record, **where)
        return login_to(reply) if isinstance(reply, Login) else pb.CallReply(body=encode(reply))

    def _check_role(self, role: str) -> None:
        if role not in self._roles:
            raise Unavailable(ErrorCode.UNAVAILABLE, retry_after_s=_RETRY_AFTER_S, role=role)

    def _methods(self, table: dict[int, Target]) -> dict[int, Callable[..., Any]]:
        return {
            number: getattr(getattr(self._services, target.role), target.method)
            for number, target in table.items()
            if target.role in self._roles
        }


@contextmanager
def _contained() -> Iterator[None]:
    """Round what came with other things: if it is bad, or of a later version, they are not lost."""
    try:
        yield
    except Exception:
        logger.exception("deliveries.failed")


_Flight = tuple[int, int]
"""Session and conversation."""


def _flight_of(message: pb.Send) -> _Flight:
    return message.caller.session_id, message.conversation_id


class AnswerLine:
    """The answers to one peer's sends: a place is kept for every send that was read, so that no
    answer is ever dropped; while no place is free, no more sends are read."""

    def __init__(self, write: Callable[[pb.Answers], Awaitable[None]], places: int) -> None:
        self._write = write
        self._places = places
        self._taken = 0
        self._closed = False
        self._ready = pb.Answers()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._flights: Flights[_Flight] = Flights()

    async def room(self) -> None:
        """Wait for a free place."""
        while self._taken >= self._places:
            self._room.clear()
            await self._room.wait()

    def begin(self, message: pb.Send) -> Callable[[Sent | TinyQQError], None]:
        """Take a place for a send; what is returned takes its outcome."""
        self._taken += 1
        return partial(self._done, message)

    def check(self, message: pb.Send) -> None:
        """Refuse what came behind a send that was refused for now, before its session knew.

        Raises:
            Unavailable: FLIGHT_BROKEN.
        """
        self._flights.check(_flight_of(message), message.flight)

    def close(self) -> None:
        """No more sends will begin."""
        self._closed = True
        self._more.set()

    async def write(self) -> None:
        """Write answers as they come, until the line is closed and every send is answered."""
        while self._taken or not self._closed:
            if self._ready.answers:
                batch, self._ready = self._ready, pb.Answers()
                await self._write(batch)
                self._taken -= len(batch.answers)
                self._room.set()
            else:
                self._more.clear()
                await self._more.wait()

    def _done(self, message: pb.Send, outcome: Sent | TinyQQError) -> None:
        if isinstance(outcome, TinyQQError):
            self._flights.refused(_flight_of(message), message.flight, outcome)
        add_answer(self._ready, message.id, outcome)
        self._more.set()
