"""Who writes into the log, and how far each of them has been read. No I/O; time is handed in.

A number is taken by one lane of one process, which writes rows 1, 2, 3 … under it, and gives it up
when it no longer knows what became of a batch. So a number that is not taken yet needs no looking
after, a new one is read from its first row, and one that nobody has any more may still get the rows
of its last batch.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from tinyqq.ports.storage import LogKey, Tail

SILENT_S: Final = 180.0
"""How long a number that no node has is still read: longer than a database holds a batch back."""
MAX_LEFT: Final = 10_000
"""Numbers no longer read whose last position is remembered, should they be heard of again."""
MAX_NEW: Final = 1_000
"""New numbers begun with at once; it takes as many lost connections to come to more."""


class Writers:
    """Positions of every number that is read; see the module's docstring."""

    def __init__(self, *, silent_s: float = SILENT_S, max_left: int = MAX_LEFT) -> None:
        self._silent_s = silent_s
        self._max_left = max_left
        self._own: dict[int, int] = {}
        self._positions: dict[int, int] = {}
        self._heard_s: dict[int, float] = {}
        self._left: OrderedDict[int, int] = OrderedDict()
        self._next = 0

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def has_begun(self) -> bool:
        """Whether anything is known."""
        return bool(self._next)

    @property
    def positions(self) -> Mapping[int, int]:
        """What to read: rows of each number after a position."""
        return self._positions

    def begin(self, asked: Iterable[int], newest: int, ends: Tail, now_s: float) -> None:
        """Begin where things stand: whoever comes later reads by themselves what is older.

        Args:
            asked, newest: whose ends were asked for; who is not in *ends* has written nothing.
        """
        last = {key.writer: key.writer_pos for key in ends.keys}
        recent = range(max(ends.next_writer - newest, 1), ends.next_writer)
        for number in {*asked, *recent}.difference(self._own):
            self._follow(number, last.get(number, 0), now_s)
        self._next = max(self._next, ends.next_writer)

    def unknown(self, live: Iterable[int]) -> list[int]:
        """Numbers of living nodes that should be read from where they stand, which is not known."""
        known = (self._own, self._positions, self._left)
        return [
            one for one in live if one < self._next and not any(one in numbers for numbers in known)
        ]

    def look(self, own: Mapping[int, int], live: Collection[int], now_s: float) -> None:
        """Who writes now.

        Args:
            own: numbers of this process, whose rows it pushes itself, and the position of the last
                row of each that it has pushed: when a number is given up it is read from there.
            live: numbers of living nodes.
        """
        for number in own:
            self._drop(number)
        for number, position in self._own.items():
            if number not in own:
                self._follow(number, position, now_s)
        self._own = dict(own)
        for number in live:
            if number in self._left:
                self._follow(number, self._left.pop(number), now_s)
        for number in [one for one in self._positions if one not in live]:
            if now_s - self._heard_s[number] > self._silent_s:
                self._left[number] = self._drop(number)
        while len(self._left) > self._max_left:
            self._left.popitem(last=False)

    def learn(self, tail: Tail, now_s: float) -> bool:
        """What was read; whether there are new numbers, so that reading again brings more."""
        for key in tail.keys:
            self._hear(key, now_s)
        first = max(self._next, tail.next_writer - MAX_NEW)
        new = [number for number in range(first, tail.next_writer) if number not in self._own]
        self._next = max(self._next, tail.next_writer)
        for number in new:
            self._follow(number, 0, now_s)
        return bool(new)

    def _hear(self, key: LogKey, now_s: float) -> None:
        if key.writer in self._positions:
            self._positions[key.writer] = max(self._positions[key.writer], key.writer_pos)
            self._heard_s[key.writer] = now_s

    def _drop(self, number: int) -> int:
        self._heard_s.pop(number, None)
        return self._positions.pop(number, 0)

    def _follow(self, number: int, position: int, now_s: float) -> None:
        self._positions[number] = max(position, self._positions.get(number, 0))
        self._heard_s[number] = now_s
