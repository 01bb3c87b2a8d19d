"""What links may hold, and how long they wait; and the options of gRPC that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class LinkLimits:
    """Bounds of the links to one node.

    ``max_sends``: sends that may be unanswered at a time; the other side keeps as many places.
    ``send_timeout_s``: after it a send is answered with TIMED_OUT; longer than the longest stall of
    a database that still commits in the end. ``avoid_s``: after a stream of sends broke, how long
    other nodes go first. ``stop_s``: how long what waits may still be written.
    """

    max_buffer_bytes: int = 8 * 1024 * 1024
    max_buffer_age_s: float = 5.0
    max_write_bytes: int = 512 * 1024
    max_sends: int = 4096
    max_send_bytes: int = 8 * 1024 * 1024
    open_timeout_s: float = 3.0
    write_timeout_s: float = 5.0
    send_timeout_s: float = 10.0
    avoid_s: float = 2.0
    stop_s: float = 2.0
    first_wait_s: float = 0.1
    last_wait_s: float = 2.0


_MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
_EITHER_SIDE: Final = (
    ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
    # A peer that hangs (SIGSTOP, a cut cable) is found out within three seconds.
    ("grpc.keepalive_time_ms", 1_000),
    ("grpc.keepalive_timeout_ms", 2_000),
    ("grpc.http2.ping_timeout_ms", 2_000),  # the one above alone does not end it
    ("grpc.http2.max_pings_without_data", 0),
)
CHANNEL_OPTIONS: Final = (
    *_EITHER_SIDE,
    # Otherwise channels share connections, and one's failure delays another.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
SERVER_OPTIONS: Final = (
    *_EITHER_SIDE,
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 500),
    ("grpc.http2.max_ping_strikes", 0),
)
