"""What ends servers when nobody watches over them any more."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tinyqq.lab.servers.guard import Guard

pytestmark = pytest.mark.slow

PARENT = "sleep 100 & echo $!; wait"


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    """A process that has started another; both write into one pipe."""
    with subprocess.Popen(
        ["/bin/sh", "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process.kill()


def test_guard_when_its_end_is_near_then_whole_groups_are_killed(
    parent: subprocess.Popen[str],
) -> None:
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) != parent.pid
    with Guard() as guard:
        guard.watch([parent.pid])
    assert parent.stdout.read() == ""  # its end: the child has gone too
    assert parent.wait() == -9


def test_guard_when_told_anew_then_only_those_count(parent: subprocess.Popen[str]) -> None:
    with Guard() as guard:
        guard.watch([parent.pid])
        guard.watch([])
    assert parent.poll() is None


def test_guard_when_told_nothing_then_it_just_ends() -> None:
    with Guard():
        pass
