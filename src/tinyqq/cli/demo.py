"""``tinyqq demo``: a server with people, friendships, a group and a bot to try."""

from __future__ import annotations

import tempfile
from pathlib import Path

import typer

from tinyqq.cli import options, serve
from tinyqq.cli.demo_people import PASSWORD, Demo, People
from tinyqq.cli.texts import Texts


def demo(
    *,
    host: options.Host = None,
    tcp_port: options.TcpPort = None,
    http_port: options.HttpPort = None,
    data_dir: options.DataDir = None,
    log_level: options.LogLevel = "warning",
    set_: options.Set = None,
) -> None:
    """Run a server with people to log in as. Without --data-dir nothing is kept."""
    flags = {
        "listen.host": host,
        "listen.tcp_port": tcp_port,
        "listen.http_port": http_port,
        "log.level": log_level,
    }
    with tempfile.TemporaryDirectory(prefix="tinyqq-demo-") as temporary:
        folder = data_dir or Path(temporary)
        loaded = options.load(None, {**flags, "data_dir": folder}, set_)
        world = Demo(loaded.settings.data_dir)
        serve.run(
            loaded,
            attend=world.attend,
            tell=lambda texts: tell(world.people, texts),
        )


def tell(people: People | None, texts: Texts) -> None:
    """Print whom to log in as."""
    assert people is not None, "told before they were made"
    typer.secho(texts("demo.people"), bold=True)
    for person in people.people:
        typer.echo(
            texts(
                "demo.person",
                user_id=person.user_id,
                nickname=person.nickname,
                password=PASSWORD,
            )
        )
    for person in people.people:
        if person.is_admin:
            typer.echo(texts("demo.admin", nickname=person.nickname))
    typer.echo(texts("demo.bot", user_id=people.bot.user_id, nickname=people.bot.nickname))
    typer.echo(texts("demo.group", group_id=people.group_id, name=people.group_name))
