"""The registry of a cluster: one ephemeral node per process, ``<chroot>/nodes/<unit id>``.

An outage takes nothing away: while ZooKeeper is gone (SUSPENDED) the last picture stays. When it
comes back without this node's session (LOST), the node registers again, and the others get the time
of a session to do the same before they vanish from the picture.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Self
from urllib.parse import quote

from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError
from kazoo.protocol.states import KazooState

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unavailable
from tinyqq.model.ids import UnitId
from tinyqq.ports.registry import Node
from tinyqq.registry.node_json import decode_node, encode_node
from tinyqq.registry.zookeeper_client import ZOOKEEPER_ERRORS, ZookeeperClient
from tinyqq.registry.zookeeper_url import parse_zookeeper_url

logger = logging.getLogger(__name__)

SESSION_TIMEOUT_S: Final = 6.0
START_TIMEOUT_S: Final = 10.0
RESYNC_S: Final = 60.0
"""Everything is read anew so often, in case a watch was lost."""
RETRY_S: Final = 0.2


class ZookeeperRegistry:
    """Implements :class:`tinyqq.ports.registry.Registry`; ``async with`` it.

    After the start nothing here fails because ZooKeeper is away.

    Args:
        url: see :mod:`tinyqq.registry.zookeeper_url`.
        session_timeout_s: how long after a process has died the others know. A process that is
            held up for longer looks dead for a moment.

    Raises:
        InvalidRequest: *url* is no address of ZooKeeper.
        Unavailable: at the start, when ZooKeeper does not answer or lets nobody in.
    """

    def __init__(
        self,
        *,
        url: str,
        clock: Clock,
        session_timeout_s: float = SESSION_TIMEOUT_S,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self._address = parse_zookeeper_url(url)
        self._folder = f"{self._address.chroot.rstrip('/')}/nodes"
        self._clock = clock
        self._session_timeout_s = session_timeout_s
        self._start_timeout_s = start_timeout_s
        self._client = ZookeeperClient(
            self._address,
            session_timeout_s=session_timeout_s,
            on_state=self._on_state,
            on_event=self._on_event,
        )
        self._stack = contextlib.AsyncExitStack()
        self._watchers: list[Callable[[tuple[Node, ...]], None]] = []
        # ---- the picture
        self._picture: tuple[Node, ...] = ()
        self._nodes: dict[str, Node] = {}
        self._incarnations: dict[UnitId, str] = {}
        self._connection = KazooState.LOST
        self._is_synced = False
        self._is_stale = True
        self._stale_names: set[str] = set()
        self._watched: set[str] = set()
        self._has_new_names = False
        self._grace_until = 0.0
        self._wake = asyncio.Event()
        self._synced = asyncio.Event()
        # ---- this node
        self._own: Node | None = None
        self._own_data = b""
        self._own_version: int | None = None
        self._may_take_over = True
        self._is_replaced = False
        self._own_lock = asyncio.Lock()
        self._counts = dict.fromkeys(("changes_total", "outages_total", "sync_failures_total"), 0)

    # ---- begin and end ---------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._client.start()
        try:
            group = await self._stack.enter_async_context(asyncio.TaskGroup())
            task = group.create_task(self._follow(), name="registry-follow")
            self._stack.callback(task.cancel)
            async with asyncio.timeout(self._start_timeout_s):
                await self._synced.wait()
        except TimeoutError as exc:
            await self._close()
            raise Unavailable(ErrorCode.UNAVAILABLE, registry=self._address.hosts) from exc
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.unregister()
        await self._close()

    async def _close(self) -> None:
        await self._stack.aclose()
        await self._client.close()

    # ---- ports.registry --------------------------------------------------------------------------

    async def register(self, node: Node) -> None:
        """Show this node, or its new load and state.

        Returns when ZooKeeper has it. While ZooKeeper is away it returns too, and the node is shown
        as soon as it is back.
        """
        self._own = node
        await self._try_own(self._show_own)

    async def unregister(self) -> None:
        """Take this node out; no effect when it is not in."""
        gone, self._own = self._own, None
        if gone is not None:
            await self._try_own(lambda: self._hide(gone))

    def nodes(self) -> tuple[Node, ...]:
        """The last picture that there was."""
        return self._picture

    def watch(self, on_change: Callable[[tuple[Node, ...]], None]) -> None:
        """Call back, in the event loop, after every change of the picture."""
        self._watchers.append(on_change)

    # ---- what is known of the registry itself ----------------------------------------------------

    @property
    def state(self) -> str:
        """``ok``; ``suspended``: ZooKeeper is away, the picture is the last one; ``replaced``:
        another process took this node's place."""
        if not self._is_fresh:
            return "suspended"
        return "replaced" if self._is_replaced else "ok"

    def is_live(self, unit_id: UnitId, incarnation: str) -> bool:
        """Whether this incarnation of a unit is in the picture; True while the picture is old."""
        return not self._is_fresh or self._incarnations.get(unit_id) == incarnation

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        return {"nodes": len(self._picture), "up": int(self._is_fresh), **self._counts}

    @property
    def _is_fresh(self) -> bool:
        return self._is_synced and self._connection == KazooState.CONNECTED

    # ---- the connection --------------------------------------------------------------------------

    def _on_state(self, state: str) -> None:
        before, self._connection = self._connection, state
        if state == KazooState.CONNECTED:
            self._is_stale = True
            self._wake.set()
            return
        self._is_synced = False
        if state == KazooState.LOST:
            # The nodes of others may be lost as well: they need a moment to come back.
            self._grace_until = self._clock.monotonic() + self._session_timeout_s
            self._own_version = None
        if before == KazooState.CONNECTED:
            self._counts["outages_total"] += 1
            logger.warning("registry.away", extra={"state": state.lower()})

    def _on_event(self, path: str) -> None:
        if path == self._folder:
            self._has_new_names = True
        else:
            name = path.rpartition("/")[2]
            self._watched.discard(name)
            self._stale_names.add(name)
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            await self._rest()
            if self._connection != KazooState.CONNECTED:
                continue
            try:
                await self._sync()
            except ZOOKEEPER_ERRORS as exc:
                self._is_stale = True
                self._counts["sync_failures_total"] += 1
                logger.warning("registry.not_read", extra={"error": repr(exc)})
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def _rest(self) -> None:
        grace_s = self._grace_until - self._clock.monotonic()
        try:
            async with asyncio.timeout(grace_s if 0 < grace_s < RESYNC_S else RESYNC_S):
                await self._wake.wait()
        except TimeoutError:
            self._is_stale = True
        self._wake.clear()

    # ---- the picture -----------------------------------------------------------------------------

    async def _sync(self) -> None:
        """Bring the picture up to date with what the watches have said."""
        stale, self._stale_names = self._stale_names, set()
        if self._is_stale:
            self._is_stale, self._has_new_names = False, True
            await self._client.ensure_path(self._folder)
            if self._own is not None:
                async with self._own_lock:
                    await self._show_own()
            self._watched.clear()
            stale.update(self._nodes)
        if self._has_new_names:
            self._has_new_names = False
            names = await self._client.list_names(self._folder)
            stale.update(name for name in names if name not in self._watched)
        await asyncio.gather(*(self._read(name) for name in stale))
        if not self._is_synced:
            self._is_synced = True
            logger.info("registry.read", extra={"nodes": len(self._nodes)})
        self._publish()
        self._synced.set()

    async def _read(self, name: str) -> None:
        try:
            stored = await self._client.read(f"{self._folder}/{name}", is_watched=True)
            self._watched.add(name)
            node = self._nodes[name] = decode_node(stored.data)
            own = self._own
            if own and own.unit_id == node.unit_id and own.incarnation != node.incarnation:
                self._own_version = None  # its version numbers are another's
        except NoNodeError:
            if self._clock.monotonic() >= self._grace_until:
                self._nodes.pop(name, None)
        except TinyQQError as exc:
            logger.warning("registry.bad_node", extra={"name_of_node": name, "error": str(exc)})

    def _publish(self) -> None:
        picture = tuple(sorted(self._nodes.values(), key=lambda node: node.unit_id))
        if picture == self._picture:
            return
        _tell_changes(self._picture, picture)
        self._picture = picture
        self._incarnations = {node.unit_id: node.incarnation for node in picture}
        self._counts["changes_total"] += 1
        for on_change in self._watchers:
            on_change(picture)

    # ---- this node -------------------------------------------------------------------------------

    async def _try_own(self, change: Callable[[], Awaitable[None]]) -> None:
        if not self._is_fresh:
            return  # the next sync shows the node, if it is still wanted
        try:
            async with self._own_lock:
                await change()
        except ZOOKEEPER_ERRORS as exc:
            logger.warning("registry.not_written", extra={"error": repr(exc)})
            self._is_stale = True
            self._wake.set()
            return
        self._publish()

    async def _show_own(self) -> None:
        node = self._own
        if node is None:
            return
        name = _name(node.unit_id)
        path, data = f"{self._folder}/{name}", encode_node(node)
        if self._own_version is None or data != self._own_data:
            if not await self._update(path, data):
                await self._create(node, path, data)
            self._own_data = data
        if not self._is_replaced:
            self._nodes[name] = node

    async def _update(self, path: str, data: bytes) -> bool:
        """Write the node if it is the one that this session has made."""
        if self._own_version is None:
            return False
        try:
            self._own_version = await self._client.write(path, data, self._own_version)
        except (BadVersionError, NoNodeError):
            self._own_version = None
            return False
        return True

    async def _create(self, node: Node, path: str, data: bytes) -> None:
        """Make the node. What this process left in an earlier session is replaced, and once, at the
        start, what an earlier process left; nothing else: who was held up for longer than its
        session must not push out its successor."""
        try:
            await self._make(path, data)
            return
        except NodeExistsError:
            shown = await self._client.read(path)
        if shown.is_own:
            # Made or written by a call whose answer was lost.
            self._own_version = await self._client.write(path, data, shown.version)
            self._may_take_over = False
        elif self._may_take_over or _is_of(node.incarnation, shown.data):
            await self._client.delete(path, shown.version)
            await self._make(path, data)
        elif not self._is_replaced:
            self._is_replaced = True
            logger.error("registry.replaced", extra={"path": path})

    async def _make(self, path: str, data: bytes) -> None:
        await self._client.create(path, data)
        self._own_version, self._may_take_over, self._is_replaced = 0, False, False

    async def _hide(self, node: Node) -> None:
        name = _name(node.unit_id)
        version, self._own_version = self._own_version, None
        self._may_take_over = True
        if version is None:
            return
        with contextlib.suppress(NoNodeError, BadVersionError):
            await self._client.delete(f"{self._folder}/{name}", version)
        self._nodes.pop(name, None)


def _tell_changes(before: Iterable[Node], after: Iterable[Node]) -> None:
    """Log who came, who is leaving and who has gone."""
    gone = {node.unit_id: node for node in before}
    for node in after:
        was = gone.pop(node.unit_id, None)
        facts = {"node": node.unit_id, "incarnation": node.incarnation}
        if was is None or was.incarnation != node.incarnation:
            logger.info("node.came", extra=facts)
        elif node.draining and not was.draining:
            logger.info("node.leaving", extra=facts)
    for node in gone.values():
        logger.info("node.gone", extra={"node": node.unit_id, "incarnation": node.incarnation})


def _is_of(incarnation: str, data: bytes) -> bool:
    """Whether the node was made by that process, in whichever session."""
    try:
        return decode_node(data).incarnation == incarnation
    except TinyQQError:
        return False


def _name(unit_id: UnitId) -> str:
    return quote(unit_id, safe="")
