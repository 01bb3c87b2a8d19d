"""From an address to an open connection: the directory, the choice, the next one when one fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from tinyqq.client.addresses import Address, parse_url, ways_to
from tinyqq.client.carriers import carry
from tinyqq.client.connection import Connection
from tinyqq.client.directory import fetch_units
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unavailable
from tinyqq.wire.packets import PacketType

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 10.0
"""For one unit: reaching it, and its welcome."""
HEAD_START_S: Final = 0.5
"""What does not answer within this time may be hung: the next way is tried beside it, and the first
that answers is taken. For a directory: then the units it named last are tried."""


class Dialer:
    """Opens connections to one server.

    Args:
        url: see ``addresses.py``.
        tasks: owns what connections need.
        agent: this program's name and version, told to the server.
        language: BCP 47 tag, told to the server.
    """

    def __init__(
        self,
        *,
        url: str,
        trust: Trust,
        clock: Clock,
        random: Random,
        tasks: asyncio.TaskGroup,
        agent: str,
        language: str,
    ) -> None:
        self._target = parse_url(url)
        self._trust = trust
        self._clock = clock
        self._random = random
        self._tasks = tasks
        self._agent = agent
        self._language = language
        self._last_ways: list[Address] = []

    async def dial(
        self,
        *,
        on_push: Callable[[PacketType, Any], None],
        on_missed: Callable[[], None],
        first: str = "",
    ) -> Connection:
        """Open a connection, by the first way that works.

        Args:
            first: an address to try before all others.

        Raises:
            TinyQQError: Unavailable CONNECTION_LOST when no way works; what a server answered to
                the hello when it will not speak with this client.
        """
        ways = await self._ways(first)
        error: TinyQQError = Unavailable(ErrorCode.CONNECTION_LOST, reason="no unit")
        running: set[asyncio.Task[Connection | TinyQQError]] = set()
        try:
            while ways or running:
                if ways:
                    attempt = self._attempt(ways.pop(0), on_push=on_push, on_missed=on_missed)
                    running.add(self._tasks.create_task(attempt))
                done, running = await asyncio.wait(
                    running,
                    timeout=HEAD_START_S if ways else None,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                found, error = _best(done, error)
                if found is not None:
                    return found
                if not isinstance(error, Unavailable):
                    break
        finally:
            for late in running:
                if not late.cancel() and isinstance(outcome := late.result(), Connection):
                    outcome.close()
        raise error

    async def _attempt(
        self,
        address: Address,
        *,
        on_push: Callable[[PacketType, Any], None],
        on_missed: Callable[[], None],
    ) -> Connection | TinyQQError:
        connection = Connection(
            clock=self._clock,
            on_push=on_push,
            on_missed=on_missed,
            agent=self._agent,
            language=self._language,
        )
        try:
            await carry(
                connection, address, trust=self._trust, tasks=self._tasks, timeout_s=_TIMEOUT_S
            )
        except TinyQQError as error:
            logger.debug("dial.failed", extra={"address": str(address)})
            return error
        return connection

    async def _ways(self, first: str) -> list[Address]:
        ways = await self._usual_ways()
        try:
            preferred = parse_url(first) if first else None
        except InvalidRequest:
            preferred = None  # a newer server may name addresses that this client cannot read
        return [preferred, *ways] if isinstance(preferred, Address) else ways

    async def _usual_ways(self) -> list[Address]:
        if isinstance(self._target, Address):
            return [self._target]
        timeout_s = HEAD_START_S if self._last_ways else _TIMEOUT_S
        try:
            units = await fetch_units(self._target, trust=self._trust, timeout_s=timeout_s)
        except Unavailable:
            if not self._last_ways:
                raise
            # The node that was asked is gone; the units that it told of may still be there.
            return list(self._last_ways)
        self._last_ways = ways_to(units, self._random)
        return list(self._last_ways)


def _best(
    done: Iterable[asyncio.Task[Connection | TinyQQError]], error: TinyQQError
) -> tuple[Connection | None, TinyQQError]:
    """The connection that some attempts came to; without one, why not."""
    found: Connection | None = None
    for attempt in done:
        outcome = attempt.result()
        if isinstance(outcome, TinyQQError):
            error = outcome
        elif found is None:
            found = outcome
        else:
            outcome.close()
    return found, error
