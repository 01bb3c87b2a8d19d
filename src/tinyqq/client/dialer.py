"""From an address to an open connection: the directory, the choice, the next one when one fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial
from random import Random
from typing import Any, Final

from tinyqq.client.addresses import Address, Directory, Unit, parse_url, ways_to
from tinyqq.client.carriers import carry
from tinyqq.client.connection import Connection
from tinyqq.client.directory import Listing, fetch_listing
from tinyqq.client.racing import first_of
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, InvalidRequest, TinyQQError, Unavailable
from tinyqq.wire.packets import PacketType

logger = logging.getLogger(__name__)

_TIMEOUT_S: Final = 10.0
"""For one unit: reaching it, and its welcome. For a directory too."""
_SHORT_TIMEOUT_S: Final = 3.0
"""The same where there is another way that is known to be good."""
_AVOID_S: Final = 10.0
"""A unit that failed or sent one away is the last choice for so long."""
_MAX_DIRECTORIES: Final = 8


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
        self._units: tuple[Unit, ...] = ()
        """What the last answer of a directory named."""
        self._directory: Directory | None = None
        """Whose answer that was."""
        self._moved_to: Address | None = None
        self._avoided: dict[Address, float] = {}

    async def dial(
        self,
        *,
        on_push: Callable[[PacketType, Any], None],
        on_missed: Callable[[], None],
        first: str = "",
    ) -> Connection:
        """Open a connection, by the first way that works; not before a directory says.

        Args:
            first: an address to try before all others.

        Raises:
            TinyQQError: Unavailable CONNECTION_LOST when no way works; what a server answered to
                the hello when it will not speak with this client.
        """
        attempt = partial(self._attempt, on_push=on_push, on_missed=on_missed)
        preferred = _parse_unit(first)
        if preferred is not None:
            outcome = await attempt(preferred, timeout_s=_SHORT_TIMEOUT_S)
            if isinstance(outcome, Connection):
                self._moved_to = preferred
                return outcome
        return await first_of(
            [partial(attempt, way, timeout_s=_TIMEOUT_S) for way in await self._ways()],
            tasks=self._tasks,
            discard=Connection.close,
        )

    def avoid(self, connection: Connection) -> None:
        """Its unit is leaving, or has failed: for a while others are tried first."""
        if connection.address is not None:
            self._avoid(connection.address)

    @property
    def http_place(self) -> Directory:
        """Where this server answers HTTP, as far as is known.

        Raises:
            InvalidRequest: only a TCP address was given.
        """
        if isinstance(self._target, Directory):
            return self._directory or self._target
        place = Unit((self._target,)).directory
        if place is None:
            raise InvalidRequest(
                ErrorCode.INVALID_REQUEST, reason="files need an http or ws address of the server"
            )
        return place

    # ---- units -----------------------------------------------------------------------------------

    async def _attempt(
        self,
        address: Address,
        *,
        on_push: Callable[[PacketType, Any], None],
        on_missed: Callable[[], None],
        timeout_s: float,
    ) -> Connection | TinyQQError:
        connection = Connection(
            clock=self._clock,
            on_push=on_push,
            on_missed=on_missed,
            agent=self._agent,
            language=self._language,
            address=address,
        )
        try:
            await carry(
                connection, address, trust=self._trust, tasks=self._tasks, timeout_s=timeout_s
            )
        except TinyQQError as error:
            logger.debug("dial.failed", extra={"address": str(address)})
            self._avoid(address)
            return error
        return connection

    async def _ways(self) -> list[Address]:
        if isinstance(self._target, Address):
            known = (self._target, self._moved_to)
            units: Iterable[Unit] = (Unit((one,)) for one in known if one is not None)
        else:
            units = await self._list_units(self._target)
        now_s = self._clock.monotonic()
        self._avoided = {one: until for one, until in self._avoided.items() if until > now_s}
        return ways_to(units, self._avoided)

    def _avoid(self, address: Address) -> None:
        self._avoided[address] = self._clock.monotonic() + _AVOID_S

    # ---- directories -----------------------------------------------------------------------------

    async def _list_units(self, target: Directory) -> tuple[Unit, ...]:
        """The units that a directory names, when it is this client's turn."""
        try:
            listing = await first_of(
                [partial(self._ask, one) for one in self._directories(target)], tasks=self._tasks
            )
        except Unavailable:
            if not self._units:
                raise
            # No directory is left; the units that the last one named may still be there. Nobody
            # tells clients now who goes where.
            units = list(self._units)
            self._random.shuffle(units)
            return tuple(units)
        # A node that has just lost sight of the registry names nobody: who was there may still be.
        self._units = listing.units or self._units
        if listing.wait_s:
            logger.info("dial.waiting", extra={"wait_s": listing.wait_s})
            await asyncio.sleep(listing.wait_s)
        return self._units

    async def _ask(self, directory: Directory) -> Listing | TinyQQError:
        timeout_s = _SHORT_TIMEOUT_S if self._units else _TIMEOUT_S
        try:
            listing = await fetch_listing(directory, trust=self._trust, timeout_s=timeout_s)
        except TinyQQError as error:
            return error
        self._directory = directory
        return listing

    def _directories(self, target: Directory) -> list[Directory]:
        """Whom to ask: who answered last, whom the user named, and every unit that is known."""
        found = [self._directory, target, *(unit.directory for unit in self._units)]
        return list(dict.fromkeys(one for one in found if one is not None))[:_MAX_DIRECTORIES]


def _parse_unit(url: str) -> Address | None:
    """The address that a server gave; None: it gave none, or one that only newer clients know."""
    try:
        address = parse_url(url) if url else None
    except InvalidRequest:
        return None
    return address if isinstance(address, Address) else None
