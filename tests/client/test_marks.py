"""Cursors on their way to the server."""

from __future__ import annotations

import asyncio

import pytest
from tests.support.entries import ANN_BOB, GROUP

from tinyqq.client import marks as marks_module
from tinyqq.client.marks import Marks
from tinyqq.model.ids import Seq
from tinyqq.model.message import Mark


class Server:
    def __init__(self) -> None:
        self.is_there = True
        self.told: list[Mark] = []

    def tell(self, mark: Mark) -> bool:
        if self.is_there:
            self.told.append(mark)
        return self.is_there


@pytest.fixture
def server() -> Server:
    return Server()


async def test_move_when_often_then_told_once_with_the_highest(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(ANN_BOB, delivered_seq=Seq(3))
    marks.move(ANN_BOB, delivered_seq=Seq(5), read_seq=Seq(2))
    marks.move(ANN_BOB, delivered_seq=Seq(4))
    marks.flush()
    assert server.told == [Mark(ANN_BOB, Seq(5), Seq(2))]


async def test_move_when_time_passes_then_told_by_itself(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(ANN_BOB, delivered_seq=Seq(3))
    assert server.told == []
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(marks_module.DELAY_S, done.set_result, None)
    await done
    assert server.told == [Mark(ANN_BOB, Seq(3))]


async def test_flush_when_not_connected_then_kept(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(ANN_BOB, delivered_seq=Seq(3))
    server.is_there = False
    marks.flush()
    server.is_there = True
    marks.flush()
    assert server.told == [Mark(ANN_BOB, Seq(3))]


async def test_start_over_when_connected_again_then_told_once_more(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(ANN_BOB, delivered_seq=Seq(3))
    marks.flush()
    marks.move(ANN_BOB, read_seq=Seq(3))
    marks.move(GROUP, read_seq=Seq(1))
    server.told.clear()
    marks.start_over()
    assert server.told == [Mark(ANN_BOB, Seq(3), Seq(3)), Mark(GROUP, Seq(0), Seq(1))]


async def test_close_when_something_is_due_then_not_told(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(ANN_BOB, delivered_seq=Seq(3))
    marks.close()
    marks.flush()
    assert server.told == []
