"""Files in the chat client: the numbers by which people name those that were shown."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tinyqq.client import Message
from tinyqq.model.message import Media

_MAX_KEPT: Final = 1_000


class ShownFiles:
    """Files that were shown, numbered from 1 in their order; of very many the oldest are
    forgotten. A file keeps its number when it is shown again."""

    def __init__(self) -> None:
        self._files: dict[int, Media] = {}
        self._numbers: dict[str, int] = {}
        self._last = 0

    def number_of(self, message: Message) -> int:
        """The number of a message's file; 0: it has none."""
        media = message.content.media
        return 0 if media is None or not media.blob_id else self.take(media)

    def take(self, media: Media) -> int:
        """The number of a file."""
        known = self._numbers.get(media.blob_id)
        if known is not None:
            return known
        self._last += 1
        self._files[self._last] = media
        self._numbers[media.blob_id] = self._last
        if len(self._files) > _MAX_KEPT:
            oldest = next(iter(self._files))
            del self._numbers[self._files.pop(oldest).blob_id]
        return self._last

    def find(self, number: int) -> Media | None:
        """The file of a number."""
        return self._files.get(number)


def path_of(text: str) -> Path:
    """A path as people type it, or as a terminal pastes it: in quotes, with ``~``."""
    plain = text.strip()
    if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'":
        plain = plain[1:-1]
    return Path(plain).expanduser()


def shown_size(size_bytes: int) -> str:
    """A size for people: ``640 B``, ``12 KB``, ``3.4 MB``."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, unit = size_bytes / 1000, "KB"
    for larger in ("MB", "GB"):
        if size >= 1000:
            size, unit = size / 1000, larger
    return f"{size:.1f} {unit}" if size < 10 else f"{size:.0f} {unit}"
