"""What the disk itself does: no durable message can be faster than one fdatasync.

.venv/bin/python -m bench.disk [DIRECTORY]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

_WRITES = 1_000
_PAUSE_S = 0.002
"""As at 500 messages a second: a disk that is left in peace between writes."""
_sync = getattr(os, "fdatasync", os.fsync)


def describe_disk(directory: Path | None) -> str:
    """One line: how long 4 KiB take to be durable, p50, p99 and the longest."""
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        took_ms = sorted(_write_ms(file.fileno()) for _ in range(_WRITES))
    p50, p99, longest = took_ms[_WRITES // 2], took_ms[_WRITES * 99 // 100], took_ms[-1]
    return f"disk: 4 KiB durable in {p50:.2f} ms (p50), {p99:.2f} ms (p99), {longest:.2f} ms (max)"


def _write_ms(descriptor: int) -> float:
    time.sleep(_PAUSE_S)
    start_s = time.perf_counter()
    os.write(descriptor, bytes(4096))
    _sync(descriptor)
    return (time.perf_counter() - start_s) * 1_000


if __name__ == "__main__":
    print(describe_disk(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
