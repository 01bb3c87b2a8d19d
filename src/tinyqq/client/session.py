"""A client's life on a server: the link, and the mailbox of whoever is logged in on it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

from tinyqq import __version__
from tinyqq.client.addresses import Directory, parse_url
from tinyqq.client.connection import Connection
from tinyqq.client.dialer import Dialer
from tinyqq.client.link import Link
from tinyqq.client.mailbox import Mailbox
from tinyqq.client.media_http import Credentials, MediaHttp
from tinyqq.client.messages import Desk
from tinyqq.client.store import Store, open_store
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.account import LoggedIn, LogIn, LogOut, Resume
from tinyqq.model.ids import DeviceId, UserId
from tinyqq.wire.packets import PacketType


class Session:
    """See the module's docstring. It is what the link tells what becomes of it
    (:class:`tinyqq.client.link.LinkUser`).

    Args:
        store: what :func:`tinyqq.client.store.open_store` takes; opened and closed here.
        desk: what messages ask of their client.
        reads_at_once: whether handing out a message is reading it.
    """

    def __init__(
        self,
        *,
        url: str,
        store: Store | str | Path | None,
        desk: Desk,
        reads_at_once: bool,
        language: str,
        trust: Trust,
        request_timeout_s: float,
        clock: Clock,
        random: Random,
    ) -> None:
        parse_url(url)  # a wrong address is refused before anything is opened
        self._url = url
        self._store_name = store
        self._desk = desk
        self._reads_at_once = reads_at_once
        self._language = language
        self._trust = trust
        self._request_timeout_s = request_timeout_s
        self._clock = clock
        self._random = random
        self._tasks: asyncio.TaskGroup | None = None
        self._link: Link | None = None
        self._mailbox: Mailbox | None = None
        self._is_logging_out = False
        self._log_in_lock = asyncio.Lock()
        self._dialer: Dialer | None = None
        self.http = MediaHttp(
            place=lambda: self._http_place, credentials=self._credentials, trust=trust, clock=clock
        )
        """Asks over HTTP, as the user who is logged in."""

    # ---- opening and closing ---------------------------------------------------------------------

    async def open(self) -> None:
        """Start; log in by the store's token if there is one. See :meth:`Client.open`."""
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._store = open_store(self._store_name)
        self._dialer = Dialer(
            url=self._url,
            trust=self._trust,
            clock=self._clock,
            random=self._random,
            tasks=self._tasks,
            agent=f"tinyqq-python/{__version__}",
            language=self._language,
        )
        self._link = Link(
            dialer=self._dialer,
            store=self._store,
            clock=self._clock,
            random=self._random,
            tasks=self._tasks,
            user=self,
            request_timeout_s=self._request_timeout_s,
        )
        saved = self._store.load()
        if not saved.refresh_token:
            return
        try:
            await self.log_in(PacketType.RESUME, Resume(saved.refresh_token, saved.device_id))
        except Unauthenticated:
            self._store.save_account(saved.user_id, "")
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Tell the server how far things got, and stop. Idempotent."""
        tasks = self._tasks
        if tasks is None or self._link is None:
            return
        self._end_mailbox()
        await self._link.close()
        if self._tasks is not tasks:
            return  # somebody else closes it too, and was faster
        self._tasks = None
        # Not handed the program's exception: the group would wrap it.
        await tasks.__aexit__(None, None, None)
        self._store.close()

    # ---- asking ----------------------------------------------------------------------------------

    async def ask(self, packet_type: PacketType, record: object, *, repeat: bool) -> Any:
        """Ask something that needs no log-in; see :meth:`Link.ask`."""
        return await self._get_link().ask(packet_type, record, repeat=repeat)

    async def call(self, packet_type: PacketType, record: object, *, repeat: bool = True) -> Any:
        """Ask something as the user who is logged in; see :meth:`Link.call`."""
        answer = await self._get_link().call(packet_type, record, repeat=repeat)
        if packet_type is PacketType.CHANGE_PASSWORD and self._mailbox is not None:
            # Until a password that must be changed is changed, the overview is refused.
            self._mailbox.catch_up()
        return answer

    async def log_in(self, packet_type: PacketType, request: LogIn | Resume) -> LoggedIn:
        """Log in; whoever was logged in is so no more."""
        async with self._log_in_lock:
            self._end_mailbox()
            return await self._get_link().log_in(packet_type, request)

    async def log_out(self) -> None:
        """Log out and forget the token."""
        link = self._get_link()
        self._is_logging_out = True
        try:
            await self.call(PacketType.LOG_OUT, LogOut(), repeat=False)
        except TinyQQError:
            if not link.has_ended:  # a kick that came before the answer is an answer too
                raise
        finally:
            self._is_logging_out = False
        link.forget()
        self._end_mailbox()
        await link.close()

    # ---- what there is ---------------------------------------------------------------------------

    @property
    def user_id(self) -> UserId:
        """Who is logged in, or was last; 0: nobody yet."""
        return self._link.user_id if self._link is not None else UserId(0)

    @property
    def device_id(self) -> DeviceId:
        """This device's id."""
        return self._get_link().device_id

    @property
    def connection(self) -> Connection | None:
        """The connection that is logged in; None while there is none."""
        return self._get_link().connection

    @property
    def mailbox(self) -> Mailbox:
        """Of the user who is logged in.

        Raises:
            Unauthenticated: nobody is.
        """
        if self._mailbox is None:
            raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
        return self._mailbox

    @property
    def _http_place(self) -> Directory:
        if self._dialer is None:
            raise RuntimeError("the client is not open: async with Client(...) as me")
        return self._dialer.http_place

    def _credentials(self) -> Credentials:
        link = self._get_link()
        if not link.token:
            raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
        return Credentials(link.token, link.device_id)

    # ---- for the link ----------------------------------------------------------------------------

    def on_up(self, connection: Connection, user_id: UserId) -> None:
        """Logged in on a new connection."""
        if self._mailbox is None:
            assert self._tasks is not None
            self._mailbox = Mailbox(
                user_id=user_id,
                store=self._store,
                random=self._random,
                tasks=self._tasks,
                call=self.call,
                desk=self._desk,
                reads_at_once=self._reads_at_once,
            )
        self._mailbox.on_up(connection)

    def on_down(self, error: TinyQQError) -> None:
        """That connection is gone."""
        if self._mailbox is not None:
            self._mailbox.on_down(error)

    def on_push(self, packet_type: PacketType, record: Any) -> None:
        """The server said something."""
        if self._mailbox is not None:
            self._mailbox.on_push(record)

    def on_missed(self) -> None:
        """Pushes were lost."""
        if self._mailbox is not None:
            self._mailbox.catch_up()

    def on_end(self, error: TinyQQError) -> None:
        """The link will not come back."""
        if self._mailbox is not None:
            self._mailbox.end(None if self._is_logging_out else error, refusal=error)

    # ---- inside ----------------------------------------------------------------------------------

    def _get_link(self) -> Link:
        if self._link is None:
            raise RuntimeError("the client is not open: async with Client(...) as me")
        return self._link

    def _end_mailbox(self) -> None:
        if self._mailbox is not None:
            self._mailbox.flush()
            refusal = Unavailable(ErrorCode.CONNECTION_LOST, reason="closed")
            self._mailbox.end(None, refusal=refusal)
            self._mailbox = None
