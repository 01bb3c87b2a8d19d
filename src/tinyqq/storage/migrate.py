"""Bringing a database to the schema of this version; forward only."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, pool

from tinyqq.errors import ErrorCode, Unavailable

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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
