"""What a client keeps from one run to the next: who it is, where it was, what is still to be sent.

A store belongs to one device and holds one account at a time. Positions are saved at the moment an
entry is handed out, so a client that comes back hands out exactly what it has not yet.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from tinyqq.client.outbox import Outgoing
from tinyqq.model.ids import ConversationId, DeviceId, OperationId, Seq, UserId
from tinyqq.model.sync import Position


@dataclass(frozen=True, slots=True)
class Saved:
    """All that a store holds. ``user_id`` 0 and an empty token: nobody is logged in."""

    device_id: DeviceId
    user_id: UserId = UserId(0)
    refresh_token: str = ""
    positions: tuple[Position, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()


class Store(Protocol):
    """Where a client keeps its things. Calls are short and do not block the event loop for long."""

    def load(self) -> Saved:
        """Everything; the device id is made at the first call and never changes."""
        ...

    def save_account(self, user_id: UserId, refresh_token: str) -> None:
        """Remember who logged in; another user's positions and messages are forgotten.

        An empty token forgets the log-in and keeps the rest.
        """
        ...

    def save_positions(self, positions: Iterable[Position]) -> None:
        """Remember up to where conversations were handed out."""
        ...

    def put_outgoing(self, outgoing: Outgoing) -> None:
        """Remember a message until it is acknowledged."""
        ...

    def drop_outgoing(self, client_message_id: OperationId) -> None:
        """Forget it; no effect when it is not there."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class MemoryStore:
    """A store that lasts as long as the object: for tests and for programs that start afresh."""

    def __init__(self) -> None:
        self._device_id = DeviceId(os.urandom(16))
        self._user_id = UserId(0)
        self._refresh_token = ""
        self._positions: dict[ConversationId, Seq] = {}
        self._outgoing: dict[OperationId, Outgoing] = {}

    def load(self) -> Saved:
        """See :meth:`Store.load`."""
        return Saved(
            self._device_id,
            self._user_id,
            self._refresh_token,
            tuple(Position(*pair) for pair in self._positions.items()),
            tuple(self._outgoing.values()),
        )

    def save_account(self, user_id: UserId, refresh_token: str) -> None:
        """See :meth:`Store.save_account`."""
        if user_id != self._user_id:
            self._positions.clear()
            self._outgoing.clear()
        self._user_id, self._refresh_token = user_id, refresh_token

    def save_positions(self, positions: Iterable[Position]) -> None:
        """See :meth:`Store.save_positions`."""
        self._positions.update((one.conversation_id, one.seq) for one in positions)

    def put_outgoing(self, outgoing: Outgoing) -> None:
        """See :meth:`Store.put_outgoing`."""
        self._outgoing[outgoing.client_message_id] = outgoing

    def drop_outgoing(self, client_message_id: OperationId) -> None:
        """See :meth:`Store.drop_outgoing`."""
        self._outgoing.pop(client_message_id, None)

    def close(self) -> None:
        """Nothing to let go of."""


_SCHEMA: Final = """
    CREATE TABLE IF NOT EXISTS device (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        device_id BLOB NOT NULL, user_id INTEGER NOT NULL, refresh_token TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS position (conversation_id INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS outgoing (
        place INTEGER PRIMARY KEY, client_message_id BLOB NOT NULL UNIQUE,
        conversation_id INTEGER NOT NULL, kind INTEGER NOT NULL, content BLOB NOT NULL
    );
"""
_SAVE_POSITION: Final = (
    "INSERT INTO position VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = max(seq, excluded.seq)"
)


class FileStore:
    """A store in one SQLite file that only its owner can read (mode 0600).

    It is written in the event loop: a write costs some 20 µs, and waiting for a thread would cost
    more than that. It survives the end of the process, however sudden; a power cut may cost the
    last moments (``synchronous=NORMAL``), after which entries are handed out again.

    Args:
        path: the file; made when it is missing, with its folder.
    """

    def __init__(self, path: str | Path) -> None:
        file = Path(path).expanduser()
        file.parent.mkdir(parents=True, exist_ok=True)
        # Before SQLite opens it: the token must not lie open even for a moment.
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        file.chmod(0o600)
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute("PRAGMA busy_timeout=2000")
        self._database.executescript(_SCHEMA)
        self._database.execute(
            "INSERT INTO device VALUES (1, ?, 0, '') ON CONFLICT DO NOTHING", (os.urandom(16),)
        )

    def load(self) -> Saved:
        """See :meth:`Store.load`."""
        device_id, user_id, token = self._database.execute(
            "SELECT device_id, user_id, refresh_token FROM device"
        ).fetchone()
        positions = self._database.execute("SELECT conversation_id, seq FROM position")
        outgoing = self._database.execute(
            "SELECT conversation_id, client_message_id, kind, content FROM outgoing ORDER BY place"
        )
        return Saved(
            DeviceId(device_id),
            UserId(user_id),
            token,
            tuple(Position(*row) for row in positions),
            tuple(Outgoing(*row) for row in outgoing),
        )

    def save_account(self, user_id: UserId, refresh_token: str) -> None:
        """See :meth:`Store.save_account`."""
        with self._transaction():
            (known,) = self._database.execute("SELECT user_id FROM device").fetchone()
            if known != user_id:
                self._database.execute("DELETE FROM position")
                self._database.execute("DELETE FROM outgoing")
            self._database.execute(
                "UPDATE device SET user_id = ?, refresh_token = ?", (user_id, refresh_token)
            )

    def save_positions(self, positions: Iterable[Position]) -> None:
        """See :meth:`Store.save_positions`."""
        rows = [(one.conversation_id, one.seq) for one in positions]
        if len(rows) == 1:  # as for every message that is handed out: a statement is enough
            self._database.execute(_SAVE_POSITION, rows[0])
            return
        with self._transaction():
            self._database.executemany(_SAVE_POSITION, rows)

    def put_outgoing(self, outgoing: Outgoing) -> None:
        """See :meth:`Store.put_outgoing`."""
        self._database.execute(
            "INSERT INTO outgoing (client_message_id, conversation_id, kind, content)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                outgoing.client_message_id,
                outgoing.conversation_id,
                outgoing.kind,
                outgoing.content,
            ),
        )

    def drop_outgoing(self, client_message_id: OperationId) -> None:
        """See :meth:`Store.drop_outgoing`."""
        self._database.execute(
            "DELETE FROM outgoing WHERE client_message_id = ?", (client_message_id,)
        )

    def close(self) -> None:
        """See :meth:`Store.close`."""
        self._database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def open_store(store: Store | str | Path | None) -> Store:
    """A store from what people write: a path, a store, or nothing (memory)."""
    if store is None:
        return MemoryStore()
    return FileStore(store) if isinstance(store, str | Path) else store
