"""Flights: a sender's order survives a refusal in the middle.

A client that pipelines sends to one conversation numbers them with a flight. When one of them is
refused for now, those behind it must not overtake it: the session refuses the rest of that flight,
and the client sends all of them again, in order, as the next flight. A node that takes sends from
another node does the same, and so does a lane: later sends may be on their way when one is refused.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from tinyqq.errors import ErrorCode, RateLimited, TinyQQError, Unavailable

MAX_BROKEN: Final = 1024

Key = TypeVar("Key")


class Flights(Generic[Key]):
    """The broken flights of one session (by conversation), or of all sessions of one node or lane
    (by session and conversation).

    A break matters until the client has read the refusal; it can have only so many requests in
    flight, so the oldest of more than ``MAX_BROKEN`` breaks may be forgotten. Flight 0 is that of
    clients to whom order is all the same.
    """

    __slots__ = ("_broken",)

    def __init__(self) -> None:
        self._broken: dict[Key, int] = {}

    def __len__(self) -> int:
        """How many are broken."""
        return len(self._broken)

    def check(self, key: Key, flight: int) -> None:
        """Let a send pass, or not.

        Raises:
            Unavailable: FLIGHT_BROKEN when an earlier send of this flight was refused.
        """
        broken = self._broken.get(key)
        if broken is None:
            return
        if 0 < flight <= broken:
            raise Unavailable(ErrorCode.FLIGHT_BROKEN, flight=flight)
        if flight > broken:
            del self._broken[key]

    def refused(self, key: Key, flight: int, error: TinyQQError) -> None:
        """A send was refused; if it may be repeated, its flight is broken from now on."""
        if not flight or not isinstance(error, Unavailable | RateLimited):
            return
        broken = max(flight, self._broken.pop(key, 0))
        self._broken[key] = broken
        if len(self._broken) > MAX_BROKEN:
            del self._broken[next(iter(self._broken))]
