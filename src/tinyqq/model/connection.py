"""What client and server say to each other about the connection itself."""

from __future__ import annotations

from dataclasses import dataclass

from tinyqq.model.account import KickReason
from tinyqq.model.sync import Position


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may do; the server tells its clients in Welcome.

    Sizes in bytes or characters, times in seconds.
    """

    max_frame_bytes: int = 1024 * 1024
    """Body of one frame, either way."""
    max_text_chars: int = 10_000
    max_in_flight: int = 256
    """Requests that wait for their answer."""
    idle_timeout_s: float = 90.0
    """Silence after which the server closes; clients send a heartbeat after a third of it."""
    log_in_timeout_s: float = 20.0
    """Time from connecting to being logged in."""


@dataclass(frozen=True, slots=True)
class Hello:
    """The client's first packet."""

    version_min: int
    version_max: int
    capabilities: tuple[str, ...] = ()
    agent: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """The server's answer to :class:`Hello`: what was agreed on, and the limits."""

    version: int
    capabilities: tuple[str, ...]
    agent: str
    unit_id: str
    max_frame_bytes: int
    max_text_chars: int
    max_in_flight: int
    idle_timeout_ms: int
    log_in_timeout_ms: int
    max_page_entries: int
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class Done:
    """The answer that has nothing to say but that it is done."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The client is there; the answer is :class:`Pulse`."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """``pushes``: how many pushes were put on this session since it was opened."""

    pushes: int
    server_time_ms: int


@dataclass(frozen=True, slots=True)
class GoAway:
    """The unit is leaving: go elsewhere after ``after_ms``; ``url`` empty: ask the directory."""

    code: int
    after_ms: int
    url: str = ""


@dataclass(frozen=True, slots=True)
class Kicked:
    """The session is over for good: the client must not come back by itself."""

    reason: KickReason
    device_name: str = ""


@dataclass(frozen=True, slots=True)
class HeadHint:
    """In pull mode: these conversations have entries up to here."""

    heads: tuple[Position, ...]
