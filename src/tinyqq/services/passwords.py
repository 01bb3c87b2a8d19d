"""Hashing of passwords: Argon2id in threads of its own, behind a bounded queue.

A hash takes about 20 ms of a core on purpose. It must not run in the event loop, nor fill the
threads that others use, and more of them at once than cores gain nothing.
"""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Callable
from typing import Self, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from tinyqq.threads import BoundedPool

logger = logging.getLogger(__name__)

_T = TypeVar("_T")


class PasswordPool:
    """Hashes and checks passwords. ``async with pool`` starts and stops its threads.

    Args:
        memory_kib: memory of one hash; with ``passes`` the cost. Defaults: OWASP's first choice.
        passes: rounds over that memory.
        threads: hashes at a time; default: as many as there are cores.
        max_waiting: calls that may wait for a thread; further ones are refused as busy.
    """

    def __init__(
        self,
        *,
        memory_kib: int = 19_456,
        passes: int = 2,
        threads: int | None = None,
        max_waiting: int = 256,
    ) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._pool = BoundedPool(
            "password", threads=threads or os.cpu_count() or 1, max_waiting=max_waiting
        )
        self._nobodys_hash = ""
        self._hashed = 0

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        self._nobodys_hash = await self.hash(os.urandom(16).hex())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._pool.__aexit__(*exc_info)

    async def hash(self, password: str) -> str:
        """The password's salted hash, with its cost in it.

        Raises:
            Unavailable: BUSY when too many wait already.
        """
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether *password* is the one that was hashed.

        ``None`` or an empty hash — no such account, or one without a password — is never right, and
        takes the same time to say so.

        Raises:
            Unavailable: BUSY when too many wait already.
        """
        stored = password_hash or self._nobodys_hash
        return await self._run(lambda: self._matches(stored, _normal(password)))

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made at another cost than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "password_hashes_total": self._hashed,
            "password_refused_total": self._pool.refused,
            "password_waiting": self._pool.inside,
        }

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError):
            logger.exception("password.hash_unreadable")
            return False

    async def _run(self, job: Callable[[], _T]) -> _T:
        done = await self._pool.run(job)
        self._hashed += 1
        return done


def _normal(password: str) -> str:
    """One form for what looks the same, whichever keyboard typed it (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
