"""The parts of a node that an operator's command needs while no node runs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from tinyqq.app.settings import Settings
from tinyqq.clock import SystemClock
from tinyqq.ports.delivery import Hint, Kick, Push
from tinyqq.services.admin import AccountAdmin
from tinyqq.services.passwords import PasswordPool
from tinyqq.storage.open import open_storage


class NoDelivery:
    """Implements :class:`tinyqq.ports.delivery.Delivery` where nobody is connected."""

    def push(self, pushes: Sequence[Push]) -> None:
        """Nobody is there to be told."""

    def hint(self, hint: Hint) -> None:
        """Nobody is there to be told."""

    def kick(self, kick: Kick) -> None:
        """Nobody is there to be told."""


def make_data_dir(data_dir: Path) -> None:
    """Make the data folder, for its owner alone, unless it is there."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


@contextlib.asynccontextmanager
async def open_admin(settings: Settings) -> AsyncIterator[AccountAdmin]:
    """Accounts, straight from the database.

    Raises:
        Unavailable: a node has the database.
    """
    accounts = settings.accounts
    make_data_dir(settings.data_dir)
    async with (
        open_storage(settings.database) as storage,
        PasswordPool(
            memory_kib=accounts.argon2_memory_kib, passes=accounts.argon2_passes
        ) as passwords,
    ):
        yield AccountAdmin(
            accounts=storage.accounts,
            passwords=passwords,
            delivery=NoDelivery(),
            clock=SystemClock(),
        )
