"""Files, who has uploaded them, which messages refer to them, and uploads on their way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what an interrupted try has not."""
    _create(
        "blob",
        sa.Column("sha256", _binary(32), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=127), nullable=False),
        sa.Column("object_id", _binary(16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("has_thumbnail", sa.Boolean(), nullable=False),
        sa.Column("is_referred", sa.Boolean(), nullable=False),
        sa.Column("touched_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    _create(
        "blob_owner",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sha256", _binary(32), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "sha256"),
    )
    _create(
        "blob_reference",
        sa.Column("sha256", _binary(32), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sender_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("client_message_id", _binary(16), nullable=False),
        sa.Column("referred_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "conversation_id", "sender_id", "client_message_id"),
    )
    _create(
        "upload",
        sa.Column("upload_id", _binary(16), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=127), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.String(length=64), nullable=False),
        sa.Column("touched_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.String(length=64), nullable=False),
        sa.Column("is_finished", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("upload_id"),
    )
    _create(
        "upload_part",
        sa.Column("upload_id", _binary(16), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("nonce", _binary(8), nullable=False),
        sa.PrimaryKeyConstraint("upload_id", "offset_bytes"),
    )
    _index("ix_blob_owner_sha256", "blob_owner", "sha256")
    _index("ix_blob_unreferred", "blob", "is_referred", "touched_at_ms")
    _index("ix_upload_user", "upload", "user_id")
    _index("ix_upload_touched", "upload", "touched_at_ms")


def _binary(size: int) -> sa.types.TypeEngine[bytes]:
    return sa.LargeBinary(size).with_variant(mysql.BINARY(size), "mysql", "mariadb")


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        *parts,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _index(name: str, table: str, *columns: str) -> None:
    if name not in {one["name"] for one in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)
