"""The client: log in, send, and take what comes, whatever becomes of the connection meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final, Self

from tinyqq.client import voice
from tinyqq.client.account import Account
from tinyqq.client.compose import compose, encode_sendable
from tinyqq.client.friends import Friends
from tinyqq.client.groups import Groups
from tinyqq.client.link import REQUEST_TIMEOUT_S
from tinyqq.client.media import Media, Progress, Source, read_source
from tinyqq.client.messages import Change, Event, Message, to_event
from tinyqq.client.operations import new_operation_id
from tinyqq.client.outbox import Outgoing
from tinyqq.client.session import Session
from tinyqq.client.store import Store
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock, SystemClock
from tinyqq.errors import ErrorCode, InvalidRequest, Unauthenticated
from tinyqq.model.account import (
    DeviceKind,
    LoggedIn,
    LogIn,
    Recovered,
    RecoverPassword,
    Register,
    Registered,
    Resume,
)
from tinyqq.model.ids import (
    FIRST_NUMBER,
    MAX_USER_ID,
    ConversationId,
    GroupId,
    Seq,
    UserId,
    direct_conversation,
    group_conversation,
)
from tinyqq.model.message import Content, Kind, Recall, Sent, Typing
from tinyqq.model.sync import GetHistory, GetOverview, History, Overview, Summary
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
        self._timeouts = timeouts or Timeouts()
        self._session = Session(
            url=url,
            store=store,
            desk=self,
            reads_at_once=self._kind is DeviceKind.BOT,
            language=language,
            trust=trust or Trust(),
            request_timeout_s=self._timeouts.request_s,
            clock=clock or SystemClock(),
            random=random or Random(),
        )
        call = self._session.call
        self.friends: Final = Friends(call)
        """Friends, requests, blocks."""
        self.groups: Final = Groups(call)
        """Groups and members."""
        self.account: Final = Account(call, me=lambda: self.user_id)
        """Profile, devices, password."""
        self.media: Final = Media(self._session.http, random=random or Random())
        """Files and pictures."""

    # ---- opening and closing ---------------------------------------------------------------------

    async def open(self) -> None:
        """Start; log in by the store's token if there is one.

        Raises:
            Unavailable: there is a token, and the server cannot be reached.
        """
        await self._session.open()

    async def close(self) -> None:
        """Tell the server how far things got, and stop. Unacknowledged messages stay in the store.
        Idempotent."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ---- coming in -------------------------------------------------------------------------------

    @property
    def user_id(self) -> UserId:
        """Your number; 0 before the first log-in."""
        return self._session.user_id

    async def register(self, nickname: str, password: str, *, invite_code: str = "") -> Registered:
        """Make an account; log in with its number next. Keep the recovery code: it is told once.

        Raises:
            InvalidRequest: BAD_NICKNAME, WEAK_PASSWORD or BAD_INVITE_CODE.
            Forbidden: REGISTRATION_CLOSED.
            RateLimited: TOO_MANY_REGISTRATIONS.
        """
        request = Register(new_operation_id(), nickname, password, invite_code)
        registered: Registered = await self._session.ask(PacketType.REGISTER, request, repeat=True)
        return registered

    async def login(self, user_id: int = 0, password: str = "", *, token: str = "") -> LoggedIn:
        """Log in by number and password, or by a token; who was logged in here is so no more.

        Raises:
            TinyQQError: Unauthenticated when the server does not believe it; Unavailable when the
                server cannot be reached.
        """
        device_id = self._session.device_id
        if token:
            return await self._session.log_in(PacketType.RESUME, Resume(token, device_id))
        request = LogIn(UserId(user_id), password, device_id, self._kind, self._device_name)
        return await self._session.log_in(PacketType.LOG_IN, request)

    async def log_out(self) -> None:
        """Log out and forget the token; the stream ends at once.

        Raises:
            Unavailable: the server could not be asked; the token is kept.
        """
        await self._session.log_out()

    async def recover_password(
        self, user_id: int, recovery_code: str, new_password: str
    ) -> Recovered:
        """Set a new password by the recovery code; the answer holds the next code, and every
        device is logged out.

        Raises:
            Unauthenticated: BAD_RECOVERY_CODE.
            Unavailable: CONNECTION_LOST: nobody knows whether it was done, for a code works once.
        """
        request = RecoverPassword(UserId(user_id), recovery_code, new_password)
        recovered: Recovered = await self._session.ask(
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
        body = encode_sendable(conversation_id, kind, compose(content, reply_to=reply_to))
        outgoing = Outgoing(conversation_id, new_operation_id(), kind, body)
        mailbox = self._session.mailbox
        return await mailbox.sender.send(outgoing, timeout_s=self._timeouts.send_s)

    async def send_image(
        self,
        user_id: int,
        source: Source,
        *,
        name: str = "",
        on_progress: Progress | None = None,
    ) -> Sent:
        """Send a picture (PNG, JPEG, GIF or WebP) to a user. See :meth:`send_media_to`.

        What it tells of place, time and maker stays here; :meth:`send_file` sends it as it is.
        """
        place = self.conversation_with(user_id)
        return await self.send_media_to(
            place, source, kind=Kind.IMAGE, name=name, on_progress=on_progress
        )

    async def send_file(
        self,
        user_id: int,
        source: Source,
        *,
        name: str = "",
        on_progress: Progress | None = None,
    ) -> Sent:
        """Send a file to a user. See :meth:`send_media_to`."""
        place = self.conversation_with(user_id)
        return await self.send_media_to(place, source, name=name, on_progress=on_progress)

    async def send_voice(
        self, user_id: int, source: Source, *, duration_ms: int = 0, name: str = ""
    ) -> Sent:
        """Send a recording to a user, to be heard in place.

        Args:
            duration_ms: how long it takes; 0: as the file says, a WAV or Ogg.

        Raises:
            InvalidRequest: BAD_MEDIA: of other kinds of files it must be said.
            TinyQQError: as :meth:`send_media_to`.
        """
        place = self.conversation_with(user_id)
        recording = source if isinstance(source, bytes) else await read_source(source)
        duration_ms = duration_ms or voice.duration_ms(recording)
        if duration_ms <= 0:
            raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="duration_ms must be said")
        name = name or ("" if isinstance(source, bytes) else Path(source).name)
        media = await self.media.upload(recording, name=name)
        content = Content(media.name, media=replace(media, duration_ms=duration_ms))
        return await self.send_to(place, content, kind=Kind.VOICE)

    async def send_media_to(
        self,
        conversation_id: ConversationId,
        source: Source,
        *,
        kind: int = Kind.FILE,
        name: str = "",
        on_progress: Progress | None = None,
    ) -> Sent:
        """Send a file up, then a message that refers to it (a group's conversation is its number).

        Args:
            source: a path, or the bytes themselves.
            kind: IMAGE, FILE or VOICE.
            on_progress: told how many bytes of how many are there.

        Raises:
            TinyQQError: as :meth:`Media.upload` and :meth:`send_to`.
        """
        media = await self.media.upload(
            source, name=name, as_picture=kind == Kind.IMAGE, on_progress=on_progress
        )
        return await self.send_to(conversation_id, Content(media.name, media=media), kind=kind)

    async def recall(self, conversation_id: ConversationId, seq: int) -> None:
        """Take a message back, for everybody.

        Raises:
            Forbidden: RECALL_TOO_LATE after two minutes, NOT_YOUR_MESSAGE; an admin
                may, of members below.
            NotFound: MESSAGE_NOT_FOUND, also when it was taken back already.
        """
        request = Recall(new_operation_id(), conversation_id, Seq(seq))
        await self._session.call(PacketType.RECALL, request)

    def typing(self, user_id: int) -> None:
        """Tell a friend that you are typing, who is told once a second at most; nothing happens
        while there is no connection."""
        connection = self._session.connection
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
        mailbox = self._session.mailbox
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
        it than it holds at once.

        Raises:
            TinyQQError: the client was closed or logged out before.
        """
        await self._session.mailbox.wait_synced()

    async def mark_read(self, conversation_id: ConversationId, seq: Seq | None = None) -> None:
        """Say that a conversation was read, up to *seq* or all that was handed out; backwards has
        no effect. Returns before the server knows: it is told within 0.2 s, or after the next
        log-in.

        Raises:
            InvalidRequest: there can be no such conversation, or no such entry in it.
        """
        self._session.mailbox.mark_read(conversation_id, seq)

    async def conversations(self) -> tuple[Summary, ...]:
        """The conversation list, by conversation id."""
        found: tuple[Summary, ...] = ()
        after = ConversationId(0)
        while True:
            page: Overview = await self._session.call(
                PacketType.GET_OVERVIEW, GetOverview(after_conversation_id=after)
            )
            found += page.conversations
            if not page.more or not page.conversations:
                return found
            after = page.conversations[-1].conversation_id

    async def history(
        self, conversation_id: ConversationId, *, before: int = 0, limit: int = 50
    ) -> HistoryPage:
        """The last *limit* messages (1–500) before a seq (0: the newest), and the changes between.
        What is newer than what :meth:`events` has handed out comes there too.

        Raises:
            InvalidRequest: PAGE_TOO_LARGE.
            Forbidden: NOT_A_MEMBER: it is not yours to read.
        """
        request = GetHistory(conversation_id, Seq(before), limit)
        page: History = await self._session.call(PacketType.GET_HISTORY, request)
        self._session.mailbox.arrived(page.entries)
        return HistoryPage(tuple(to_event(entry, self) for entry in page.entries), page.more)

    def conversation_with(self, user_id: int) -> ConversationId:
        """The conversation of you and another user (a group's is its number).

        Raises:
            InvalidRequest: BAD_CONVERSATION: nobody can have this number.
            Unauthenticated: you have none yet.
        """
        if not self.user_id:
            raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
        if not FIRST_NUMBER <= user_id <= MAX_USER_ID:
            raise InvalidRequest(ErrorCode.BAD_CONVERSATION, user_id=user_id)
        return direct_conversation(self.user_id, UserId(user_id))
