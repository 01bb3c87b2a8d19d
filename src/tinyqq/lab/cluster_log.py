"""What the processes of a cluster write into their logs, as lines for somebody who watches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LEFT_OUT: Final = frozenset({"event", "level", "logger", "timestamp", "exception", "stack"})
_LINES_AT_ONCE: Final = 40
_BYTES_AT_ONCE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class LogLine:
    """One event of a node.

    Args:
        text: the event and its fields, on one line.
    """

    level: str
    text: str


def read_line(line: str) -> LogLine | None:
    """A line of a node's log; None for what is not an event (what it says to people)."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    words = [str(event.get("event", ""))]
    words += [f"{name}={value}" for name, value in event.items() if name not in _LEFT_OUT]
    if (exception := event.get("exception")) and isinstance(exception, list):
        words.append(f"({exception[-1].get('exc_type')}: {exception[-1].get('exc_value')})")
    return LogLine(str(event.get("level", "info")), " ".join(words).replace("\n", " "))


class LogFollower:
    """Reads what is added to a file from now on; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0
        self._rest = b""

    def read(self) -> Iterator[LogLine]:
        """The events since the last time, a bounded number: of more it is said how many."""
        lines = [one for one in map(read_line, self._new_lines()) if one]
        yield from lines[:_LINES_AT_ONCE]
        if len(lines) > _LINES_AT_ONCE:
            yield LogLine("info", f"… {len(lines) - _LINES_AT_ONCE} more in {self._path}")

    def _new_lines(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size - self._offset > _BYTES_AT_ONCE:  # too fast to be read by anybody
                    self._offset, self._rest = size - _BYTES_AT_ONCE, b""
                file.seek(self._offset)
                new = file.read(_BYTES_AT_ONCE)
        except FileNotFoundError:
            return
        self._offset += len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", errors="replace")
