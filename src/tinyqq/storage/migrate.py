"""Bringing a database to the schema of this version; forward only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, pool
from sqlalchemy.schema import SchemaItem

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.storage.schema import metadata

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def head() -> str:
    """The revision that this version of the program works with."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "the package holds no revision"
    return revision


def current(url: str) -> str | None:
    """The revision of a database; ``None`` before the first migration."""
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(url: str) -> None:
    """Apply what is missing, in one transaction per revision where the database can."""
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        upgrade_connection(connection)


def upgrade_connection(connection: Connection) -> None:
    """The same over a connection in a transaction; the caller commits.

    Raises:
        Unavailable: the database is at a revision that this version does not know.
    """
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Unavailable(
            ErrorCode.UNAVAILABLE, reason="the database belongs to a newer version"
        ) from error


def differences(connection: Connection) -> list[object]:
    """What another revision would have to change to reach the tables of ``storage.schema``."""

    def is_meant(item: SchemaItem, *_: object) -> bool:
        return bool(item.info.get("only_on", connection.dialect.name) == connection.dialect.name)

    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "compare_server_default": True,
            "include_object": is_meant,
        },
    )
    return list(compare_metadata(context, metadata))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
