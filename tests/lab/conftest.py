"""A small population, and a floor server that runs in the test's own loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tinyqq.lab.floor_server import open_floor
from tinyqq.lab.population import PasswordCost, Person, Population, Target
from tinyqq.lab.stage import Stage
from tinyqq.model.ids import FIRST_NUMBER, DeviceId, GroupId, UserId

PEOPLE = 8


@dataclass(frozen=True, slots=True)
class Played:
    """A stage, and the marks that were made on it."""

    stage: Stage
    marks: list[str] = field(default_factory=list)


@pytest.fixture
def population() -> Population:
    people = tuple(
        Person(UserId(FIRST_NUMBER + 1 + i), DeviceId(bytes([i]) * 16), f"token-{i}")
        for i in range(PEOPLE)
    )
    return Population(
        people=people,
        pairs=PEOPLE // 2,
        group_id=GroupId(FIRST_NUMBER + 1),
        members=PEOPLE,
        password="correct horse",
        password_cost=PasswordCost(memory_kib=8, passes=1),
    )


@pytest.fixture
async def floor(tmp_path: Path, population: Population) -> AsyncIterator[Played]:
    marks: list[str] = []
    async with open_floor(tmp_path, population) as port:
        yield Played(Stage((Target("127.0.0.1", port),), population, marks.append), marks)
