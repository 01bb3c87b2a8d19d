"""The chat client's commands: one method each."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from tinyqq.cli import chat_view as view
from tinyqq.cli.chat_files import ShownFiles, path_of, shown_size
from tinyqq.cli.chat_terminal import Terminal
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.chat_view import Command, Names
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
from tinyqq.errors import ErrorCode, NotFound, TinyQQError, Unauthenticated
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
from tinyqq.wire.content import decode_content

HISTORY_MESSAGES: Final = 20
SYNC_TIMEOUT_S: Final = 10.0
_ENOUGH_NAMES: Final = 5_000

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
        self._names = Names(me.user_id, say)
        self._here: ConversationId | None = None
        self._last_own: dict[ConversationId, int] = {}
        self._recalled: dict[ConversationId, int] = {}
        self._files = ShownFiles()
        self._next_files = ""
        self._is_down = False
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
            await self._learn_names()
        async with asyncio.TaskGroup() as tasks:
            shown = tasks.create_task(self._show_events())
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
            line = await self._terminal.read_line(self._prompt())
            if line is None:
                return
            command = view.parse_line(line)
            if isinstance(command, Command) and command.name in {"quit", "q", "exit"}:
                return
            try:
                await self._do(command)
            except TinyQQError as error:
                self._print(self._say.reason(error))

    async def _do(self, command: Command | str) -> None:
        if isinstance(command, str):
            if command:
                await self._send(command)
            return
        handler = self._handlers.get(command.name)
        if handler is None:
            self._print(self._say("say.unknown", name=view.clean(command.name)))
        else:
            await handler(command)

    def _prompt(self) -> str:
        return f"{self._names.conversation(self._here)}> " if self._here else "> "

    def _print(self, text: str) -> None:
        self._terminal.show(text)

    def _print_all(self, lines: list[str]) -> None:
        self._print("\n".join(lines) if lines else self._say("say.nothing"))

    # ---- what comes ------------------------------------------------------------------------------

    async def _show_events(self) -> None:
        try:
            async for event in self._me.events():
                await self._show(event)
        except KickedOut as error:
            self._print(self._say("link.kicked", reason=error.reason.name))
        except Unauthenticated as error:
            self._print(self._say("link.ended", reason=self._say.reason(error)))

    async def _show(self, event: Event) -> None:
        match event:
            case Message():
                await self._show_message(event)
            case Change():
                await self._show_change(event)
            case Connected():
                if self._is_down:  # who moves to another unit is not told: nothing was missing
                    self._print(self._say("link.up"))
                self._is_down = False
            case Disconnected():
                self._is_down = True
                self._print(self._say("link.down"))
            case SendRefused():
                text = decode_content(event.outgoing.content).text
                reason = self._say.reason(event.error)
                self._print(self._say("message.refused", text=view.clean(text), reason=reason))

    async def _show_message(self, message: Message) -> None:
        if message.is_own:
            self._last_own[message.conversation] = message.seq
        if not (message.is_own and message.conversation == self._here):
            await self._learn(message.sender, message.group_id)
            self._print(self._shown(message))
        await self._me.mark_read(message.conversation, message.seq)

    def _shown(self, message: Message) -> str:
        number = self._files.number_of(message)
        return view.show_message(message, self._names, self._now(), file_number=number)

    async def _show_change(self, change: Change) -> None:
        for user_id in (change.actor, *change.notice.user_ids[:_ENOUGH_NAMES]):
            await self._learn(user_id, change.group_id)
        if change.kind == Kind.FRIEND_ADDED:
            with contextlib.suppress(TinyQQError):
                await self._learn_names()
        line = view.show_change(change, self._names, self._now())
        if line is not None:
            self._print(line)
        await self._me.mark_read(change.conversation, change.seq)

    # ---- names -----------------------------------------------------------------------------------

    async def _learn_names(self) -> None:
        self._names.contacts = {one.user_id: one for one in await self._me.friends.list()}
        self._names.groups = {one.group_id: one for one in await self._me.groups.list()}

    async def _learn(self, user_id: UserId, group_id: GroupId | None) -> None:
        """Find out how a user and a group are called; without a name the number is shown."""
        try:
            if group_id is not None and group_id not in self._names.groups:
                self._names.groups[group_id] = await self._me.groups.get(group_id)
            if not self._names.knows(user_id):
                if len(self._names.nicknames) >= _ENOUGH_NAMES:
                    self._names.nicknames.clear()
                profile = await self._me.account.profile(user_id)
                self._names.nicknames[user_id] = profile.nickname
        except TinyQQError:
            self._names.nicknames.setdefault(user_id, "")

    # ---- talking ---------------------------------------------------------------------------------

    async def _send(self, text: str) -> None:
        if self._here is None:
            self._print(self._say("say.nowhere"))
            return
        sent = await self._me.send_to(self._here, text)
        self._last_own[self._here] = sent.seq

    async def _send_image(self, command: Command) -> None:
        await self._send_media(command, Kind.IMAGE)

    async def _send_file(self, command: Command) -> None:
        await self._send_media(command, Kind.FILE)

    async def _send_media(self, command: Command, kind: Kind) -> None:
        if self._here is None:
            self._print(self._say("say.nowhere"))
        elif not command.argument:
            self._print(self._say("say.path", name=command.name))
        else:
            try:
                sent = await self._me.send_media_to(
                    self._here, path_of(command.argument), kind=kind
                )
            except OSError as error:
                self._print_os_error(command.argument, error)
            else:
                self._last_own[self._here] = sent.seq
                self._print(self._say("say.done"))

    async def _save(self, command: Command) -> None:
        number, place = command.number()
        media = self._files.find(number)
        if media is None:
            self._print(self._say("say.no_file", number=number or command.argument))
            return
        try:
            path = await self._me.media.download(media, path_of(place or "."))
        except OSError as error:
            self._print_os_error(place, error)
        else:
            self._print(self._say("say.saved", path=view.clean(str(path))))

    async def _list_files(self, command: Command) -> None:
        page = await self._me.media.list_files(after=self._next_files if command.argument else "")
        self._next_files = page.next
        quota = shown_size(page.quota_bytes) if page.quota_bytes else "∞"
        self._print(self._say("say.storage", used=shown_size(page.used_bytes), quota=quota))
        for one in page.files:
            number = self._files.take(one.media)
            self._print(view.show_stored(one, self._now(), file_number=number))
        if page.next:
            self._print(self._say("say.more_files"))

    async def _delete_file(self, command: Command) -> None:
        number, _ = command.number()
        media = self._files.find(number)
        if media is None:
            self._print(self._say("say.no_file", number=number or command.argument))
            return
        await self._me.media.delete(media)
        self._print(self._say("say.done"))

    def _print_os_error(self, path: str, error: OSError) -> None:
        reason = error.strerror or type(error).__name__
        self._print(self._say("say.bad_file", path=view.clean(path), reason=reason))

    async def _recall(self, command: Command) -> None:
        here = self._here
        seq = self._last_own.get(here, 0) if here else 0
        if here is None or seq <= self._recalled.get(here, 0):
            self._print(self._say("say.nothing_to_recall"))
            return
        await self._me.recall(here, seq)
        self._recalled[here] = seq

    async def _history(self, command: Command) -> None:
        if self._here is None:
            self._print(self._say("say.nowhere"))
            return
        page = await self._me.history(self._here, limit=HISTORY_MESSAGES)
        # Among one's notes, what one was told of: shown when it came, and no note.
        are_notes = conversation_type(self._here) is ConversationType.OWN
        lines = []
        for entry in page.entries:
            if isinstance(entry, Message):
                await self._learn(entry.sender, entry.group_id)
                lines.append(self._shown(entry))
            elif (
                not are_notes
                and (line := view.show_change(entry, self._names, self._now())) is not None
            ):
                lines.append(line)
        self._print_all(lines)

    async def _open(self, command: Command) -> None:
        user_id = self._number(command)
        if user_id:
            await self._learn(UserId(user_id), None)
            self._here = self._me.conversation_with(user_id)
            self._print(self._say("say.open", name=self._names.conversation(self._here)))

    async def _open_group(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            self._names.groups[GroupId(group_id)] = await self._me.groups.get(group_id)
            self._here = group_conversation(GroupId(group_id))
            self._print(self._say("say.open", name=self._names.conversation(self._here)))

    async def _list(self, command: Command) -> None:
        summaries = await self._me.conversations()
        for one in summaries:
            if conversation_type(one.conversation_id) is ConversationType.DIRECT:
                await self._learn(peer_of(one.conversation_id, self._me.user_id), None)
        self._print_all([view.show_summary(one, self._names) for one in summaries])

    # ---- people ----------------------------------------------------------------------------------

    async def _friends(self, command: Command) -> None:
        await self._learn_names()
        contacts = self._names.contacts.values()
        self._print_all([view.show_contact(one, self._names) for one in contacts])

    async def _add(self, command: Command) -> None:
        user_id = self._number(command)
        if user_id:
            await self._me.friends.request(user_id, command.number()[1])
            await self._learn(UserId(user_id), None)
            self._print(self._say("say.asked", name=self._names.user(UserId(user_id))))

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
                self._print(self._say("say.done"))
                return
        await (self._me.friends.accept if accept else self._me.friends.decline)(user_id)
        self._print(self._say("say.done"))

    # ---- groups ----------------------------------------------------------------------------------

    async def _groups(self, command: Command) -> None:
        await self._learn_names()
        groups = self._names.groups.values()
        self._print_all([view.show_group(one, self._names) for one in groups])

    async def _create(self, command: Command) -> None:
        if not command.argument:
            self._print(self._say("say.name", name=command.name))
            return
        group_id = await self._me.groups.create(command.argument)
        self._print(self._say("say.created", group_id=group_id))
        await self._open_group(Command("g", str(group_id)))

    async def _join(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            joined = await self._me.groups.join(group_id, command.number()[1])
            self._print(self._say("say.done" if joined else "say.waiting"))

    async def _invite(self, command: Command) -> None:
        group_id, user_id = self._group_here(), self._number(command)
        if group_id is None:
            self._print(self._say("say.no_group"))
        elif user_id:
            await self._me.groups.invite(group_id, user_id)
            self._print(self._say("say.done"))

    async def _invitations(self, command: Command) -> None:
        open_ones = await self._me.groups.invitations()
        self._print_all([view.show_invitation(one, self._names) for one in open_ones])

    async def _refuse(self, command: Command) -> None:
        group_id = self._number(command)
        if group_id:
            await self._me.groups.answer(group_id, self._me.user_id, accept=False)
            self._print(self._say("say.done"))

    async def _leave(self, command: Command) -> None:
        group_id = self._group_here()
        if group_id is None:
            self._print(self._say("say.no_group"))
            return
        await self._me.groups.leave(group_id)
        self._here = None
        self._print(self._say("say.done"))

    async def _who(self, command: Command) -> None:
        group_id = self._group_here()
        if group_id is not None:
            members = await self._me.groups.members(group_id)
            self._print_all([view.show_member(one, self._names) for one in members])
        else:
            await self._friends(command)

    async def _help(self, command: Command) -> None:
        self._print(self._say.help)

    def _group_here(self) -> GroupId | None:
        if self._here is None or conversation_type(self._here) is not ConversationType.GROUP:
            return None
        return GroupId(self._here)

    def _number(self, command: Command) -> int:
        """The command's number; 0, with a word to the user, when it has none."""
        number, _ = command.number()
        if not number:
            self._print(self._say("say.number", name=command.name))
        return number
