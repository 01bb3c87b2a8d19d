"""One process per database file: a lock file beside it, held as long as the process lives."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tinyqq.errors import ErrorCode, Unavailable

if sys.platform != "win32":
    import fcntl


class FileLock:
    """``with FileLock(path):`` — the kernel lets go of it however the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> FileLock:
        """Take the lock.

        Raises:
            Unavailable: another process has it.
        """
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if sys.platform == "win32":  # SQLite's own locks and the log's primary key still stand
            return self
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise Unavailable(
                ErrorCode.UNAVAILABLE,
                reason="another process uses this database",
                lock_file=str(self._path),
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Let go. The file stays: removing it would let two processes hold two files' locks."""
        os.close(self._file)
