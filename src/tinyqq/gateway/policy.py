"""What a gateway allows its connections, and what it counts about them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyqq.model.connection import Limits


@dataclass(frozen=True, slots=True)
class GatewayPolicy:
    """The bounds of one gateway. Sizes in bytes, times in seconds."""

    limits: Limits = field(default_factory=Limits)
    """What clients are told in Welcome."""
    max_connections: int = 50_000
    """More are closed at once."""
    max_output_bytes: int = 1024 * 1024
    """Bytes that wait to be written to one client; over it pushes are dropped (pull mode) and
    nothing more is read from that client."""
    max_missed_conversations: int = 1_000
    """Conversations of which one client in pull mode is told; one that misses more is closed."""
    max_running: int = 8
    """Requests of one client that are worked on at the same time, sends not counted."""
    request_timeout_s: float = 10.0
    stuck_timeout_s: float = 30.0
    """A client that takes nothing of what waits for it for so long is closed."""
    close_timeout_s: float = 3.0
    """How long a closed client has to read its last packet."""
    drain_timeout_s: float = 5.0
    """How long answers on their way are waited for when the gateway stops."""
    drain_window_s: float = 0.0
    """Over how long clients leave when there are other units; see ``farewell.py``."""
    drain_grace_s: float = 5.0
    """How long after that the last ones are waited for."""
    log_ins_per_s: float = 0.0
    """More are refused, and told when to come; 0: any number."""
    sessions_per_kind: int = 1
    """Sessions of one user on one kind of device; 0: any number. Bots: always any number."""
    requests_per_s: float = 200.0
    """Requests of one client, sends not counted; ``burst_s`` seconds' worth at once."""
    sends_per_s: float = 5_000.0
    burst_s: float = 5.0
    web_origins: tuple[str, ...] = ()
    """Origins (``https://chat.example``) of pages on other sites that may log in by password."""


class Counts:
    """What happened in a gateway since it started; plain integers, read when metrics are asked."""

    __slots__ = (
        "connections",
        "dropped_pushes",
        "input_bytes",
        "log_ins",
        "output_bytes",
        "pull_modes",
        "refusals",
        "refused_connections",
        "refused_log_ins",
        "requests",
        "sends",
        "stuck",
        "writes",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    connections: int
    dropped_pushes: int
    input_bytes: int
    log_ins: int
    output_bytes: int
    pull_modes: int
    refusals: int
    refused_connections: int
    refused_log_ins: int
    requests: int
    sends: int
    stuck: int
    writes: int

    def as_metrics(self) -> dict[str, int | float]:
        """All of them, with the suffix that counters have."""
        return {f"{name}_total": getattr(self, name) for name in self.__slots__}
