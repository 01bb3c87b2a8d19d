"""What tests need to know about servers besides the recipes in :mod:`tinyqq.lab.servers`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def may_install() -> bool:
    """Whether ``make test`` installs servers here, so that a missing one is a failure.

    The rule is in scripts/test-deps.sh alone.
    """
    script = Path(__file__).parents[2] / "scripts" / "test-deps.sh"
    return subprocess.run([script, "allowed"], check=False, timeout=60).returncode == 0


def safe_name(text: str) -> str:
    """A test's name as part of a path, a key or a database."""
    return re.sub(r"\W+", "_", text).strip("_")[-60:]
