"""The client: log in, send, and take what comes, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from tinyqq import __version__
from tinyqq.client.account import Account
from tinyqq.client.compose import compose
from tinyqq.client.connection import Connection
from tinyqq.client.dialer import Dialer
from tinyqq.client.friends import Friends
from tinyqq.client.groups import Groups
from tinyqq.client.link import REQUEST_TIMEOUT_S, Link
from tinyqq.client.mailbox import Mailbox
from tinyqq.client.messages import Change, Event, Message, to_event
from tinyqq.client.operations import new_operation_id
from tinyqq.client.outbox import Outgoing
from tinyqq.client.store import Store, open_store
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock, SystemClock
from tinyqq.errors import ErrorCode, TinyQQError, Unauthenticated, Unavailable
from tinyqq.model.account import (
    DeviceKind,
    LoggedIn,
    LogIn,
    LogOut,
    Recovered,
    RecoverPassword,
    Register,
    Registered,
    Resume,
)
from tinyqq.model.ids import (
    ConversationId,
    GroupId,
    Seq,
    UserId,
    direct_conversation,
    group_conversation,
)
from tinyqq.model.message import Content, Kind, Recall, Sent, Typing
from tinyqq.model.sync import GetHistory, GetOverview, History, Overview, Summary
from tinyqq.wire.content import encode_content
from tinyqq.wire.packets import PacketType

DEFAULT_URL: Final = "http://127.0.0.1:7080"
SEND_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds: for answers, and for a message's acknowledgement over
    reconnections too."""

    request_s: float = REQUEST_TIMEOUT_S
    send_s: float = SEND_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A piece of the past, oldest first; ``more``: there is an older one."""

    entries: tuple[Message | Change, ...]
    more: bool


class Client:
    """A device that talks to a server for one user.

    ``async with`` opens and closes it; in a notebook ``await me.open()`` and ``await me.close()``.
    With a store that holds a log-in, opening logs in by it.

    Args:
        url: ``http(s)://host:7080``, ``tinyqq(s)://host:7001`` or ``ws(s)://host:7080/ws``.
        store: where to go on from and what to remember: a file's path, or a :class:`Store`. Without
            one, each run starts afresh at what the account has read.
        device_kind: desktop, mobile, web, cli or bot. What a bot is handed counts as read.
        device_name: shown in the list of devices.
        language: BCP 47 tag, for texts that the server writes.
        trust: which certificates to believe.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        store: Store | str | Path | None = None,
        device_kind: DeviceKind | str = DeviceKind.CLI,
        device_name: str = "",
        language: str = "",
        trust: Trust | None = None,
        timeouts: Timeouts | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
    ) -> None:
        self._kind = (
            DeviceKind[device_kind.upper()] if isinstance(device_kind, str) else device_kind
        )
        self._device_name = device_name
        self._url = url
        self._language = language
        self._trust = trust or Trust()
        self._timeouts = timeouts or Timeouts()
        self._clock: Clock = clock or SystemClock()
        self._random = random or Random()
        self._store_name = store
        self._tasks: asyncio.TaskGroup | None = None
        self._mailbox: Mailbox | None = None
        self.friends: Final = Friends(self._call)
        """Friends, requests, blocks."""
        self.groups: Final = Groups(self._call)
        """Groups and members."""
        self.account: Final = Account(self._call, me=lambda: self.user_id)
        """Profile, devices, password."""

    # ---- opening and closing ---------------------------------------------------------------------

    async def open(self) -> None:
        """Start; log in by the store's token if there is one.

        Raises:
            Unavailable: there is a token, and the server cannot be reached.
        """
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._store = open_store(self._store_name)
        dialer = Dialer(
            url=self._url,
            trust=self._trust,
            clock=self._clock,
            random=self._random,
            tasks=self._tasks,
            agent=f"tinyqq-python/{__version__}",
            language=self._language,
        )
        self._link = Link(
            dialer=dialer,
            store=self._store,
            clock=self._clock,
            random=self._random,
            tasks=self._tasks,
            user=self,
        )
        saved = self._store.load()
        if saved.refresh_token:
            try:
                await self.login(token=saved.refresh_token)
            except Unauthenticated:
                self._store.save_account(saved.user_id, "")
            except BaseException:
                await self.close()
                raise

    async def close(self) -> None:
        """Tell the server how far things got, and stop. Unacknowledged messages stay in the store.
        Idempotent."""
        if self._tasks is None:
            return
        self._end_mailbox(None)
        await self._link.close()
        # Not handed the program's exception: the group would wrap it.
        tasks, self._tasks = self._tasks, None
        await tasks.__aexit__(None, None, None)
        self._store.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    # ---- coming in -------------------------------------------------------------------------------

    @property
    def user_id(self) -> UserId:
        """Your number; 0 before the first log-in."""
        return self._link.user_id

    async def register(self, nickname: str, password: str, *, invite_code: str = "") -> Registered:
        """Make an account; log in with its number next. Keep the recovery code."""
        request = Register(new_operation_id(), nickname, password, invite_code)
        registered: Registered = await self._link.ask(PacketType.REGISTER, request, repeat=True)
        return registered

    async def login(self, user_id: int = 0, password: str = "", *, token: str = "") -> LoggedIn:
        """Log in by number and password, or by a token; who was logged in here is so no more.

        Raises:
            TinyQQError: Unauthenticated when the server does not believe it; Unavailable when the
                server cannot be reached.
        """
        self._end_mailbox(None)
        if token:
            return await self._link.log_in(PacketType.RESUME, Resume(token, self._link.device_id))
        return await self._link.log_in(
            PacketType.LOG_IN,
            LogIn(UserId(user_id), password, self._link.device_id, self._kind, self._device_name),
        )

    async def log_out(self) -> None:
        """Log out and forget the token; the stream ends."""
        await self._call(PacketType.LOG_OUT, LogOut(), repeat=False)
        self._link.forget()
        self._end_mailbox(None)
        await self._link.close()

    async def recover_password(
        self, user_id: int, recovery_code: str, new_password: str
    ) -> Recovered:
        """Set a new password by the recovery code; the answer holds the next code."""
        request = RecoverPassword(UserId(user_id), recovery_code, new_password)
        recovered: Recovered = await self._link.ask(
            PacketType.RECOVER_PASSWORD, request, repeat=False
        )
        return recovered

    # ---- sending ---------------------------------------------------------------------------------

    async def send(
        self,
        user_id: int,
        content: str | Content,
        *,
        kind: int = Kind.TEXT,
        reply_to: Message | None = None,
    ) -> Sent:
        """Write to a user; to your own number: a note to yourself. See :meth:`send_to`."""
        return await self.send_to(
            self.conversation_with(user_id), content, kind=kind, reply_to=reply_to
        )

    async def send_group(
        self,
        group_id: int,
        content: str | Content,
        *,
        kind: int = Kind.TEXT,
        reply_to: Message | None = None,
        mentions: Iterable[int] = (),
        mentions_all: bool = False,
    ) -> Sent:
        """Write into a group, mentioning members or (admins) all. See :meth:`send_to`."""
        full = compose(content, mentions=mentions, mentions_all=mentions_all)
        return await self.send_to(
            group_conversation(GroupId(group_id)), full, kind=kind, reply_to=reply_to
        )

    async def send_to(
        self,
        conversation_id: ConversationId,
        content: str | Content,
        *,
        kind: int = Kind.TEXT,
        reply_to: Message | None = None,
    ) -> Sent:
        """Write into a conversation, and wait until the server has it on disk.

        A message is there once, or (refused) not at all, whatever happens to the connection. Those
        of one conversation keep the order of the calls.

        Raises:
            TinyQQError: the server refused it; Unavailable TIMED_OUT: it is still in the outbox and
                goes out when it can; Unavailable BUSY: the outbox is full.
        """
        outgoing = Outgoing(
            conversation_id,
            new_operation_id(),
            kind,
            encode_content(compose(content, reply_to=reply_to)),
        )
        mailbox = self._get_mailbox()
        return await mailbox.sender.send(outgoing, timeout_s=self._timeouts.send_s)

    async def recall(self, conversation_id: ConversationId, seq: int) -> None:
        """Take a message back, for everybody."""
        request = Recall(new_operation_id(), conversation_id, Seq(seq))
        await self._call(PacketType.RECALL, request)

    def typing(self, user_id: int) -> None:
        """Tell a friend that you are typing; nothing happens while there is no connection."""
        connection = self._link.connection
        if connection is not None:
            notice = Typing(self.conversation_with(user_id))
            connection.notify(PacketType.TYPING, notice)

    # ---- what comes ------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[Event]:
        """All that happens, as it happens, each once: messages (your own too, when they are
        committed), changes, and hints about people and the connection.

        What was missed since the last time comes first, every conversation in its order. Ends when
        the client is closed or logged out.

        Raises:
            KickedOut: the server ended the session for good.
            TinyQQError: the log-in is no longer good.
        """
        mailbox = self._get_mailbox()
        while True:
            try:
                event = await mailbox.take()
            except StopAsyncIteration:
                return
            yield event

    async def messages(self, *, own: bool = False) -> AsyncIterator[Message]:
        """What others write; ``own``: and what you do, here and on other devices. A filter over
        :meth:`events`, without messages that were recalled before they came."""
        async for event in self.events():
            if (
                isinstance(event, Message)
                and (own or not event.is_own)
                and event.kind != Kind.RECALLED
            ):
                yield event

    async def wait_synced(self) -> None:
        """Wait until all that was missed has arrived; :meth:`events` has it ready then, or more of
        it than it holds at once."""
        await self._get_mailbox().wait_synced()

    async def mark_read(self, conversation_id: ConversationId, seq: Seq | None = None) -> None:
        """Say that a conversation was read, up to *seq* or all that was handed out."""
        self._get_mailbox().mark_read(conversation_id, seq)

    async def conversations(self) -> tuple[Summary, ...]:
        """The conversation list, by conversation id."""
        found: tuple[Summary, ...] = ()
        after = ConversationId(0)
        while True:
            page: Overview = await self._call(
                PacketType.GET_OVERVIEW, GetOverview(after_conversation_id=after)
            )
            found += page.conversations
            if not page.more or not page.conversations:
                return found
            after = page.conversations[-1].conversation_id

    async def history(
        self, conversation_id: ConversationId, *, before: int = 0, limit: int = 50
    ) -> HistoryPage:
        """The last *limit* messages (≤ 500) before a seq (0: the newest), and the changes
        between."""
        request = GetHistory(conversation_id, Seq(before), limit)
        page: History = await self._call(PacketType.GET_HISTORY, request)
        self._get_mailbox().arrived(page.entries)
        return HistoryPage(tuple(to_event(entry, self) for entry in page.entries), page.more)

    def conversation_with(self, user_id: int) -> ConversationId:
        """The conversation of you and another user (a group's is its number)."""
        return direct_conversation(self.user_id, UserId(user_id))

    # ---- for the link (tinyqq.client.link.LinkUser) ----------------------------------------------

    def on_up(self, connection: Connection, user_id: UserId) -> None:
        if self._mailbox is None:
            assert self._tasks is not None
            self._mailbox = Mailbox(
                user_id=user_id,
                store=self._store,
                random=self._random,
                tasks=self._tasks,
                call=self._call,
                desk=self,
                reads_at_once=self._kind is DeviceKind.BOT,
            )
        self._mailbox.on_up(connection)

    def on_down(self, error: TinyQQError) -> None:
        if self._mailbox is not None:
            self._mailbox.on_down(error)

    def on_push(self, packet_type: PacketType, record: Any) -> None:
        if self._mailbox is not None:
            self._mailbox.on_push(record)

    def on_missed(self) -> None:
        if self._mailbox is not None:
            self._mailbox.catch_up()

    def on_end(self, error: TinyQQError) -> None:
        if self._mailbox is not None:
            self._mailbox.end(error, refusal=error)

    # ---- inside ----------------------------------------------------------------------------------

    async def _call(self, packet_type: PacketType, record: object, *, repeat: bool = True) -> Any:
        answer = await self._link.call(
            packet_type, record, repeat=repeat, timeout_s=self._timeouts.request_s
        )
        if packet_type is PacketType.CHANGE_PASSWORD and self._mailbox is not None:
            # Until a password that must be changed is changed, the overview is refused.
            self._mailbox.catch_up()
        return answer

    def _get_mailbox(self) -> Mailbox:
        if self._mailbox is None:
            raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
        return self._mailbox

    def _end_mailbox(self, error: TinyQQError | None) -> None:
        if self._mailbox is not None:
            self._mailbox.flush()
            self._mailbox.end(
                error, refusal=Unavailable(ErrorCode.CONNECTION_LOST, reason="closed")
            )
            self._mailbox = None
