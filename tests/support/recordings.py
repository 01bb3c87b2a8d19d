"""Recordings for tests."""

from __future__ import annotations

import io
import wave


def wav(seconds: float, rate: int = 8_000) -> bytes:
    """Silence, 16 bits, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(bytes(2 * round(seconds * rate)))
    return file.getvalue()
