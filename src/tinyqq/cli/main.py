"""The ``tinyqq`` command."""

from __future__ import annotations

import platform

import typer

from tinyqq import __version__
from tinyqq.cli import chat, config, demo, doctor, migrate, serve, user
from tinyqq.cli.options import EXIT_CODES

app = typer.Typer(
    name="tinyqq",
    help="TinyQQ: a self-hosted, QQ-like instant-messaging system.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.command()(chat.chat)
app.command()(demo.demo)
app.add_typer(config.app, name="config")
app.add_typer(user.app, name="user")
app.command()(doctor.doctor)
app.command()(migrate.migrate)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"tinyqq {__version__}, Python {platform.python_version()}")
