"""What a unit holds, and which of it a shared presence must still be told. No I/O.

An entry is one field of one hash: a session of a user, or this unit among those of a group. The
entries held are the truth; an entry is *due* when the shared copy may differ from it. Which way is
decided when it is written, so what came and went meanwhile costs one command, and the order of
calls cannot be turned round.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Entry(NamedTuple):
    """A field of a hash. ``bucket``: the share of all keys that its key belongs to."""

    bucket: int
    key: str
    field: str


class Entries:
    """The entries of one unit.

    Args:
        max_removals: how many entries that are held no more may be due; beyond it the oldest is
            forgotten: a shared copy keeps it until it expires, and pushes for it find nobody. At
            least 1. Entries that are held are bounded by the sessions of the unit.
    """

    def __init__(self, *, max_removals: int) -> None:
        self._max_removals = max_removals
        self._held: dict[str, set[Entry]] = {}
        self._due: dict[Entry, None] = {}
        self._removals: dict[Entry, None] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))

    @property
    def due(self) -> int:
        """How many must be written."""
        return len(self._due)

    @property
    def newest_due(self) -> Entry:
        """The one that has been due for the shortest time. There must be one."""
        return next(reversed(self._due))

    def held_of(self, key: str) -> frozenset[Entry]:
        """The entries of this key that are held."""
        return frozenset(self._held.get(key, ()))

    def holds_any(self, key: str) -> bool:
        """Whether an entry of this key is held."""
        return key in self._held

    def holds(self, entry: Entry) -> bool:
        """Whether this entry is held."""
        return entry in self._held.get(entry.key, ())

    def add(self, entry: Entry) -> None:
        """Hold it from now on."""
        self._held.setdefault(entry.key, set()).add(entry)
        self._removals.pop(entry, None)
        self._due[entry] = None

    def remove(self, entry: Entry) -> None:
        """Hold it no more."""
        held = self._held.get(entry.key)
        if held is not None:
            held.discard(entry)
            if not held:
                del self._held[entry.key]
        self._mark(entry)

    def remove_all(self) -> None:
        """Hold nothing any more."""
        for held in list(self._held.values()):
            for entry in list(held):
                self.remove(entry)

    def mark(self, entries: Iterable[Entry]) -> None:
        """These must be written again, held or not."""
        for entry in entries:
            self._mark(entry)

    def mark_buckets(self, buckets: Iterable[int]) -> int:
        """Everything held of these buckets must be written again; how many that is."""
        wanted = frozenset(buckets)
        marked = [entry for held in self._held.values() for entry in held if entry.bucket in wanted]
        self._due.update(dict.fromkeys(marked))
        return len(marked)

    def take(self, limit: int) -> list[Entry]:
        """The entries that have been due for longest, due no more. Ask :meth:`holds` which way."""
        batch = [entry for entry, _ in zip(self._due, range(limit), strict=False)]
        for entry in batch:
            del self._due[entry]
            self._removals.pop(entry, None)
        return batch

    def _mark(self, entry: Entry) -> None:
        if not self.holds(entry):
            self._removals[entry] = None
            if len(self._removals) > self._max_removals:
                oldest = next(iter(self._removals))
                del self._removals[oldest]
                self._due.pop(oldest, None)
                self.forgotten += 1
        self._due[entry] = None
