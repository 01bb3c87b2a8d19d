"""Which storages the contract suites run on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

KINDS: Final = ("sqlite",)


def fresh_url(kind: str, folder: Path) -> str:
    """The address of a database that is empty and belongs to one test alone."""
    assert kind == "sqlite"
    return f"sqlite:///{folder / 'tinyqq.db'}"
