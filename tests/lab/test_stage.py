from __future__ import annotations

import itertools

from tinyqq.lab.frames import SALT_BYTES
from tinyqq.lab.population import Population, Target
from tinyqq.lab.stage import Stage, Stopwatch, new_salt, settle


def test_stopwatch_when_used_then_marks_both_ends(population: Population) -> None:
    marks: list[str] = []
    watch = Stopwatch(Stage((Target("", 0),), population, marks.append))
    watch.begin()
    outcome = watch.end(3, p50_ms=1.5)
    assert marks == ["begin", "end"]
    assert (outcome.count, outcome.figures) == (3, {"p50_ms": 1.5})
    assert outcome.seconds > 0


def test_far_when_one_server_then_there(population: Population) -> None:
    stage = Stage((Target("", 0),), population, print)
    assert list(itertools.islice(stage.far(), 2)) == [Target("", 0)] * 2


def test_far_when_units_then_every_pair_of_them_talks(population: Population) -> None:
    units = tuple(Target("", number) for number in range(4))
    stage = Stage(units, population, print)
    pairs = set(itertools.islice(zip(stage.near(), stage.far(), strict=False), 12))
    assert pairs == set(itertools.permutations(units, 2))


def test_salt_when_new_then_of_its_length_and_unlike_the_last() -> None:
    assert len(new_salt()) == SALT_BYTES
    assert new_salt() != new_salt()


async def test_settle_when_done_in_time_then_true() -> None:
    answers = iter([False, False, True])
    assert await settle(lambda: next(answers))


async def test_settle_when_never_done_then_false() -> None:
    assert not await settle(lambda: False, timeout_s=0.0)
