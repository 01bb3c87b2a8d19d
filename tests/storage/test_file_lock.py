"""One holder at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyqq.errors import Unavailable
from tinyqq.storage.file_lock import FileLock


def test_lock_when_somebody_has_it_then_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with FileLock(path), pytest.raises(Unavailable) as caught, FileLock(path):
        pass
    assert caught.value.fields == {
        "reason": "another process uses this database",
        "lock_file": str(path),
    }


def test_lock_when_let_go_then_free_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with FileLock(path):
        pass
    assert path.exists()
    with FileLock(path):
        pass
