"""The terminal of the chat client: reads lines, and prints without breaking the one being typed."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Final, Protocol

try:
    import readline
    import termios
except ImportError:  # Windows has neither: what is being typed is then not shown again
    _HAS_TERMIOS = False
else:
    _HAS_TERMIOS = True

_CLEAR_LINE: Final = "\r\x1b[K"
_MAX_LINE_BYTES: Final = 1024 * 1024


class Terminal(Protocol):
    """Where the chat client reads and writes."""

    async def read_line(self, prompt: str) -> str | None:
        """The next line without its end; None: there are no more."""
        ...

    async def read_password(self, prompt: str) -> str | None:
        """As :meth:`read_line`, not shown while it is typed."""
        ...

    def show(self, text: str) -> None:
        """Print lines."""
        ...


class StandardTerminal:
    """Standard input and output: a person's terminal, or a pipe.

    A thread reads, one line when asked for one: reading a terminal cannot be awaited without
    putting it, and with it the output, into non-blocking mode. The thread is a daemon and may end
    with the process in the middle of a line.
    """

    def __init__(self) -> None:
        self._is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._loop = asyncio.get_running_loop()
        self._wanted: queue.SimpleQueue[tuple[Callable[[], str | None], asyncio.Future[str | None]]]
        self._wanted = queue.SimpleQueue()
        self._prompt = ""
        self._held = b""
        threading.Thread(target=self._read, daemon=True, name="stdin").start()

    async def read_line(self, prompt: str) -> str | None:
        """See :class:`Terminal`."""
        if self._is_terminal:
            self._prompt = prompt
            try:
                return await self._ask(lambda: input(prompt))
            finally:
                self._prompt = ""
        return await self._ask(self._read_piped)

    async def read_password(self, prompt: str) -> str | None:
        """See :class:`Terminal`."""
        if self._is_terminal:
            return await self._ask(lambda: getpass.getpass(prompt))
        return await self._ask(self._read_piped)

    def show(self, text: str) -> None:
        """See :class:`Terminal`."""
        if self._is_terminal and self._prompt:
            typed = readline.get_line_buffer() if _HAS_TERMIOS else ""
            sys.stdout.write(f"{_CLEAR_LINE}{text}\n{self._prompt}{typed}")
        else:
            sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    async def _ask(self, read: Callable[[], str | None]) -> str | None:
        answer: asyncio.Future[str | None] = self._loop.create_future()
        self._wanted.put((read, answer))
        return await answer

    def _read(self) -> None:
        while True:
            read, answer = self._wanted.get()
            line: str | None = None
            with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
                line = read()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the program ends
                self._loop.call_soon_threadsafe(_finish, answer, line)

    def _read_piped(self) -> str | None:
        # Not by sys.stdin: its lock, held by a thread that waits, would break the end of the
        # process.
        while b"\n" not in self._held and len(self._held) < _MAX_LINE_BYTES:
            chunk = os.read(0, 65536)
            if not chunk:
                break
            self._held += chunk
        if not self._held:
            return None
        line, _, self._held = self._held.partition(b"\n")
        return line.decode("utf-8", errors="replace").rstrip("\r")


def _finish(answer: asyncio.Future[str | None], line: str | None) -> None:
    if not answer.done():
        answer.set_result(line)


@contextlib.contextmanager
def terminal_as_it_was() -> Iterator[None]:
    """Leave the terminal as it was found, also when the program ends while a line is read."""
    if not _HAS_TERMIOS or not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
