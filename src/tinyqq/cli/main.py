"""The ``tinyqq`` command: a table of commands, each loaded when it is called.

Loading a server takes a second; whoever wants to chat should not wait for it.
"""

from __future__ import annotations

import importlib
import platform
from typing import Any, Final

import typer
from typer.core import TyperGroup

from tinyqq import __version__
from tinyqq.cli.console import EXIT_CODES

_COMMANDS: Final = (
    "serve",
    "chat",
    "demo",
    "user",
    "config",
    "doctor",
    "migrate",
    "nodes",
    "drain",
    "nginx",
    "up",
    "down",
)
"""Each is a module of this package with a function of its name, or with a group ``app``."""


class _Commands(TyperGroup):
    """Finds commands by the table, and those defined here besides."""

    # Any: typer brings a click of its own, whose types it does not show.
    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return [*_COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, loaded now."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module = importlib.import_module(f"tinyqq.cli.{cmd_name}")
        group: typer.Typer | None = getattr(module, "app", None)
        if group is None:
            group = typer.Typer(add_completion=False)
            group.command(cmd_name)(getattr(module, cmd_name))
        command = typer.main.get_command(group)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    name="tinyqq",
    help="TinyQQ: a self-hosted, QQ-like instant-messaging system.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def tinyqq() -> None:
    """Makes the table a group although one command alone is defined here."""


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"tinyqq {__version__}, Python {platform.python_version()}")


if __name__ == "__main__":  # how a cluster on one machine starts its nodes
    app()
