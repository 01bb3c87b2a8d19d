"""``tinyqq schema``: the SQL that spreads the log over several servers."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from tinyqq.errors import InvalidRequest
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.spider import front_statements, shard_statements

_SHARD: Final = """\
-- Run this in an empty database of every shard (or `tinyqq migrate` against it), on a server with
-- innodb_lock_wait_timeout = 2, idle_write_transaction_timeout = 2 and
-- innodb_flush_log_at_trx_commit = 1."""
_FRONT: Final = """\
-- Run this in an empty database of the front, once the shards have their tables; the plugin
-- ha_spider is loaded there. Then run `tinyqq migrate` against the front, and let nodes use it."""


def schema(
    spider: Annotated[
        str | None,
        typer.Option(
            metavar="URL,URL…",
            help="Print it for a front of these shards: mysql+asyncmy://user:password@host/database"
            " each. Their order is part of the layout.",
        ),
    ] = None,
    *,
    shard: Annotated[bool, typer.Option("--shard", help="Print it for a shard.")] = False,
) -> None:
    """Print the SQL that spreads the log over several MariaDB servers by the engine Spider."""
    if (spider is None) != shard:
        raise typer.BadParameter("either --spider or --shard")
    if spider is None:
        comment, statements = _SHARD, shard_statements()
    else:
        comment, statements = _FRONT, front_statements(_addresses(spider))
    typer.echo(comment)
    for statement in statements:
        typer.echo(f"{statement};")


def _addresses(urls: str) -> list[MysqlAddress]:
    try:
        addresses = [MysqlAddress.from_url(url.strip()) for url in urls.split(",")]
    except InvalidRequest as error:
        raise typer.BadParameter(str(error.fields["reason"]), param_hint="--spider") from error
    if len(addresses) < 2:
        raise typer.BadParameter("one shard is no shard", param_hint="--spider")
    return addresses
