"""The chat client's commands: one method each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from tinyqq.cli import chat_view as view
from tinyqq.cli.chat_files import path_of, shown_size
from tinyqq.cli.chat_screen import ChatScreen
from tinyqq.cli.chat_terminal import Terminal
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.chat_view import Command
from tinyqq.client import Client, Message
from tinyqq.errors import ErrorCode, NotFound, TinyQQError
from tinyqq.model.ids import (
    ConversationId,
    ConversationType,
    GroupId,
    UserId,
    conversation_type,
    group_conversation,
    peer_of,
)
from tinyqq.model.message import Kind

HISTORY_MESSAGES: Final = 20
SYNC_TIMEOUT_S: Final = 10.0

Handler = Callable[[Command], Awaitable[None]]


class Chat:
    """One user's session at a terminal.

    Args:
        me: logged in.
        now: the local time, for showing dates.
    """

    def __init__(
        self,
        *,
        me: Client,
        terminal: Terminal,
        say: ChatTexts,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._me = me
        self._terminal = terminal
        self._say = say
        self._now = now
        self._screen = ChatScreen(me=me, terminal=terminal, say=say, now=now)
        self._names = self._screen.names
        self._recalled: dict[ConversationId, int] = {}
        self._next_files = ""
        self._handlers: dict[str, Handler] = {
            "help": self._help,
            "list": self._list,
            "open": self._open,
            "g": self._open_group,
            "add": self._add,
            "accept": self._accept,
            "decline": self._decline,
            "friends": self._friends,
            "groups": self._groups,
            "create": self._create,
            "join": self._join,
            "invite": self._invite,
            "invitations": self._invitations,
            "refuse": self._refuse,
            "leave": self._leave,
            "history": self._history,
            "recall": self._recall,
            "who": self._who,
            "image": self._send_image,
            "file": self._send_file,
            "save": self._save,
            "files": self._list_files,
            "delete": self._delete_file,
        }

    # ---- running ---------------------------------------------------------------------------------

    async def run(self) -> bool:
        """Talk until the user leaves (True) or the log-in ends (False)."""
        with contextlib.suppress(TinyQQError):  # whoever reads the events is told
            await self._screen.learn_names()
        async with asyncio.TaskGroup() as tasks:
            shown = tasks.create_task(self._screen.show_events())
            typed = tasks.create_task(self._read_lines())
            await asyncio.wait([shown, typed], return_when=asyncio.FIRST_COMPLETED)
            by_user = typed.done()
            shown.cancel()
            typed.cancel()
        return by_user

    async def _read_lines(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SYNC_TIMEOUT_S):
                await self._me.wait_synced()  # what was missed comes before the first prompt
        while True:
            line = await self._terminal.read_line(self._screen.prompt)
            if line is None:
                return
            command = view.parse_line(line)
            if isinstance(command, Command) and command.name in {"quit", "q", "exit"}:
                return
            try:
                await self._do(command)
            except TinyQQError as error:
                self._screen.print(self._say.reason(error))

    async def _do(self, command: Command | str) -> None:
        if isinstance(command, str):
            if command:
                await self._send(command)
            return
        handler = self._handlers.get(command.name)
        if handler is None:
            self._screen.tell("say.unknown", name=view.clean(command.name))
        else:
            await handler(command)

    # ---- talking ---------------------------------------------------------------------------------

    async def _send(self, text: str) -> None:
        if self._screen.here is None:
            self._screen.tell("say.nowhere")
            return
        sent = await self._me.send_to(self._screen.here, text)
        self._screen.last_own[self._screen.here] = sent.seq

    async def _send_image(self, command: Command) -> None:
        await self._send_media(command, Kind.IMAGE)

    async def _send_file(self, command: Command) -> None:
        await self._send_media(command, Kind.FILE)

    async def _send_media(self, command: Command, kind: Kind) -> None:
        if self._screen.here is None:
            self._screen.tell("say.nowhere")
        elif not command.argument:
            self._screen.tell("say.path", name=command.name)
        else:
            try:
                sent = await self._me.send_media_to(
                    self._screen.here, path_of(command.argument), kind=kind
                )
            except OSError as error:
                self._print_os_error(command.argument, error)
            else:
                self._screen.last_own[self._screen.here] = sent.seq
                self._screen.tell("say.done")

    async def _save(self, command: Command) -> None:
        number, place = command.number()
        media = self._screen.files.find(number)
        if media is None:
            self._screen.tell("say.no_file", number=number or command.argument)
            return
        try:
            path = await self._me.media.download(media, path_of(place or "."))
        except OSError as error:
            self._print_os_error(place, error)
        else:
            self._screen.tell("say.saved", path=view.clean(str(path)))

    async def _list_files(self, command: Command) -> None:
        page = await self._me.media.list_files(after=self._next_files if command.argument else "")
        self._next_files = page.next
        quota = shown_size(page.quota_bytes) if page.quota_bytes else "∞"
        self._screen.tell("say.storage", used=shown_size(page.used_bytes), quota=quota)
        for one in page.files:
            number = self._screen.files.take(one.media)
            self._screen.print(view.show_stored(one, self._now(), file_number=number))
        if page.next:
            self._screen.tell("say.more_files")

    async def _delete_file(self, command: Command) -> None:
        number, _ = command.number()
        media = self._screen.files.find(number)
        if media is None:
            self._screen.tell("say.no_file", number=number or command.argument)
            return
        await self._me.media.delete(media)
        self._screen.tell("say.done")

    def _print_os_error(self, path: str, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        self._screen.tell("say.bad_file", path=view.clean(path), reason=reason)

    async def _recall(self, command: Command) -> None:
        here = self._screen.here
        seq = self._screen.last_own.get(here, 0) if here else 0
        if here is None or seq <= self._recalled.get(here, 0):
            self._screen.tell("say.nothing_to_recall")
            return
        await self._me.recall(here, seq)
        self._recalled[here] = seq

    async def _history(self, command: Command) -> None:
        if self._screen.here is None:
            self._screen.tell("say.nowhere")
            return
        page = await self._me.history(self._screen.here, limit=HISTORY_MESSAGES)
        # Among one's notes, what one was told of: shown when it came, and no note.
        are_notes = conversation_type(self._screen.here) is ConversationType.OWN
        lines = []
        for entry in page.entries:
            if isinstance(entry, Message):
                await self._screen.learn(entry.sender, entry.group_id)
                lines.append(self._screen.shown(entry))
            elif not are_notes and (line := self._screen.shown_change(entry)) is not None:
                lines.append(line)
        self._screen.print_all(lines)

    async def _open(self, command: Command) -> None:
        user_id = self._number(command)
        if user_id:
            await self._screen.learn(UserId(user_id), None)
            self._screen.here = self._me.conversation_with(user_id)
            self._screen.tell("say.open", name=self._names.conversation(self._screen.here))

    async def _open_group(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            self._names.groups[GroupId(group_id)] = await self._me.groups.get(group_id)
            self._screen.here = group_conversation(GroupId(group_id))
            self._screen.tell("say.open", name=self._names.conversation(self._screen.here))

    async def _list(self, command: Command) -> None:
        summaries = await self._me.conversations()
        for one in summaries:
            if conversation_type(one.conversation_id) is ConversationType.DIRECT:
                await self._screen.learn(peer_of(one.conversation_id, self._me.user_id), None)
        self._screen.print_all([view.show_summary(one, self._names) for one in summaries])

    # ---- people ----------------------------------------------------------------------------------

    async def _friends(self, command: Command) -> None:
        await self._screen.learn_names()
        contacts = self._names.contacts.values()
        self._screen.print_all([view.show_contact(one, self._names) for one in contacts])

    async def _add(self, command: Command) -> None:
        user_id = self._number(command)
        if user_id:
            await self._me.friends.request(user_id, command.number()[1])
            await self._screen.learn(UserId(user_id), None)
            self._screen.tell("say.asked", name=self._names.user(UserId(user_id)))

    async def _accept(self, command: Command) -> None:
        await self._answer(command, accept=True)

    async def _decline(self, command: Command) -> None:
        await self._answer(command, accept=False)

    async def _answer(self, command: Command, *, accept: bool) -> None:
        """Answer a request: to join the group that is open, if there is one; else of friendship."""
        user_id = self._number(command)
        if not user_id:
            return
        group_id = self._group_here()
        if group_id is not None:
            try:
                await self._me.groups.answer(group_id, user_id, accept=accept)
            except NotFound as error:
                if error.code is not ErrorCode.REQUEST_NOT_FOUND:
                    raise
            else:
                self._screen.tell("say.done")
                return
        await (self._me.friends.accept if accept else self._me.friends.decline)(user_id)
        self._screen.tell("say.done")

    # ---- groups ----------------------------------------------------------------------------------

    async def _groups(self, command: Command) -> None:
        await self._screen.learn_names()
        groups = self._names.groups.values()
        self._screen.print_all([view.show_group(one, self._names) for one in groups])

    async def _create(self, command: Command) -> None:
        if not command.argument:
            self._screen.tell("say.name", name=command.name)
            return
        group_id = await self._me.groups.create(command.argument)
        self._screen.tell("say.created", group_id=group_id)
        await self._open_group(Command("g", str(group_id)))

    async def _join(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            joined = await self._me.groups.join(group_id, command.number()[1])
            self._screen.tell("say.done" if joined else "say.waiting")

    async def _invite(self, command: Command) -> None:
        group_id, user_id = self._group_here(), self._number(command)
        if group_id is None:
            self._screen.tell("say.no_group")
        elif user_id:
            await self._me.groups.invite(group_id, user_id)
            self._screen.tell("say.done")

    async def _invitations(self, command: Command) -> None:
        open_ones = await self._me.groups.invitations()
        self._screen.print_all([view.show_invitation(one, self._names) for one in open_ones])

    async def _refuse(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            await self._me.groups.answer(group_id, self._me.user_id, accept=False)
            self._screen.tell("say.done")

    async def _leave(self, command: Command) -> None:
        group_id = self._group_here()
        if group_id is None:
            self._screen.tell("say.no_group")
            return
        await self._me.groups.leave(group_id)
        self._screen.here = None
        self._screen.tell("say.done")

    async def _who(self, command: Command) -> None:
        group_id = self._group_here()
        if group_id is not None:
            members = await self._me.groups.members(group_id)
            self._screen.print_all([view.show_member(one, self._names) for one in members])
        else:
            await self._friends(command)

    async def _help(self, command: Command) -> None:
        self._screen.print(self._say.help)

    def _group_here(self) -> GroupId | None:
        if (
            self._screen.here is None
            or conversation_type(self._screen.here) is not ConversationType.GROUP
        ):
            return None
        return GroupId(self._screen.here)

    def _number(self, command: Command) -> int:
        """The command's number; 0, with a word to the user, when it has none."""
        number, _ = command.number()
        if not number:
            self._screen.tell("say.number", name=command.name)
        return number
