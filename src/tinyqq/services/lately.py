"""Where users and groups were lately: for the moments in which presence does not answer. Pure; time
is handed in.

When presence is too slow, pushing everything everywhere makes all units slower still. A place that
is no longer right costs little: the net finds what was pushed to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from tinyqq.model.ids import UnitId

MAX_AGE_S: Final = 60.0
MAX_ENTRIES: Final = 50_000

Key = TypeVar("Key")
Units = frozenset[UnitId]

_NOWHERE: Final[Units] = frozenset()


class Lately(Generic[Key]):
    """Answers of presence, in two generations: the older one is forgotten as a whole.

    Args:
        max_age_s: nothing older is told; what is half as old may be forgotten.
        max_entries: bound of each generation.
    """

    def __init__(self, *, max_age_s: float = MAX_AGE_S, max_entries: int = MAX_ENTRIES) -> None:
        self._half_s = max_age_s / 2
        self._max_entries = max_entries
        self._young: dict[Key, Units] = {}
        self._old: dict[Key, Units] = {}
        self._since_s = float("-inf")

    def learn(self, asked: Iterable[Key], found: Mapping[Key, Units], now_s: float) -> None:
        """Presence has answered; who was asked for and not found is nowhere."""
        self._age(now_s)
        self._young.update(dict.fromkeys(asked, _NOWHERE))
        self._young.update(found)
        if len(self._young) > self._max_entries:
            self._turn(now_s)

    def find(self, key: Key, now_s: float) -> Units | None:
        """Where it was lately; None: that is not known."""
        self._age(now_s)
        units = self._young.get(key)
        return self._old.get(key) if units is None else units

    def _age(self, now_s: float) -> None:
        age_s = now_s - self._since_s
        if age_s > 2 * self._half_s:
            self._old, self._young, self._since_s = {}, {}, now_s
        elif age_s > self._half_s:
            self._turn(self._since_s + self._half_s)

    def _turn(self, since_s: float) -> None:
        self._old, self._young, self._since_s = self._young, {}, since_s
