"""``tinyqq down``: ends what ``tinyqq up`` runs, from elsewhere."""

from __future__ import annotations

import os
import signal
from typing import Final

import typer

from tinyqq.cli import console, options
from tinyqq.cli.texts import Texts
from tinyqq.cli.up_texts import UP_TEXTS
from tinyqq.lab.cluster_folder import ClusterFolder

_TIMEOUT_S: Final = 120.0
"""Longer than units take that wait for their clients to leave."""


def down(*, dir_: options.ClusterDir = options.CLUSTER_DIR) -> None:
    """Stop the cluster of `tinyqq up` in order, and wait until it is gone."""
    say = Texts(console.texts().language, UP_TEXTS)
    folder = ClusterFolder(dir_.absolute())
    state = folder.wait_state() if folder.is_in_use() else None
    if state is None:
        typer.echo(say("down.nothing", path=folder.path))
        return
    count = sum(one.pid is not None for one in state.processes)
    typer.echo(say("down.stopping", count=count, path=folder.path))
    os.kill(state.pid, signal.SIGTERM)
    if not folder.wait_unused(_TIMEOUT_S):
        console.fail(say("down.stuck", seconds=_TIMEOUT_S, pid=state.pid))
    typer.echo(say("down.stopped"))
