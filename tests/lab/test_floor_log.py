from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyqq.lab.floor_log import FloorLog, Row


def row(seq: int) -> Row:
    return (10001, seq, seq, 10002, seq.to_bytes(16, "big"), 1, 1, b"hello")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FloorLog]:
    opened = FloorLog(tmp_path)
    yield opened
    opened.close()


def append(log: FloorLog, rows: list[Row]) -> None:
    done = threading.Event()
    log.append(rows, done.set)
    assert done.wait(60)


def test_read_page_when_appended_then_ascending_from_the_place(log: FloorLog) -> None:
    append(log, [row(3), row(1), row(2)])
    assert log.read_page(10001, 1, 10).result(10) == [row(2), row(3)]


def test_read_page_when_limited_then_no_more(log: FloorLog) -> None:
    append(log, [row(1), row(2)])
    assert log.read_page(10001, 0, 1).result(10) == [row(1)]


def test_close_when_batches_wait_then_they_are_written(tmp_path: Path) -> None:
    log = FloorLog(tmp_path)
    done = threading.Event()
    log.append([row(1)], done.set)
    log.close()
    assert done.is_set()
