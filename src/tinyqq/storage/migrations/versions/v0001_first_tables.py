"""The first tables: the log, grants by conversation, lists and accounts by user."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create everything."""
    _create_log()
    _create_grants()
    _create_lists()
    _create_accounts()
    _create_shared()


def _binary(size: int) -> sa.types.TypeEngine[bytes]:
    return sa.LargeBinary(size).with_variant(mysql.BINARY(size), "mysql", "mariadb")


def _bytes(limit: int) -> sa.types.TypeEngine[bytes]:
    return sa.LargeBinary(limit).with_variant(mysql.VARBINARY(limit), "mysql", "mariadb")


def _body() -> sa.types.TypeEngine[bytes]:
    return sa.LargeBinary(16777215).with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def _create(name: str, *parts: sa.schema.SchemaItem) -> None:
    # MySQL does not roll back: the next try goes on behind the tables that are there already.
    op.create_table(
        name,
        *parts,
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )


def _create_log() -> None:
    _create(
        "message",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("sender_id", sa.Integer(), nullable=False),
        sa.Column("client_message_id", _binary(16), nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("body", _body(), nullable=False),
        sa.Column("writer", sa.Integer(), nullable=True),
        sa.Column("writer_pos", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("conversation_id", "seq"),
        sa.UniqueConstraint(
            "conversation_id", "sender_id", "client_message_id", name="uq_message_send"
        ),
    )


def _create_grants() -> None:
    _create(
        "member",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until_seq", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("card", sa.String(length=32), nullable=False),
        sa.Column("joined_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", "since_seq"),
    )
    _create(
        "relation",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_friend", sa.Boolean(), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), nullable=False),
        sa.Column("requested_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id"),
    )
    _create(
        "chat_group",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("join_policy", sa.SmallInteger(), nullable=False),
        sa.Column("announcement", sa.String(length=2000), nullable=False),
        sa.Column("member_limit", sa.Integer(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("dismissed_seq", sa.BigInteger(), nullable=False),
        sa.Column("members_seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    _create(
        "join_request",
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requested_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("invited_by", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "user_id"),
    )


def _create_lists() -> None:
    _create(
        "user_conversation",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("remark", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "conversation_id"),
    )
    _create(
        "cursor",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device_id", _binary(16), autoincrement=False, nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("delivered_seq", sa.BigInteger(), nullable=False),
        sa.Column("read_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id", "conversation_id"),
    )


def _create_accounts() -> None:
    _create(
        "account",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("nickname", sa.String(length=32), nullable=False),
        sa.Column("search_name", sa.String(length=96), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("recovery_hash", sa.String(length=255), nullable=False),
        sa.Column("signature", sa.String(length=200), nullable=False),
        sa.Column("avatar", sa.String(length=128), nullable=False),
        sa.Column("is_bot", sa.Boolean(), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("allow_strangers", sa.Boolean(), nullable=False),
        sa.Column("is_welcomed", sa.Boolean(), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("operation_id", _binary(16), nullable=True),
        sa.PrimaryKeyConstraint("user_id"),
        sa.UniqueConstraint("operation_id", name="uq_account_operation"),
    )
    _create(
        "device",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device_id", _binary(16), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("refresh_hash", _binary(32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "device_id"),
        sa.UniqueConstraint("refresh_hash", name="uq_device_refresh"),
    )


def _create_shared() -> None:
    _create(
        "counter",
        sa.Column("name", sa.String(length=32), autoincrement=False, nullable=False),
        sa.Column("next_value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    _create(
        "secret",
        sa.Column("name", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("value", _bytes(1024), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
