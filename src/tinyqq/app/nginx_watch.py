"""Keeps an nginx's configuration true to the registry: written, tested, reloaded when units come
and go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tinyqq.app.nginx import NginxError
from tinyqq.ports.registry import Node, Registry

logger = logging.getLogger(__name__)

SETTLE_S: Final = 0.5
"""Units that come and go together are one change."""
RETRY_S: Final = 5.0
COMMAND_TIMEOUT_S: Final = 10.0
_ADMINISTRATORS: Final = "/usr/local/sbin:/usr/sbin:/sbin"
_TAIL_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class Nginx:
    """How to ask nginx about a file, and to take it. ``test`` gets the file's path as its last
    word; empty: it is not asked. ``reload``: a line for the shell."""

    test: tuple[str, ...]
    reload: str


def nginx_of(output: Path, *, reload: str = "") -> Nginx:
    """The nginx of this machine.

    Args:
        output: the file that it runs with.
        reload: what makes it take the file; empty: ``nginx -s reload``.

    Raises:
        NginxError: it is not installed, and there is no other command.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path=_ADMINISTRATORS)
    if program is None and not reload:
        raise NginxError("nginx is not installed here")
    test = (program, "-t", "-q", "-c") if program else ()
    return Nginx(
        test=test, reload=reload or shlex.join([str(program), "-s", "reload", "-c", str(output)])
    )


def write_file(path: Path, text: str) -> bool:
    """Replace a file in one step; returns whether it had to be.

    Raises:
        OSError: it cannot be written.
    """
    if _read(path) == text:
        return False
    fresh = _write_beside(path, text)
    fresh.replace(path)
    return True


class NginxWatch:
    """Args:
    make: the configuration for a picture of the registry; may raise NginxError.
    output: the file; kept as it is while there is no unit or nginx refuses the new one.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        make: Callable[[Sequence[Node]], str],
        output: Path,
        nginx: Nginx,
        settle_s: float = SETTLE_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._registry = registry
        self._make = make
        self._output = output
        self._nginx = nginx
        self._settle_s = settle_s
        self._retry_s = retry_s
        self._changed = asyncio.Event()
        self._must_reload = False
        self._problem = ""

    async def run(self) -> None:
        """Follow the registry until cancelled; what fails is logged once and tried again."""
        self._registry.watch(lambda _: self._changed.set())
        while True:
            await self._update()
            await self._rest()

    async def _rest(self) -> None:
        """Until something has changed, or a failure is due to be tried again."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._retry_s if self._problem else None):
                await self._changed.wait()
            await asyncio.sleep(self._settle_s)
        self._changed.clear()

    async def _update(self) -> None:
        event = "nginx.kept"
        try:
            text = self._make(self._registry.nodes())
            if text != _read(self._output):
                await self._replace(text)
                self._must_reload = True
            if self._must_reload:
                event = "nginx.not_reloaded"
                await _run_shell(self._nginx.reload)
                self._must_reload = False
                logger.info("nginx.reloaded", extra={"file": str(self._output)})
        except (NginxError, OSError) as exc:
            self._tell(event, str(exc))
        else:
            self._problem = ""

    async def _replace(self, text: str) -> None:
        fresh = _write_beside(self._output, text)
        try:
            if self._nginx.test:
                await _run(*self._nginx.test, str(fresh))
            fresh.replace(self._output)
        finally:
            fresh.unlink(missing_ok=True)

    def _tell(self, event: str, problem: str) -> None:
        """Once, however often it is tried again."""
        if problem != self._problem:
            self._problem = problem
            logger.warning(event, extra={"file": str(self._output), "reason": problem})


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write_beside(path: Path, text: str) -> Path:
    """A new file in the same folder, on disk."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh


_PIPES: Final[dict[str, Any]] = {
    "stdin": asyncio.subprocess.DEVNULL,
    "stdout": asyncio.subprocess.PIPE,
    "stderr": asyncio.subprocess.STDOUT,
    "start_new_session": True,  # a line may start several programs: they are ended together
}


async def _run(*words: str) -> None:
    await _finish(await asyncio.create_subprocess_exec(*words, **_PIPES))


async def _run_shell(line: str) -> None:
    await _finish(await asyncio.create_subprocess_shell(line, **_PIPES))


async def _finish(process: asyncio.subprocess.Process) -> None:
    """Wait for its end.

    Raises:
        NginxError: it failed, or takes too long; with what it said.
    """
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            said, _ = await process.communicate()
    except TimeoutError:
        raise NginxError("nginx does not answer") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode:
        text = said.decode(errors="replace").strip()[-_TAIL_CHARS:]
        raise NginxError(text or f"exit code {process.returncode}")
