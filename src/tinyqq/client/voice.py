"""How long a recording takes, told from the file itself: WAV, and Ogg with Opus or Vorbis."""

from __future__ import annotations

import struct
from typing import Final

_OPUS_HZ: Final = 48_000
_OGG_HEAD_BYTES: Final = 27
_NO_END: Final = -1
"""What an Ogg page says on which no packet ends."""


def duration_ms(recording: bytes) -> int:
    """In milliseconds, at least 1; 0 where the file does not say, or is of another kind."""
    try:
        if recording[:4] == b"RIFF" and recording[8:12] == b"WAVE":
            return _wav_ms(recording)
        if recording[:4] == b"OggS":
            return _ogg_ms(recording)
    except (struct.error, ZeroDivisionError):
        pass
    return 0


def _wav_ms(recording: bytes) -> int:
    at, bytes_per_s = 12, 0
    while at + 8 <= len(recording):
        name, size = struct.unpack_from("<4sI", recording, at)
        if name == b"fmt ":
            bytes_per_s = struct.unpack_from("<I", recording, at + 16)[0]
        elif name == b"data":
            # Whoever writes to a pipe does not know the size beforehand.
            return _ms(min(size, len(recording) - at - 8), bytes_per_s)
        at += 8 + size + size % 2
    return 0


def _ogg_ms(recording: bytes) -> int:
    """From the last page, which says how many samples there are up to its end."""
    head = recording[_OGG_HEAD_BYTES + recording[26] :] if len(recording) > _OGG_HEAD_BYTES else b""
    if head.startswith(b"OpusHead"):
        skipped, rate = struct.unpack_from("<H", head, 10)[0], _OPUS_HZ
    elif head.startswith(b"\x01vorbis"):
        skipped, rate = 0, struct.unpack_from("<I", head, 12)[0]
    else:
        return 0
    at = len(recording)
    while (at := recording.rfind(b"OggS", 0, at)) > 0:
        samples: int = struct.unpack_from("<q", recording, at + 6)[0]
        if samples != _NO_END:
            return _ms(samples - skipped, rate)
    return 0


def _ms(amount: int, per_s: int) -> int:
    return max(1, round(amount * 1000 / per_s)) if amount > 0 else 0
