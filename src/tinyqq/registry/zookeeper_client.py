"""A session with ZooKeeper, for an event loop.

kazoo works with threads; they end here. What they report is posted to the event loop, and what is
asked of them is awaited there, so whoever uses this lives in the loop alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.interfaces import IAsyncResult
from kazoo.protocol.states import WatchedEvent
from kazoo.retry import KazooRetry
from kazoo.security import make_digest_acl

from tinyqq.registry.zookeeper_url import ZookeeperAddress

ANSWER_TIMEOUT_S: Final = 5.0
ZOOKEEPER_ERRORS: Final = (KazooException, TimeoutError)
"""What a question raises when ZooKeeper does not do what is asked."""


class Stored(NamedTuple):
    """What a node holds. ``is_own``: this session has made it, and takes it along when it ends."""

    data: bytes
    version: int
    is_own: bool


class ZookeeperClient:
    """Begins with :meth:`start` and ends with :meth:`close`; connects again by itself.

    Every question raises one of :data:`ZOOKEEPER_ERRORS`, after :data:`ANSWER_TIMEOUT_S` at the
    latest. Answers come in the order of the questions.

    Args:
        on_state: called in the loop with every new ``KazooState`` of the connection.
        on_event: called in the loop with the path of a watched node that has changed; once per
            watch.
    """

    def __init__(
        self,
        address: ZookeeperAddress,
        *,
        session_timeout_s: float,
        on_state: Callable[[str], None],
        on_event: Callable[[str], None],
    ) -> None:
        self._kazoo = _make_kazoo(address, session_timeout_s)
        self._on_state = on_state
        self._on_event = on_event
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to connect; the outcome is heard as a state, in the loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._kazoo.add_listener(self._hear_state)
        self._kazoo.start_async()

    async def close(self) -> None:
        """End the session and the threads. A ZooKeeper that hangs is no reason to fail: there the
        session ends by itself."""
        self._kazoo.remove_listener(self._hear_state)
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        with contextlib.suppress(KazooException, OSError):
            self._kazoo.stop()
        with contextlib.suppress(KazooException, OSError):
            self._kazoo.close()

    # ---- questions -------------------------------------------------------------------------------

    async def ensure_path(self, path: str) -> None:
        """Make a node that stays, and those above it, unless they are there."""
        await self._ask(self._kazoo.ensure_path_async, path)

    async def list_names(self, path: str) -> list[str]:
        """The nodes right below, from now on watched for comings and goings.

        Raises:
            NoNodeError
        """
        names: list[str] = await self._ask(
            self._kazoo.get_children_async, path, watch=self._hear_watch
        )
        return names

    async def read(self, path: str, *, is_watched: bool = False) -> Stored:
        """What a node holds.

        Args:
            is_watched: from now on, for a change of it and for its end.

        Raises:
            NoNodeError
        """
        watch = self._hear_watch if is_watched else None
        data, stat = await self._ask(self._kazoo.get_async, path, watch=watch)
        return Stored(data, stat.version, stat.ephemeralOwner == self._session_id())

    async def create(self, path: str, data: bytes) -> None:
        """Make a node, of version 0, that ends with this session.

        Raises:
            NodeExistsError
        """
        await self._ask(self._kazoo.create_async, path, data, ephemeral=True)

    async def write(self, path: str, data: bytes, version: int) -> int:
        """Write to a node if it still has this version; returns the new one.

        Raises:
            NoNodeError, BadVersionError
        """
        stat = await self._ask(self._kazoo.set_async, path, data, version)
        new_version: int = stat.version
        return new_version

    async def delete(self, path: str, version: int) -> None:
        """Take a node out if it still has this version.

        Raises:
            NoNodeError, BadVersionError
        """
        await self._ask(self._kazoo.delete_async, path, version)

    def _session_id(self) -> int:
        session = self._kazoo.client_id
        return session[0] if session else 0

    async def _ask(self, begin: Callable[..., IAsyncResult], *args: Any, **options: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def settle(result: IAsyncResult) -> None:
            if future.done():
                return
            if result.successful():
                future.set_result(result.value)
            else:
                future.set_exception(result.exception)

        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            begin(*args, **options).rawlink(lambda result: self._post(settle, result))
            return await future

    # ---- kazoo's threads: post and return --------------------------------------------------------

    def _hear_state(self, state: str) -> None:
        self._post(self._on_state, state)

    def _hear_watch(self, event: WatchedEvent) -> None:
        if event.path is not None:  # None: the connection is gone, and that is heard as a state
            self._post(self._on_event, str(event.path))

    def _post(self, call: Callable[..., None], *args: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            self._loop.call_soon_threadsafe(call, *args)


def _make_kazoo(address: ZookeeperAddress, session_timeout_s: float) -> KazooClient:
    user, _, password = address.digest.partition(":")
    return KazooClient(
        hosts=address.hosts,
        timeout=session_timeout_s,
        auth_data=[("digest", address.digest)] if user else None,
        default_acl=[make_digest_acl(user, password, all=True)] if user else None,
        connection_retry=KazooRetry(max_tries=-1, delay=0.05, max_delay=0.5),
        logger=_quiet_logger(),
    )


def _quiet_logger() -> logging.Logger:
    """kazoo tells every attempt to connect; a change of state is told by the registry, once."""
    quiet = logging.getLogger(f"{__name__}.kazoo")
    quiet.setLevel(logging.CRITICAL)
    return quiet
