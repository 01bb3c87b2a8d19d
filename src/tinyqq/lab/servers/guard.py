"""What ends servers, and all that they started, when the process that watches over them is gone.

A server dies with its starter by itself where there is ``setpriv``; but not the processes that it
started in turn, and elsewhere not even the server. The guard is a shell that reads from a pipe:
when nobody holds the other end any more, it kills the process groups of the last line that it read.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from typing import Final, Self

_SCRIPT: Final = """
trap '' INT TERM HUP
while read -r line; do groups=$line; done
[ -z "$groups" ] || kill -s KILL -- $groups 2>/dev/null
"""
_END_TIMEOUT_S: Final = 10


class Guard:
    """``with Guard() as guard:``, and tell it each time who lives. At the end of the block, as at
    the end of this process, whoever still does is killed."""

    def __init__(self) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        self._told: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._shell is not None
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(_END_TIMEOUT_S)

    def watch(self, pids: Iterable[int]) -> None:
        """From now on these are the ones, each the leader of its process group."""
        now = tuple(sorted(pids))
        if now == self._told:
            return
        assert self._shell is not None
        assert self._shell.stdin is not None
        line = " ".join(f"-{pid}" for pid in now) + "\n"
        os.write(self._shell.stdin.fileno(), line.encode("ascii"))
        self._told = now
