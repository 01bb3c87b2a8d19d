"""Mints the accounts, friendships and the group that the load is made by.

``python -m bench.prepare DIRECTORY [--people N]`` writes a database and ``population.json`` there.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from tinyqq.clock import SystemClock
from tinyqq.lab.population import PasswordCost
from tinyqq.lab.prepare import prepare
from tinyqq.storage.open import open_storage

PEOPLE = 9_100
PAIRS = 500
MEMBERS = 200


async def prepare_directory(directory: Path, *, people: int, cost: PasswordCost) -> None:
    """A data folder as a server finds it after a busy first day."""
    async with open_storage(f"sqlite:///{directory / 'tinyqq.db'}") as storage:
        population = await prepare(
            accounts=storage.accounts,
            log_writer=storage.log_writer,
            clock=SystemClock(),
            people=people,
            pairs=min(PAIRS, people // 2),
            members=min(MEMBERS, people),
            cost=cost,
        )
    population.save(directory / "population.json")


def main() -> None:
    """The command's entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    given = parser.parse_args()
    asyncio.run(prepare_directory(given.directory, people=given.people, cost=PasswordCost()))
    print(f"{given.people} accounts in {given.directory}")


if __name__ == "__main__":
    main()
