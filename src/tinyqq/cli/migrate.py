"""``tinyqq migrate``: brings the database to this version's schema."""

from __future__ import annotations

import asyncio

import typer

from tinyqq.app.offline import make_data_dir
from tinyqq.app.settings import Settings
from tinyqq.app.sources import shown_database
from tinyqq.cli import console, options
from tinyqq.errors import TinyQQError
from tinyqq.storage import migrate as schema
from tinyqq.storage.open import is_server, migrate_storage


def migrate(
    config: options.Config = None, data_dir: options.DataDir = None, set_: options.Set = None
) -> None:
    """Bring the database to this version's schema. `serve` does so by itself for SQLite only."""
    texts = console.texts()
    settings = options.load(config, {"data_dir": data_dir}, set_).settings
    try:
        asyncio.run(_migrate(settings))
    except (TinyQQError, OSError) as exc:
        options.fail_storage(exc, settings)
    typer.echo(texts("migrate.done", path=shown_database(settings), revision=schema.head()))


async def _migrate(settings: Settings) -> None:
    if not is_server(settings.database):
        make_data_dir(settings.data_dir)
    await migrate_storage(settings.database)
