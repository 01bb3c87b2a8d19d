"""What the test run itself does about servers that are not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NEEDS_ONE = "tests/presence/test_redis_client.py"
"""A file in which one test needs Redis, and others do not."""


def run_tests(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run that file where no program is installed."""
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEEDS_ONE, *arguments],
        cwd=ROOT,
        env={"PATH": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_run_when_a_server_is_missing_on_a_laptop_then_left_out_and_counted_once(
    workers: str,
) -> None:
    code, printed = run_tests("-n", workers)
    line = "1 not run: redis not installed, run `sudo make test-deps`"
    assert (code, printed.count(line)) == (0, 1)


def test_run_when_a_server_is_missing_in_ci_then_a_failure() -> None:
    code, printed = run_tests(CI="true")
    assert code == 1
    assert "missing: redis; run make test-deps" in printed
    assert "not run" not in printed
