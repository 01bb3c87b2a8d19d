"""The ``tinyqq`` command: a table of commands, each loaded when it is called.

Loading a server takes a second; whoever wants to chat, or to see what commands there are, should
not wait for it.
"""

from __future__ import annotations

import importlib
import platform
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from tinyqq import __version__
from tinyqq.cli.console import EXIT_CODES

COMMANDS: Final = {
    "serve": "Run a server until Ctrl-C. It keeps everything in its data folder.",
    "chat": "Talk from the terminal. TINYQQ_PASSWORD holds the password for scripts.",
    "demo": "Run a server with people to log in as. Without --data-dir nothing is kept.",
    "user": "Make, list and change accounts, whether or not the server runs.",
    "config": "Show the settings.",
    "doctor": "Check the environment, and say what to do about what is not right.",
    "migrate": "Bring the database to this version's schema. `serve` does so by itself for SQLite "
    "only.",
    "schema": "Print the SQL that spreads the log over several MariaDB servers by the engine "
    "Spider.",
    "nodes": "List the nodes of the cluster: what they do, how busy they are, whether they are "
    "leaving.",
    "drain": "Ask a node to leave, its clients first.",
    "nginx": "Print an nginx configuration for the units that the registry shows.",
    "up": "Run a whole cluster on this machine, to try it out, until Ctrl-C.",
    "down": "Stop the cluster of `tinyqq up` in order, and wait until it is gone.",
}
"""Each is a module of this package with a function of its name, or with a group ``app``; and what
that says of itself first."""


class _Later(TyperCommand):
    """A command as the list of all shows it; loaded when it is called."""

    # Any: typer brings a click of its own, whose types it does not show.
    def make_context(self, *arguments: Any, **more: Any) -> Any:
        """The context of the command itself."""
        assert self.name is not None
        return load_command(self.name).make_context(*arguments, **more)


class _Commands(TyperGroup):
    """Finds commands by the table, and those defined here besides."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the table."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, not loaded yet."""
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        return _Later(cmd_name, help=COMMANDS[cmd_name])


def load_command(name: str) -> Any:
    """A command of the table."""
    module = importlib.import_module(f"tinyqq.cli.{name}")
    group: typer.Typer | None = getattr(module, "app", None)
    if group is None:
        group = typer.Typer(add_completion=False)
        group.command(name)(getattr(module, name))
    command = typer.main.get_command(group)
    command.name = name
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
