"""What owners call their files and since when they have them, and a row to announce files under."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NAME_CHARS = 200
_BLOB = sa.table("blob", sa.column("sha256"), sa.column("touched_at_ms"))
_OWNER = sa.table("blob_owner", sa.column("sha256"), sa.column("added_at_ms"))


def upgrade() -> None:
    """Add what an interrupted try has not."""
    for table in ("upload", "blob_owner"):
        _add(table, "name", sa.String(length=_NAME_CHARS), default="''")
    _add("blob_owner", "added_at_ms", sa.BigInteger(), default="0")
    op.create_table(
        "media_account",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("announced", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    # Of files that are there nothing says better when they came.
    touched = sa.select(_BLOB.c.touched_at_ms).where(_BLOB.c.sha256 == _OWNER.c.sha256)
    op.execute(
        sa.update(_OWNER)
        .where(_OWNER.c.added_at_ms == 0)
        .values(added_at_ms=sa.func.coalesce(touched.scalar_subquery(), 0))
    )


def _add(table: str, name: str, type_: sa.types.TypeEngine[Any], *, default: str) -> None:
    if name not in {one["name"] for one in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(
            table, sa.Column(name, type_, nullable=False, server_default=sa.text(default))
        )
