"""Standard input and output, as a pipe and as a person's terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import termios

import pytest

pytestmark = pytest.mark.slow  # each test starts a process: it is about its standard input

PROGRAM = """
import asyncio, sys
from tinyqq.cli.chat_terminal import StandardTerminal, terminal_as_it_was

async def main():
    terminal = StandardTerminal()
    async with asyncio.TaskGroup() as tasks:
        name = tasks.create_task(terminal.read_line("name> "))
        await asyncio.sleep(0.3)
        terminal.show("hello")
    word = await terminal.read_password("word> ")
    terminal.show(f"{name.result()!r} {word!r} {await terminal.read_line('more> ')!r}")

async def leave():
    terminal = StandardTerminal()
    async with asyncio.TaskGroup() as tasks:
        name = tasks.create_task(terminal.read_line("name> "))
        await asyncio.sleep(0.3)
        name.cancel()
    print("left")

with terminal_as_it_was():
    asyncio.run({"main": main, "leave": leave}[sys.argv[1]]())
"""


def start(what: str, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"},
    )


def test_terminal_when_a_pipe_then_lines_and_the_end() -> None:
    process = start("main", subprocess.PIPE, subprocess.PIPE)
    output, _ = process.communicate("小安\r\npassword\n".encode(), timeout=60)
    assert output.decode() == "hello\n'小安' 'password' None\n"
    assert process.returncode == 0


def test_terminal_when_the_program_ends_while_it_reads_then_it_just_ends() -> None:
    process = start("leave", subprocess.PIPE, subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read() == b"left\n"  # with the input still open
    assert process.wait(timeout=60) == 0
    process.communicate()


def read_until(terminal: int, part: str, before: str = "") -> str:
    """All that is shown until a part of it is; *before*: what has been read already."""
    seen = before.encode()
    while part.encode() not in seen:
        seen += os.read(terminal, 4096)
    return seen.decode()


async def test_terminal_when_a_person_types_then_the_line_survives_what_is_shown() -> None:
    ours, theirs = pty.openpty()
    process = start("main", theirs, theirs)
    async with asyncio.timeout(30):
        prompted = await asyncio.to_thread(read_until, ours, "name> ")
        os.write(ours, "小".encode())
        shown = await asyncio.to_thread(read_until, ours, "hello\r\nname> 小", prompted)
        assert "\r\x1b[Khello" in shown
        os.write(ours, "安\n".encode())
        await asyncio.to_thread(read_until, ours, "word> ")
        os.write(ours, b"secret\n")
        hidden = await asyncio.to_thread(read_until, ours, "more> ")
        assert "secret" not in hidden
        os.write(ours, b"\x04")
        assert "'小安' 'secret' None" in await asyncio.to_thread(read_until, ours, "None")
        assert await asyncio.to_thread(process.wait, 60) == 0
    os.close(ours)
    os.close(theirs)


async def test_terminal_when_the_program_ends_while_a_person_types_then_as_it_was() -> None:
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    process = start("leave", theirs, theirs)
    async with asyncio.timeout(30):
        await asyncio.to_thread(read_until, ours, "left")
        assert await asyncio.to_thread(process.wait, 60) == 0
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
