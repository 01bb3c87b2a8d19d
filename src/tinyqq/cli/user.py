"""``tinyqq user``: accounts, from the operator's side; whether or not the server runs."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyqq.app.control import ask_node, perform
from tinyqq.app.offline import open_admin
from tinyqq.app.settings import Settings
from tinyqq.cli import console, options
from tinyqq.cli.console import ExitCode
from tinyqq.errors import InvalidRequest, TinyQQError, Unavailable

app = typer.Typer(
    help="Make, list and change accounts, whether or not the server runs.",
    no_args_is_help=True,
    add_completion=False,
)

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="The account's number.")]
Password = Annotated[
    str | None,
    typer.Option(
        "--password",
        envvar="TINYQQ_PASSWORD",
        help="The password. Without it add makes one and shows it, passwd asks for it.",
    ),
]


@app.command()
def add(
    nickname: Annotated[str, typer.Argument(help="What others see.")],
    *,
    bot: Annotated[bool, typer.Option("--bot", help="A bot: prints a token.")] = False,
    admin: Annotated[bool, typer.Option("--admin", help="May administer the server.")] = False,
    password: Password = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Make an account and print its number."""
    texts = console.texts()
    made = "" if bot or password else _new_password()
    rows = _ask(
        _settings(config, data_dir),
        "add",
        nickname=nickname,
        password=password or made,
        is_bot=bot,
        is_admin=admin,
    )
    typer.echo(texts("user.added", **rows[0]))
    for row in rows[1:]:
        typer.echo(texts("user.token", **row))
    if made:
        typer.echo(texts("user.password_made", password=made))


@app.command()
def passwd(
    number: Number,
    *,
    password: Password = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Set a password, which must be changed at the next log-in; logs out every device."""
    texts = console.texts()
    settings = _settings(config, data_dir)
    if password is None:
        password = typer.prompt(
            texts("user.ask_password"), hide_input=True, confirmation_prompt=True
        )
    _ask(settings, "passwd", user_id=number, password=password)
    typer.echo(texts("user.password_set", user_id=number))
    typer.echo(texts("user.must_change"))


@app.command("list")
def list_(config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Print every account."""
    rows = _ask(_settings(config, data_dir), "list")
    if not rows:
        typer.echo(console.texts()("user.none"), err=True)
    for row in rows:
        marks = [name for name in ("bot", "admin", "disabled") if row[f"is_{name}"]]
        typer.echo(f"{row['user_id']}  {row['nickname']}  {' '.join(marks)}".rstrip())


@app.command()
def disable(
    number: Number, config: options.Config = None, data_dir: options.DataDir = None
) -> None:
    """Shut an account out, at once."""
    _ask(_settings(config, data_dir), "disable", user_id=number)
    typer.echo(console.texts()("user.disabled", user_id=number))


@app.command()
def enable(number: Number, config: options.Config = None, data_dir: options.DataDir = None) -> None:
    """Let a disabled account in again."""
    _ask(_settings(config, data_dir), "enable", user_id=number)
    typer.echo(console.texts()("user.enabled", user_id=number))


def _settings(config: Path | None, data_dir: Path | None) -> Settings:
    return options.load(config, {"data_dir": data_dir}).settings


def _ask(settings: Settings, call: str, **arguments: Any) -> list[dict[str, Any]]:
    """The answer; ends the command with a message when there is none."""
    texts = console.texts()
    try:
        return asyncio.run(_ask_whoever_is_there(settings, call, arguments))
    except (Unavailable, OSError) as exc:
        options.fail_storage(exc, settings)
    except InvalidRequest as exc:
        console.fail(texts("error.refused", reason=exc), ExitCode.USAGE)
    except TinyQQError as exc:
        console.fail(texts("error.refused", reason=exc))


async def _ask_whoever_is_there(
    settings: Settings, call: str, arguments: dict[str, Any]
) -> list[dict[str, Any]]:
    answer = await ask_node(settings.data_dir, call, arguments)
    if answer is not None:
        return answer
    async with open_admin(settings) as admin:
        return [row async for row in perform(admin, call, arguments)]


def _new_password() -> str:
    return secrets.token_urlsafe(9)
