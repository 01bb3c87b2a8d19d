"""The seam between the stores and a database: where a piece of synchronous SQL is run.

Stores are written once, as functions over a synchronous ``sqlalchemy.Connection``; a database
decides in which thread and in what transaction they run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Executable

from tinyqq.model.ids import ConversationId
from tinyqq.model.message import Entry
from tinyqq.storage.shards import Shards

T = TypeVar("T")
Work = Callable[[Connection], T]


class Database(Protocol):
    """A database, reached. Errors of drivers and of SQLAlchemy do not travel beyond it."""

    @property
    def max_batch_bytes(self) -> int:
        """How large a batch may be to be appended at once, counted as a lane counts."""
        ...

    @property
    def writers(self) -> Mapping[int, int]:
        """The numbers under which this process appends now, and the position of the last row that
        is known to be written under each. Empty where nobody else reads the log."""
        ...

    @property
    def shards(self) -> Shards:
        """Where conversations lie. A batch that is appended, with its work, is of one shard."""
        ...

    async def read(self, work: Work[T], *, about: Iterable[ConversationId] | None = ()) -> T:
        """Run *work*, all of whose statements see the database as of one moment (each shard as of
        one moment).

        Args:
            about: conversations of which *work* reads rows; None: which they are is not known yet.
                While a shard is away this tells who has to wait for it.

        Raises:
            Unavailable: it cannot be reached, or has too much to do.
        """
        ...

    async def write(self, work: Work[T]) -> T:
        """Run *work* in one transaction, durable on return; nothing is written when it raises.

        Raises:
            Conflict: a unique key was taken.
            Unavailable: it cannot be reached, or has too much to do.
        """
        ...

    async def append(self, entries: Sequence[Entry], work: Work[None] | None) -> None:
        """Insert rows of the log the fastest way there is, then run *work*, in one transaction.

        Args:
            work: may only execute statements, without looking at results.

        Raises:
            AppendFailed: as in ``ports.storage.LogWriter.append``.
            Unavailable: it cannot be reached; nothing was sent.
        """
        ...

    def counters(self) -> dict[str, int | float]:
        """Counts since the start, and how much waits."""
        ...


def only(statement: Executable) -> Work[None]:
    """The work of running one statement whose result nobody wants."""

    def work(conn: Connection) -> None:
        conn.execute(statement)

    return work
