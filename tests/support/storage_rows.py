"""Rows written straight into the tables, for tests of functions over a connection."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, insert

from tinyqq.model.account import Account
from tinyqq.model.ids import ConversationId, UserId
from tinyqq.model.message import Entry
from tinyqq.storage.accounts import account_row
from tinyqq.storage.schema import account, message, user_conversation


def store_entries(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write entries."""
    names = [name for name in Entry._fields if name != "through_seq"]
    rows = [{name: getattr(one, name) for name in names} for one in entries]
    if rows:
        conn.execute(insert(message), rows)


def store_accounts(conn: Connection, *accounts: Account) -> None:
    """Write accounts."""
    conn.execute(insert(account), [account_row(one) for one in accounts])


def put_on_list(conn: Connection, user_id: UserId, *keys: ConversationId) -> None:
    """Put conversations into a user's list."""
    rows = [{"user_id": user_id, "conversation_id": key, "remark": ""} for key in keys]
    conn.execute(insert(user_conversation), rows)
