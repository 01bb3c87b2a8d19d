"""The connection to the server, kept up: logging in, coming back, moving, and the end of it."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from random import Random
from typing import Any, Final, Protocol

from tinyqq.client.connection import Connection
from tinyqq.client.dialer import Dialer
from tinyqq.client.retry import Backoff
from tinyqq.client.store import Store
from tinyqq.clock import Clock
from tinyqq.errors import (
    ErrorCode,
    ProtocolError,
    RateLimited,
    TinyQQError,
    Unauthenticated,
    Unavailable,
)
from tinyqq.model.account import KickReason, LoggedIn, LogIn, Resume
from tinyqq.model.connection import GoAway, Kicked
from tinyqq.model.ids import UserId
from tinyqq.wire.packets import PacketType

logger = logging.getLogger(__name__)

REQUEST_TIMEOUT_S: Final = 30.0
_STABLE_S: Final = 10.0
"""A connection that held this long was a good one: the next trouble starts with a short wait."""
_GONE_TIMEOUT_S: Final = 2.0
_NOT_DONE: Final = frozenset({ErrorCode.DRAINING, ErrorCode.BUSY})
"""The server has not even begun with what was asked."""


class KickedOut(Unauthenticated):
    """The server ended the session for good; the client does not come back by itself.

    Two clients that replaced each other would otherwise do so for ever.
    """

    def __init__(self, kicked: Kicked) -> None:
        super().__init__(
            ErrorCode.NOT_LOGGED_IN, reason=kicked.reason.name, device=kicked.device_name
        )
        self.reason: Final = kicked.reason
        """Why, as a :class:`tinyqq.model.account.KickReason`."""


class LinkUser(Protocol):
    """Who is told what becomes of the link. Called in the event loop; must not raise."""

    def on_up(self, connection: Connection, user_id: UserId) -> None:
        """Logged in on a new connection."""
        ...

    def on_down(self, error: TinyQQError) -> None:
        """That connection is gone; the link tries to come back."""
        ...

    def on_push(self, packet_type: PacketType, record: Any) -> None:
        """The server said something that is not about the link itself."""
        ...

    def on_missed(self) -> None:
        """Pushes were lost."""
        ...

    def on_end(self, error: TinyQQError) -> None:
        """The link will not come back."""
        ...


class Link:
    """See the module's docstring.

    Args:
        store: where the device id is and the log-in is kept.
        request_timeout_s: how long an answer is waited for.
        tasks: owns the task that keeps the link up.
        user: is told what happens.
    """

    def __init__(
        self,
        *,
        dialer: Dialer,
        store: Store,
        clock: Clock,
        random: Random,
        tasks: asyncio.TaskGroup,
        user: LinkUser,
        request_timeout_s: float = REQUEST_TIMEOUT_S,
    ) -> None:
        self._dialer = dialer
        self._store = store
        self._clock = clock
        self._random = random
        self._tasks = tasks
        self._user = user
        self._request_timeout_s = request_timeout_s
        saved = store.load()
        self.device_id = saved.device_id
        self.user_id = UserId(0)
        self._token = ""
        self._door: Connection | None = None
        self._door_lock = asyncio.Lock()
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        self._ended: TinyQQError | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._dials = 0
        self._resumed = 0
        """The dial on whose connection a log-in was last asked for by token: those before are being
        left, and what they say of the session itself is about ours."""
        self._leaving: asyncio.TimerHandle | None = None
        self._told: str | None = None
        """To leave now, for this address (empty: wherever the directory says); None: not."""
        self._news = asyncio.Event()

    @property
    def token(self) -> str:
        """What this device logs in by; empty: it is not logged in."""
        return self._token

    # ---- before log-in ---------------------------------------------------------------------------

    async def ask(self, packet_type: PacketType, record: object, *, repeat: bool) -> Any:
        """Ask something that needs no log-in; ``repeat``: again when the connection breaks.

        Raises:
            TinyQQError: what the server answered, or why it cannot be reached.
        """
        deadline_s = self._clock.monotonic() + self._request_timeout_s
        backoff = Backoff(random=self._random)
        tries_left = 1
        async with self._door_lock:
            while True:
                door = await self._open_door()
                try:
                    return await door.request(
                        packet_type, record, timeout_s=self._request_timeout_s
                    )
                except asyncio.CancelledError:
                    door.close()  # what it was asked may come yet, a log-in too
                    raise
                except Unavailable as exc:
                    if exc.code is ErrorCode.TIMED_OUT:
                        door.close()
                    too_late = self._clock.monotonic() + exc.retry_after_s >= deadline_s
                    if too_late or not (exc.code in _NOT_DONE or (repeat and tries_left)):
                        raise
                    error = exc
                finally:
                    if self._connection is not None:
                        door.close()
                if error.code not in _NOT_DONE:
                    tries_left -= 1
                if error.code is ErrorCode.DRAINING:
                    self._dialer.avoid(door)
                    door.close()
                await asyncio.sleep(backoff.next_s(at_least_s=error.retry_after_s))

    async def log_in(self, packet_type: PacketType, request: LogIn | Resume) -> LoggedIn:
        """Log in, and stay so until :meth:`close` or a kick. One at a time.

        Raises:
            TinyQQError: what the server answered, or why it cannot be reached; KickedOut when it
                ended the session in the same breath.
        """
        await self._stop()
        self._told = None
        answer: LoggedIn = await self.ask(packet_type, request, repeat=True)
        assert self._door is not None
        connection, self._door = self._door, None
        if self._ended is not None:
            connection.close()
            raise self._ended
        given = request.token if isinstance(request, Resume) else ""
        self._token = answer.refresh_token or given
        self._store.save_account(answer.user_id, self._token)
        self._resumed = 0
        self._adopt(connection, answer)
        self._keeper = self._tasks.create_task(self._keep(connection))
        return answer

    async def _open_door(self) -> Connection:
        if self._door is None or self._door.is_closed:
            self._door, _ = await self._dial()
        return self._door

    async def _dial(self, first: str = "") -> tuple[Connection, int]:
        """A new connection, and its number."""
        self._dials += 1
        number = self._dials
        connection = await self._dialer.dial(
            on_push=partial(self._on_push, number), on_missed=self._user.on_missed, first=first
        )
        return connection, number

    # ---- logged in -------------------------------------------------------------------------------

    async def call(
        self,
        packet_type: PacketType,
        record: object,
        *,
        repeat: bool = True,
        timeout_s: float | None = None,
    ) -> Any:
        """Ask something as the user who is logged in; waits while the link is down.

        Args:
            repeat: whether the same request may be sent twice: all that only read, and all that
                carry an operation id.
            timeout_s: over all tries; None: as for every answer.

        Raises:
            TinyQQError: what the server answered; Unavailable when that took too long.
        """
        wait_s = self._request_timeout_s if timeout_s is None else timeout_s
        deadline_s = self._clock.monotonic() + wait_s
        backoff = Backoff(random=self._random)
        while True:
            connection = await self._wait_up(deadline_s)
            left_s = deadline_s - self._clock.monotonic()
            try:
                return await connection.request(packet_type, record, timeout_s=left_s)
            except Unavailable as exc:
                pause_s = backoff.next_s(at_least_s=exc.retry_after_s)
                too_late = self._clock.monotonic() + pause_s >= deadline_s
                if not repeat or too_late:
                    raise
            if not connection.is_closed:
                await asyncio.sleep(pause_s)

    async def _wait_up(self, deadline_s: float) -> Connection:
        while True:
            if self._ended is not None:
                raise self._ended
            if self._connection is not None and not self._connection.is_closed:
                return self._connection
            if self._keeper is None:
                raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
            try:
                async with asyncio.timeout(max(0.0, deadline_s - self._clock.monotonic())):
                    await self._changed.wait()
            except TimeoutError as exc:
                raise Unavailable(ErrorCode.CONNECTION_LOST, reason="reconnecting") from exc

    @property
    def connection(self) -> Connection | None:
        """The connection that is logged in; None while there is none."""
        return self._connection

    @property
    def has_ended(self) -> bool:
        """Whether the server has ended the session for good."""
        return self._ended is not None

    def forget(self) -> None:
        """The user has logged out: the token is of no more use."""
        self._token = ""
        self._store.save_account(self.user_id, "")

    async def close(self) -> None:
        """Close everything. Idempotent."""
        await self._stop()
        if self._door is not None:
            self._door.close()
            await self._door.wait_gone(_GONE_TIMEOUT_S)

    # ---- keeping it up ---------------------------------------------------------------------------

    async def _keep(self, connection: Connection) -> None:
        backoff = Backoff(random=self._random)
        while True:
            since_s = self._clock.monotonic()
            moved = await self._stay(connection)
            if self._clock.monotonic() - since_s >= _STABLE_S:
                backoff.reset()
            if moved is None:
                error = await connection.wait_closed()
                self._let_go()
                if self._ended is not None:
                    return
                self._user.on_down(error)
                self._dialer.avoid(connection)
                moved = await self._come_back(error, backoff)
            if moved is None:
                return
            connection = moved

    async def _stay(self, connection: Connection) -> Connection | None:
        """Until the connection is lost (None), or one to another unit has taken its place."""
        connection.when_closed(self._news.set)
        backoff = Backoff(random=self._random)
        while True:
            while self._told is None and not connection.is_closed:
                self._news.clear()
                await self._news.wait()
            url, self._told = self._told, None
            if connection.is_closed:
                return None
            # Served here until it is closed: first the new place, then away from the old one.
            self._dialer.avoid(connection)
            try:
                moved = await self._resume(url or "")
            except TinyQQError as exc:
                logger.info("link.not_moved", extra={"code": exc.code.name})
                pause_s = backoff.next_s(at_least_s=exc.retry_after_s)
                self._leave_after(pause_s, "")
            else:
                connection.close()
                return moved

    async def _come_back(self, error: TinyQQError, backoff: Backoff) -> Connection | None:
        """Try until it works; None: it never will."""
        while True:
            await asyncio.sleep(backoff.next_s(at_least_s=error.retry_after_s))
            try:
                return await self._resume("")
            except (Unavailable, RateLimited) as exc:
                error = exc
            except ProtocolError as exc:
                if exc.code is ErrorCode.VERSION_UNSUPPORTED:
                    self._end(exc)
                    return None
                error = exc
            except TinyQQError as exc:
                if self._ended is None:
                    self.forget()
                    self._end(exc)
                return None

    async def _resume(self, first: str) -> Connection:
        connection, self._resumed = await self._dial(first)
        self._stop_leaving()
        try:
            answer: LoggedIn = await connection.request(
                PacketType.RESUME,
                Resume(self._token, self.device_id),
                timeout_s=self._request_timeout_s,
            )
            if self._ended is not None:
                raise self._ended
        except BaseException as exc:
            connection.close()
            if isinstance(exc, Unavailable) and exc.code is not ErrorCode.BUSY:
                self._dialer.avoid(connection)
            raise
        self._adopt(connection, answer)
        return connection

    def _adopt(self, connection: Connection, answer: LoggedIn) -> None:
        self._connection = connection
        self.user_id = answer.user_id
        self._notify_waiting()
        logger.info("link.up", extra={"user_id": answer.user_id})
        self._user.on_up(connection, answer.user_id)

    def _let_go(self) -> None:
        self._connection = None
        self._stop_leaving()

    def _stop_leaving(self) -> None:
        self._told = None
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _notify_waiting(self) -> None:
        """Wake whoever waits for a change, and whoever comes later waits for the next one."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _on_push(self, dial: int, packet_type: PacketType, record: Any) -> None:
        is_being_left = dial < self._resumed
        match record:
            case GoAway():
                if not is_being_left:
                    self._leave_after(record.after_ms / 1000, record.url)
            case Kicked(reason=KickReason.REPLACED) if is_being_left:
                pass  # by this client itself, which has come in by another door
            case Kicked():
                if record.reason is not KickReason.REPLACED:
                    self.forget()
                self._end(KickedOut(record))
            case _:
                self._user.on_push(packet_type, record)

    def _leave_after(self, delay_s: float, url: str) -> None:
        self._stop_leaving()
        loop = asyncio.get_running_loop()
        self._leaving = loop.call_later(delay_s, self._leave, url)

    def _leave(self, url: str) -> None:
        self._leaving = None
        self._told = url
        self._news.set()

    def _end(self, error: TinyQQError) -> None:
        logger.info("link.ended", extra={"code": error.code.name})
        self._ended = error
        if self._connection is not None:
            self._connection.close()
        self._notify_waiting()
        self._user.on_end(error)

    async def _stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
            self._notify_waiting()
        if self._connection is not None:
            connection = self._connection
            self._let_go()
            connection.close()
            await connection.wait_gone(_GONE_TIMEOUT_S)
        self._ended, self._token = None, ""
