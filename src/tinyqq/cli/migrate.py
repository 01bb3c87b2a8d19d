"""``tinyqq migrate``: brings the database to this version's schema."""

from __future__ import annotations

import asyncio

import typer

from tinyqq.app.offline import make_data_dir
from tinyqq.app.settings import Settings
from tinyqq.cli import console, options
from tinyqq.errors import TinyQQError
from tinyqq.storage import migrate as schema
from tinyqq.storage.open import open_storage


def migrate(
    config: options.Config = None, data_dir: options.DataDir = None, set_: options.Set = None
) -> None:
    """Bring the database to this version's schema. `serve` does so by itself for SQLite."""
    texts = console.texts()
    settings = options.load(config, {"data_dir": data_dir}, set_).settings
    try:
        asyncio.run(_open_once(settings))
    except (TinyQQError, OSError) as exc:
        options.fail_storage(exc, settings)
    typer.echo(texts("migrate.done", path=settings.database, revision=schema.head()))


async def _open_once(settings: Settings) -> None:
    """Opening an embedded database upgrades it, under the lock that a node also takes."""
    make_data_dir(settings.data_dir)
    async with open_storage(settings.database):
        pass
