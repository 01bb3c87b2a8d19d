"""What ``tinyqq up`` shows: a map of what runs where, and a line for each thing that happens."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import typer

from tinyqq import __version__
from tinyqq.cli.texts import Texts
from tinyqq.lab.cluster import Event
from tinyqq.lab.cluster_folder import ClusterFolder, ProcessState
from tinyqq.lab.cluster_plan import ClusterPlan

_COLORS: Final = (
    typer.colors.CYAN,
    typer.colors.GREEN,
    typer.colors.MAGENTA,
    typer.colors.BLUE,
    typer.colors.BRIGHT_CYAN,
    typer.colors.BRIGHT_GREEN,
    typer.colors.BRIGHT_MAGENTA,
    typer.colors.BRIGHT_BLUE,
)
_LEVELS: Final = {
    "warning": typer.colors.YELLOW,
    "error": typer.colors.RED,
    "critical": typer.colors.RED,
}
_NAME_WIDTH: Final = 11


class UpView:
    """Prints on stdout; without colours where it is not a terminal."""

    def __init__(self, plan: ClusterPlan, folder: ClusterFolder, say: Texts) -> None:
        self._plan = plan
        self._folder = folder
        self._say = say
        self._colors: dict[str, str] = {}

    def show(self, event: Event) -> None:
        """One line: when, who, what."""
        if event.what == "log":
            self._line(event.name, event.detail, event.level)
            return
        log = _shown(self._folder.logs / f"{event.name}.log")
        text = self._say(f"event.{event.what}", detail=event.detail, log=log)
        self._line(event.name, text, event.level)
        if event.what in {"died", "ended", "killed"} and self._folder.control.exists():
            control = _shown(self._folder.control)
            self._line(event.name, self._say("up.again", name=event.name, control=control))

    def show_map(self, processes: Sequence[ProcessState], *, seconds: float) -> None:
        """What runs where, and what to do with it."""
        plan, say = self._plan, self._say
        typer.echo()
        typer.secho(
            say("map.ready", version=__version__, units=len(plan.units), seconds=seconds),
            bold=True,
        )
        for one in processes:
            where = "   ".join(one.urls) or (f"127.0.0.1:{one.port}" if one.port else "")
            name = typer.style(f"{one.name:{_NAME_WIDTH}}", fg=self._color(one.name))
            typer.echo(f"  {name}  {one.pid or '':>7}  {where}")
        typer.echo()
        unit = plan.units[-1]
        settings, control = _shown(plan.settings_file), _shown(self._folder.control)
        typer.echo(say("map.front", http=plan.nginx.http_url, tcp=plan.nginx.tcp_url))
        typer.echo(say("map.chat", http=plan.nginx.http_url))
        typer.echo(say("map.direct", http=unit.http_url))
        typer.echo(say("map.people", settings=settings))
        typer.echo(say("map.nodes", settings=settings))
        typer.echo(say("map.drain", name=unit.name, settings=settings))
        typer.echo(say("map.more", settings=settings))
        typer.echo(say("map.orders", name=unit.name, control=control))
        typer.echo(say("map.logs", path=_shown(self._folder.logs)))
        typer.echo(say("map.stop", path=_shown(self._folder.path)))
        typer.echo()

    def _line(self, name: str, text: str, level: str = "info") -> None:
        who = typer.style(f"{name:{_NAME_WIDTH}}", fg=self._color(name))
        what = typer.style(text, fg=_LEVELS[level]) if level in _LEVELS else text
        typer.echo(f"{time.strftime('%H:%M:%S')}  {who}  {what}")

    def _color(self, name: str) -> str:
        return self._colors.setdefault(name, _COLORS[len(self._colors) % len(_COLORS)])


def _shown(path: Path) -> str:
    """As somebody here types it."""
    here = Path.cwd()
    return shlex.quote(str(path.relative_to(here) if path.is_relative_to(here) else path))
