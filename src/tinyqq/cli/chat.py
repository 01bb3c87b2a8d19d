"""``tinyqq chat``: talk from a plain terminal, or from a script."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import platformdirs
import typer

from tinyqq.cli.chat_commands import Chat
from tinyqq.cli.chat_terminal import StandardTerminal, Terminal, terminal_as_it_was
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.console import ExitCode, texts
from tinyqq.client import Client, FileStore, TinyQQError, Trust
from tinyqq.client.addresses import parse_url
from tinyqq.client.client import DEFAULT_URL
from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.model.ids import FIRST_NUMBER, MAX_USER_ID, UserId

_TRIES: Final = 3

Server = Annotated[
    str | None,
    typer.Argument(metavar="[URL]", help="The server.", show_default=DEFAULT_URL),
]
Url = Annotated[str | None, typer.Option("--url", help="The same, as an option.")]
User = Annotated[int, typer.Option("--user", help="Your number.", show_default=False)]
State = Annotated[
    Path | None,
    typer.Option(
        envvar="TINYQQ_CHAT_STATE",
        help="Folder for log-ins and for what you have seen.",
        show_default="your data folder",
    ),
]
CaFile = Annotated[str, typer.Option(help="PEM file of your own certificate authority.")]
Fingerprint = Annotated[
    str, typer.Option(help="SHA-256 of the server's self-signed certificate, as it printed it.")
]


def chat(
    server: Server = None,
    url: Url = None,
    user: User = 0,
    state: State = None,
    ca_file: CaFile = "",
    fingerprint: Fingerprint = "",
) -> None:
    """Talk from the terminal. TINYQQ_PASSWORD holds the password for scripts."""
    dialogue = Dialogue(
        url=server or url or DEFAULT_URL,
        folder=state or Path(platformdirs.user_data_dir("tinyqq")) / "chat",
        trust=Trust(ca_file, fingerprint),
        say=ChatTexts(texts().language),
        password=os.environ.get("TINYQQ_PASSWORD", ""),
    )
    with terminal_as_it_was():
        try:
            done = asyncio.run(_run(dialogue, user))
        except KeyboardInterrupt:
            done = True
    raise typer.Exit(ExitCode.OK if done else ExitCode.FAILED)


async def _run(dialogue: Dialogue, user: int) -> bool:
    return await dialogue.run(StandardTerminal(), user)


class Dialogue:
    """Coming in: which account, its password, or a new one; then :class:`Chat`.

    Args:
        folder: holds one file for each account that logged in here.
        password: used instead of asking, when there is one.
    """

    def __init__(
        self, *, url: str, folder: Path, trust: Trust, say: ChatTexts, password: str
    ) -> None:
        self._url = url
        self._folder = folder
        self._trust = trust
        self._say = say
        self._password = password

    async def run(self, terminal: Terminal, user: int = 0) -> bool:
        """Log in and talk; False: it did not work out."""
        try:
            parse_url(self._url)  # before anything is asked
            number, password = (user, "") if user else await self._who(terminal)
            if not number:
                return False
            async with self._client(UserId(number)) as me:
                if not await self._log_in(me, terminal, number, password):
                    return False
                nickname = (await me.account.profile()).nickname
                welcome = self._say("in.welcome", name=nickname, user_id=me.user_id)
                terminal.show(welcome)
                return await Chat(me=me, terminal=terminal, say=self._say).run()
        except TinyQQError as error:
            terminal.show(f"{self._url}: {self._say.reason(error)}")
            return False

    def _client(self, user_id: UserId) -> Client:
        return Client(
            self._url,
            store=FileStore(store_path(self._folder, self._url, user_id)) if user_id else None,
            language=self._say.language,
            device_name="tinyqq chat",
            trust=self._trust,
        )

    async def _who(self, terminal: Terminal) -> tuple[int, str]:
        """The number, and the password if it was just chosen; 0: there is nobody to ask."""
        if numbers := known_numbers(self._folder, self._url):
            terminal.show(self._say("in.known", numbers=", ".join(map(str, numbers))))
        for _ in range(_TRIES):
            text = await terminal.read_line(self._say("ask.number"))
            if text is None:
                return 0, ""
            if not text.strip():
                return await self._register(terminal)
            number = text.strip()
            if number.isascii() and number.isdigit() and FIRST_NUMBER <= int(number) <= MAX_USER_ID:
                return int(number), ""
            terminal.show(self._say("in.not_a_number", text=number))
        return 0, ""

    async def _register(self, terminal: Terminal) -> tuple[int, str]:
        invite_code = ""
        async with self._client(UserId(0)) as nobody:
            for _ in range(_TRIES):
                nickname = await terminal.read_line(self._say("ask.nickname"))
                password = await self._new_password(terminal) if nickname else None
                if not nickname or password is None:
                    return 0, ""
                try:
                    made = await nobody.register(nickname, password, invite_code=invite_code)
                except TinyQQError as error:
                    terminal.show(self._say.reason(error))
                    if error.code is ErrorCode.BAD_INVITE_CODE:
                        invite_code = await terminal.read_line(self._say("ask.invite")) or ""
                    continue
                terminal.show(
                    self._say("in.registered", user_id=made.user_id, code=made.recovery_code)
                )
                return made.user_id, password
        return 0, ""

    async def _new_password(self, terminal: Terminal) -> str | None:
        if self._password:
            return self._password
        for _ in range(_TRIES):
            first = await terminal.read_password(self._say("ask.new_password"))
            if not first:
                return None
            if await terminal.read_password(self._say("ask.again")) == first:
                return first
            terminal.show(self._say("in.differ"))
        return None

    async def _log_in(self, me: Client, terminal: Terminal, number: int, password: str) -> bool:
        """Log in, unless the client has by what its store holds; whether that worked."""
        if me.user_id == number:
            return True
        given = password or self._password
        for _ in range(_TRIES):
            word = given or await terminal.read_password(self._say("ask.password"))
            if not word:
                return False
            try:
                answer = await me.login(number, word)
            except Unauthenticated as error:
                terminal.show(self._say.reason(error))
                if given:
                    return False
                continue
            if answer.must_change_password:
                await self._change_password(me, terminal, word)
            return True
        return False

    async def _change_password(self, me: Client, terminal: Terminal, old: str) -> None:
        terminal.show(self._say("in.must_change"))
        new = await self._new_password(terminal)
        if new is not None:
            await me.account.change_password(old, new)


def known_numbers(folder: Path, url: str) -> list[int]:
    """The accounts that have logged in here before to that server."""
    stores = store_path(folder, url, UserId(0)).parent.glob("*.db")
    return sorted(int(one.stem) for one in stores if one.stem.isdigit())


def store_path(folder: Path, url: str, user_id: UserId) -> Path:
    """Where the chat client keeps one account of one server."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    server = f"{parts.hostname or 'server'}_{parts.port or 'default'}".replace(":", "-")
    return folder / server / f"{user_id}.db"
