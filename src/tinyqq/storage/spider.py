"""What an administrator runs to spread the log over several servers by MariaDB's Spider engine.

A front holds everything by user, and of everything by conversation a table of the engine SPIDER,
whose partitions are tables on the shards. The front is what nodes connect to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Table
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable

from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.schema import chat_group, join_request, member, message, relation
from tinyqq.storage.shards import BUCKETS, PARTITION, spread

BY_CONVERSATION: Final = (message, member, relation, chat_group, join_request)
"""What lies on the conversation's shard; everything else stays with the front."""

_DIALECT: Final = mysql.dialect()


def shard_statements() -> Iterator[str]:
    """What makes an empty database a shard."""
    for table in BY_CONVERSATION:
        yield str(CreateTable(table).compile(dialect=_DIALECT)).strip()
        yield from _indexes(table)


def front_statements(shards: Sequence[MysqlAddress]) -> Iterator[str]:
    """What makes an empty database the front of these shards, before ``tinyqq migrate`` adds what
    lies on the front itself.

    Args:
        shards: one host each. Their order is part of the layout: new ones come last.
    """
    for number, shard in enumerate(shards, start=1):
        host, port = shard.hosts[0]
        options = [
            f"HOST {_quoted(host)}", f"PORT {port}", f"DATABASE {_quoted(shard.database)}",
            f"USER {_quoted(shard.user)}", f"PASSWORD {_quoted(shard.password)}",
        ]  # fmt: skip
        yield (
            f"CREATE SERVER tinyqq_{number} FOREIGN DATA WRAPPER mysql"
            f" OPTIONS ({', '.join(options)})"
        )
    partitions = ",\n".join(
        f" PARTITION {PARTITION % number} VALUES IN ({','.join(map(str, buckets))})"
        f""" COMMENT = 'srv "tinyqq_{number}"'"""
        for number, buckets in enumerate(spread(len(shards)), start=1)
    )
    for table in BY_CONVERSATION:
        created = str(CreateTable(table).compile(dialect=_DIALECT)).strip()
        yield (
            f"{created.replace('ENGINE=InnoDB', 'ENGINE=SPIDER')}"
            f""" COMMENT='wrapper "mysql", table "{table.name}"'\n"""
            f"PARTITION BY LIST (conversation_id MOD {BUCKETS}) (\n{partitions}\n)"
        )
        yield from _indexes(table)


def _indexes(table: Table) -> Iterator[str]:
    for index in table.indexes:
        yield str(CreateIndex(index).compile(dialect=_DIALECT))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
