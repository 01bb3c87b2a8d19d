"""Tests that need a server which is not installed: left out and counted, or failures.

``@pytest.mark.needs("redis", …)`` names the servers of a test. Where ``make test`` installs them
itself (in CI, as root in a container) a missing one is a failure; elsewhere such tests are left
out, and one line says how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from tests.support import servers

_NOT_RUN: Final = pytest.StashKey[int]()
_MISSING: Final = pytest.StashKey[set[str]]()


def _missing(item: pytest.Item) -> list[str]:
    kinds = [kind for mark in item.iter_markers("needs") for kind in mark.args]
    return servers.missing(kinds)


@pytest.hookimpl(trylast=True)  # what -m and -k leave out does not count
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what cannot run here."""
    left_out = [item for item in items if _missing(item)]
    if not left_out or servers.may_install():
        return
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    _note(config, len(left_out), {kind for item in left_out for kind in _missing(item)})
    if hasattr(config, "workeroutput"):  # of pytest-xdist: only the controller prints
        config.workeroutput["not_run"] = (len(left_out), sorted(config.stash[_MISSING]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A missing server is a failure here, or the test would have been left out."""
    kinds = _missing(item)
    if kinds:
        pytest.fail(f"missing: {', '.join(kinds)}; run make test-deps", pytrace=False)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker of pytest-xdist left out the same tests."""
    count, kinds = getattr(node, "workeroutput", {}).get("not_run", (0, ()))
    if count:
        _note(node.config, count, kinds)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The one line."""
    config = terminalreporter.config
    if count := config.stash.get(_NOT_RUN, 0):
        kinds = ", ".join(sorted(config.stash[_MISSING]))
        terminalreporter.write_line(
            f"{count} not run: {kinds} not installed, run `sudo make test-deps`", yellow=True
        )


def _note(config: pytest.Config, count: int, kinds: Sequence[str] | set[str]) -> None:
    config.stash[_NOT_RUN] = count
    config.stash[_MISSING] = set(kinds)
