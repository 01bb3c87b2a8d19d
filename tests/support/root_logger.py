"""The root logger belongs to whoever runs the tests: what a test makes of it is undone."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture
def same_logging() -> Iterator[None]:
    """For tests of what configures logging: afterwards handlers and level are as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
