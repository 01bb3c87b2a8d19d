"""What the chat client shows of a conversation, under the names that it finds out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from tinyqq.cli import chat_view as view
from tinyqq.cli.chat_files import ShownFiles
from tinyqq.cli.chat_terminal import Terminal
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.chat_view import Names
from tinyqq.client import (
    Change,
    Client,
    Connected,
    Disconnected,
    Event,
    KickedOut,
    Message,
    SendRefused,
)
from tinyqq.errors import TinyQQError, Unauthenticated
from tinyqq.model.ids import ConversationId, GroupId, UserId
from tinyqq.model.message import Kind
from tinyqq.wire.content import decode_content

_ENOUGH_NAMES: Final = 5_000


class ChatScreen:
    """Shows messages and changes as they come. What was shown counts as read.

    Args:
        me: logged in.
        now: the local time, for showing dates.
    """

    def __init__(
        self, *, me: Client, terminal: Terminal, say: ChatTexts, now: Callable[[], datetime]
    ) -> None:
        self.names = Names(me.user_id, say)
        self.files = ShownFiles()
        self.here: ConversationId | None = None
        """The conversation that is open."""
        self.last_own: dict[ConversationId, int] = {}
        """The seq of the user's own last message in each conversation."""
        self._me = me
        self._terminal = terminal
        self._say = say
        self._now = now
        self._is_down = False

    def print(self, text: str) -> None:
        """Show lines."""
        self._terminal.show(text)

    def tell(self, key: str, **fields: object) -> None:
        """Show a text of :class:`ChatTexts`."""
        self.print(self._say(key, **fields))

    def print_all(self, lines: list[str]) -> None:
        """Show lines; where there are none, that there are none."""
        self.print("\n".join(lines) if lines else self._say("say.nothing"))

    @property
    def prompt(self) -> str:
        """What stands before the line that is being typed: the open conversation."""
        return f"{self.names.conversation(self.here)}> " if self.here else "> "

    # ---- what comes ------------------------------------------------------------------------------

    async def show_events(self) -> None:
        """Show what comes until the log-in ends, and why it did."""
        try:
            async for event in self._me.events():
                await self._show(event)
        except KickedOut as error:
            self.tell("link.kicked", reason=error.reason.name)
        except Unauthenticated as error:
            self.tell("link.ended", reason=self._say.reason(error))

    async def _show(self, event: Event) -> None:
        match event:
            case Message():
                await self._show_message(event)
            case Change():
                await self._show_change(event)
            case Connected():
                if self._is_down:  # who moves to another unit is not told: nothing was missing
                    self.tell("link.up")
                self._is_down = False
            case Disconnected():
                self._is_down = True
                self.tell("link.down")
            case SendRefused():
                text = decode_content(event.outgoing.content).text
                reason = self._say.reason(event.error)
                self.tell("message.refused", text=view.clean(text), reason=reason)

    async def _show_message(self, message: Message) -> None:
        if message.is_own:
            self.last_own[message.conversation] = message.seq
        if not (message.is_own and message.conversation == self.here):
            await self.learn(message.sender, message.group_id)
            self.print(self.shown(message))
        await self._me.mark_read(message.conversation, message.seq)

    def shown(self, message: Message) -> str:
        """A message as lines; its file has a number by which it can be saved."""
        number = self.files.number_of(message)
        return view.show_message(message, self.names, self._now(), file_number=number)

    async def _show_change(self, change: Change) -> None:
        for user_id in (change.actor, *change.notice.user_ids[:_ENOUGH_NAMES]):
            await self.learn(user_id, change.group_id)
        if change.kind == Kind.FRIEND_ADDED:
            with contextlib.suppress(TinyQQError):
                await self.learn_names()
        line = self.shown_change(change)
        if line is not None:
            self.print(line)
        await self._me.mark_read(change.conversation, change.seq)

    def shown_change(self, change: Change) -> str | None:
        """A change as a line; None: it is not shown."""
        return view.show_change(change, self.names, self._now())

    # ---- names -----------------------------------------------------------------------------------

    async def learn_names(self) -> None:
        """Read anew how friends and groups are called.

        Raises:
            TinyQQError: the server could not be asked.
        """
        self.names.contacts = {one.user_id: one for one in await self._me.friends.list()}
        self.names.groups = {one.group_id: one for one in await self._me.groups.list()}

    async def learn(self, user_id: UserId, group_id: GroupId | None) -> None:
        """Find out how a user and a group are called; without a name the number is shown."""
        try:
            if group_id is not None and group_id not in self.names.groups:
                self.names.groups[group_id] = await self._me.groups.get(group_id)
            if not self.names.knows(user_id):
                if len(self.names.nicknames) >= _ENOUGH_NAMES:
                    self.names.nicknames.clear()
                profile = await self._me.account.profile(user_id)
                self.names.nicknames[user_id] = profile.nickname
        except TinyQQError:
            self.names.nicknames.setdefault(user_id, "")
