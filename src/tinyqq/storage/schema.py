"""The tables, once for every database. Changes go through a revision in ``migrations/versions``.

Tables *by conversation* (``message`` … ``join_request``) lie on the conversation's shard and are
written by the lane, in the transaction of the entry that changed them. Tables *by user* lie with
the user. No foreign keys, since they would cross shards, and no generated keys.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from tinyqq.model.account import (
    MAX_AVATAR_CHARS,
    MAX_DEVICE_NAME_CHARS,
    MAX_NICKNAME_CHARS,
    MAX_SIGNATURE_CHARS,
)
from tinyqq.model.friend import MAX_NOTE_CHARS, MAX_REMARK_CHARS
from tinyqq.model.group import MAX_ANNOUNCEMENT_CHARS, MAX_CARD_CHARS, MAX_GROUP_NAME_CHARS
from tinyqq.model.media import (
    MAX_FILE_NAME_CHARS,
    MAX_MEDIA_TYPE_CHARS,
    NONCE_BYTES,
    UPLOAD_ID_BYTES,
)

metadata: Final = MetaData()

_MAX_BODY_BYTES: Final = 16 * 1024 * 1024 - 1
_HASH_CHARS: Final = 255
_CASEFOLD_GROWTH: Final = 3
"""One character can become three when its case is folded."""
_SHA256_BYTES: Final = 32


def _binary(size: int) -> TypeEngine[bytes]:
    """Exactly *size* bytes."""
    return LargeBinary(size).with_variant(mysql.BINARY(size), "mysql", "mariadb")


def _bytes(limit: int) -> TypeEngine[bytes]:
    """At most *limit* bytes."""
    return LargeBinary(limit).with_variant(mysql.VARBINARY(limit), "mysql", "mariadb")


def _body() -> TypeEngine[bytes]:
    return LargeBinary(_MAX_BODY_BYTES).with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def _table(name: str, *parts: SchemaItem) -> Table:
    return Table(
        name,
        metadata,
        *parts,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        # Compared by code points, as SQLite does; what is searched for is kept case-folded.
        mysql_collate="utf8mb4_bin",
    )


def _key(name: str, type_: TypeEngine[int] | TypeEngine[bytes] | TypeEngine[str]) -> Column[object]:
    return Column(name, type_, primary_key=True, autoincrement=False)


def _whole(name: str) -> Column[int]:
    """A seq, a count or a time in milliseconds."""
    return Column(name, BigInteger, nullable=False)


message: Final = _table(
    "message",
    _key("conversation_id", BigInteger()),
    _key("seq", BigInteger()),
    _whole("ordinal"),
    Column("sender_id", Integer, nullable=False),
    Column("client_message_id", _binary(16), nullable=False),
    _whole("sent_at_ms"),
    Column("kind", SmallInteger, nullable=False),
    Column("body", _body(), nullable=False),
    # Who wrote the row, and the how-manieth of that writer it is: for units that tail the log.
    # A database of a single process leaves them empty.
    Column("writer", Integer),
    Column("writer_pos", BigInteger),
    UniqueConstraint("conversation_id", "sender_id", "client_message_id", name="uq_message_send"),
    Index("ix_message_tail", "writer", "writer_pos", "kind", info={"only_on": "mysql"}),
)
"""The log. The primary key is the fence between writers; the first eight columns are those of
:class:`tinyqq.model.message.Entry`, in its order."""

member: Final = _table(
    "member",
    _key("conversation_id", BigInteger()),
    _key("user_id", Integer()),
    _key("since_seq", BigInteger()),
    _whole("until_seq"),
    Column("role", SmallInteger, nullable=False),
    Column("card", String(MAX_CARD_CHARS), nullable=False),
    _whole("joined_at_ms"),
)
"""Intervals in which a user may read a group; ``until_seq`` STILL_IN: a present member."""

relation: Final = _table(
    "relation",
    _key("conversation_id", BigInteger()),
    _key("user_id", Integer()),
    Column("is_friend", Boolean, nullable=False),
    Column("is_blocked", Boolean, nullable=False),
    _whole("requested_at_ms"),
    Column("note", String(MAX_NOTE_CHARS), nullable=False),
)
"""What a user feels about the other user of a direct conversation."""

chat_group: Final = _table(
    "chat_group",
    _key("conversation_id", BigInteger()),
    Column("name", String(MAX_GROUP_NAME_CHARS), nullable=False),
    Column("join_policy", SmallInteger, nullable=False),
    Column("announcement", String(MAX_ANNOUNCEMENT_CHARS), nullable=False),
    Column("member_limit", Integer, nullable=False),
    _whole("created_at_ms"),
    _whole("dismissed_seq"),
    Column("members_seq", BigInteger, nullable=False, server_default="0"),
)
"""Groups. ``members_seq``: the last entry that changed who is in, kept by the append itself."""

join_request: Final = _table(
    "join_request",
    _key("conversation_id", BigInteger()),
    _key("user_id", Integer()),
    _whole("requested_at_ms"),
    Column("note", String(MAX_NOTE_CHARS), nullable=False),
    Column("invited_by", Integer, nullable=False),
)
"""Who waits at a group's door."""

user_conversation: Final = _table(
    "user_conversation",
    _key("user_id", Integer()),
    _key("conversation_id", BigInteger()),
    Column("remark", String(MAX_REMARK_CHARS), nullable=False),
)
"""A user's conversation list: a superset of what concerns the user."""

cursor: Final = _table(
    "cursor",
    _key("user_id", Integer()),
    _key("device_id", _binary(16)),
    _key("conversation_id", BigInteger()),
    _whole("delivered_seq"),
    _whole("read_seq"),
)
"""Cursors of a device, and of the account as a whole under ``ports.storage.ACCOUNT_DEVICE``."""

account: Final = _table(
    "account",
    _key("user_id", Integer()),
    Column("nickname", String(MAX_NICKNAME_CHARS), nullable=False),
    # The nickname with its case folded by Python: databases fold each in a way of its own.
    Column("search_name", String(MAX_NICKNAME_CHARS * _CASEFOLD_GROWTH), nullable=False),
    Column("password_hash", String(_HASH_CHARS), nullable=False),
    Column("recovery_hash", String(_HASH_CHARS), nullable=False),
    Column("signature", String(MAX_SIGNATURE_CHARS), nullable=False),
    Column("avatar", String(MAX_AVATAR_CHARS), nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("allow_strangers", Boolean, nullable=False),
    Column("is_welcomed", Boolean, nullable=False),
    _whole("created_at_ms"),
    _whole("deleted_at_ms"),
    _whole("last_seen_at_ms"),
    Column("operation_id", _binary(16)),
    UniqueConstraint("operation_id", name="uq_account_operation"),
)
"""Accounts. ``operation_id``: the request that made it; empty for accounts made in bulk."""

device: Final = _table(
    "device",
    _key("user_id", Integer()),
    _key("device_id", _binary(16)),
    Column("kind", SmallInteger, nullable=False),
    Column("name", String(MAX_DEVICE_NAME_CHARS), nullable=False),
    Column("refresh_hash", _binary(32), nullable=False),
    _whole("created_at_ms"),
    _whole("last_seen_at_ms"),
    UniqueConstraint("refresh_hash", name="uq_device_refresh"),
)
"""Devices that can log in by token."""

counter: Final = _table(
    "counter",
    _key("name", String(32)),
    _whole("next_value"),
)
"""Numbers to hand out."""

secret: Final = _table(
    "secret",
    _key("name", String(64)),
    Column("value", _bytes(1024), nullable=False),
)
"""Keys that every node shares."""

blob: Final = _table(
    "blob",
    _key("sha256", _binary(_SHA256_BYTES)),
    _whole("size_bytes"),
    Column("media_type", String(MAX_MEDIA_TYPE_CHARS), nullable=False),
    Column("object_id", _binary(UPLOAD_ID_BYTES), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("has_thumbnail", Boolean, nullable=False),
    Column("is_referred", Boolean, nullable=False),
    _whole("touched_at_ms"),
    Index("ix_blob_unreferred", "is_referred", "touched_at_ms"),
)
"""Files by content. ``is_referred``: some message refers to it, or did."""

blob_owner: Final = _table(
    "blob_owner",
    _key("user_id", Integer()),
    _key("sha256", _binary(_SHA256_BYTES)),
    Column("name", String(MAX_FILE_NAME_CHARS), nullable=False, server_default=text("''")),
    Column("added_at_ms", BigInteger, nullable=False, server_default="0"),
    Index("ix_blob_owner_sha256", "sha256"),
)
"""Who has uploaded which file."""

media_account: Final = _table(
    "media_account",
    _key("user_id", Integer()),
    _whole("announced"),
)
"""How many files an account has announced. Whoever announces one writes this row first, so that two
at the same moment come one after the other, also on different nodes of a cluster."""

blob_reference: Final = _table(
    "blob_reference",
    _key("sha256", _binary(_SHA256_BYTES)),
    _key("conversation_id", BigInteger()),
    _key("sender_id", Integer()),
    _key("client_message_id", _binary(16)),
    _whole("referred_at_ms"),
)
"""Messages that refer to files, written before they are sent: what became of one the log says."""

upload: Final = _table(
    "upload",
    _key("upload_id", _binary(UPLOAD_ID_BYTES)),
    Column("user_id", Integer, nullable=False),
    Column("media_type", String(MAX_MEDIA_TYPE_CHARS), nullable=False),
    _whole("size_bytes"),
    Column("expected", String(2 * _SHA256_BYTES), nullable=False),
    _whole("touched_at_ms"),
    _whole("offset_bytes"),
    Column("blob_id", String(2 * _SHA256_BYTES), nullable=False),
    Column("is_finished", Boolean, nullable=False),
    Column("name", String(MAX_FILE_NAME_CHARS), nullable=False, server_default=text("''")),
    Index("ix_upload_user", "user_id"),
    Index("ix_upload_touched", "touched_at_ms"),
)
"""Files on their way, and (touched at 0) what is left of files to be deleted."""

upload_part: Final = _table(
    "upload_part",
    _key("upload_id", _binary(UPLOAD_ID_BYTES)),
    _key("offset_bytes", BigInteger()),
    _whole("size_bytes"),
    Column("nonce", _binary(NONCE_BYTES), nullable=False),
)
"""What is here of an upload."""
