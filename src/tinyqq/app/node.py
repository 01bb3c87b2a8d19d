"""The node's entry in the registry: kept up to date, and marked while it drains."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable
from typing import Final, Self

from tinyqq.errors import TinyQQError
from tinyqq.ports.registry import Node, Registry

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 2.0
LOOK_S: Final = 0.25


class NodeEntry:
    """Shows a node to the others while ``async with`` is open, with its load as it changes.

    Args:
        node: as it is at the start, idle.
        sessions: how many sessions there are now.
        load: how much there is to do, 0.0 … 1.0; asked once per interval.
        writers: the numbers under which it writes into the log. A new one is shown within
            ``look_s``: whoever follows the log must know of it soon.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        node: Node,
        sessions: Callable[[], int],
        load: Callable[[], float],
        writers: Callable[[], Iterable[int]],
        interval_s: float = INTERVAL_S,
        look_s: float = LOOK_S,
    ) -> None:
        self._registry = registry
        self._node = node
        self._sessions = sessions
        self._load = load
        self._writers = writers
        self._interval_s = interval_s
        self._look_s = look_s
        self._group = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._note_writers()
        await self._registry.register(self._node)
        await self._group.__aenter__()
        self._task = self._group.create_task(self._run(), name="node-entry")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._group.__aexit__(None, None, None)
        await self._registry.unregister()

    async def drain(self) -> None:
        """Stay visible, but send nobody here any more."""
        self._node = dataclasses.replace(self._node, draining=True)
        await self._show()

    async def _run(self) -> None:
        while True:
            await self._rest()
            sessions = self._sessions()
            self._node = dataclasses.replace(self._node, sessions=sessions, load=self._load())
            await self._show()

    async def _show(self) -> None:
        try:
            await self._registry.register(self._node)
        except TinyQQError as exc:  # the others keep the last picture; the next round repeats
            logger.warning("node.not_shown", extra={"reason": str(exc)})

    async def _rest(self) -> None:
        """Until the interval is over, or there are other writers."""
        for _ in range(max(round(self._interval_s / self._look_s), 1)):
            await asyncio.sleep(min(self._look_s, self._interval_s))
            if self._note_writers():
                return

    def _note_writers(self) -> bool:
        """Whether they are others than those that are shown."""
        writers = tuple(sorted(self._writers()))
        if writers == self._node.writers:
            return False
        self._node = dataclasses.replace(self._node, writers=writers)
        return True
