"""Cursors on their way to the server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.support.entries import ANN_BOB, GROUP

from tinyqq.client import marks as marks_module
from tinyqq.client.marks import MAX_MARKS, Marks
from tinyqq.model.ids import ConversationId, Seq
from tinyqq.model.message import Mark


class Server:
    def __init__(self) -> None:
        self.is_there = True
        self.told: list[list[Mark]] = []

    def tell(self, marks: Sequence[Mark]) -> bool:
        if self.is_there:
            self.told.append(list(marks))
        return self.is_there


@pytest.fixture
def server() -> Server:
    return Server()


async def test_move_when_often_then_told_once_with_the_highest(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(Mark(ANN_BOB, Seq(3)))
    marks.move(Mark(ANN_BOB, Seq(5), Seq(2)))
    marks.move(Mark(ANN_BOB, Seq(4)))
    marks.flush()
    marks.flush()
    assert server.told == [[Mark(ANN_BOB, Seq(5), Seq(2))]]


async def test_move_when_time_passes_then_told_by_itself(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(Mark(ANN_BOB, Seq(3)))
    marks.move(Mark(GROUP, Seq(4)))
    assert server.told == []
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_later(marks_module.DELAY_S, done.set_result, None)
    await done
    assert server.told == [[Mark(ANN_BOB, Seq(3)), Mark(GROUP, Seq(4))]]


async def test_flush_when_not_connected_then_kept(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(Mark(ANN_BOB, Seq(3)))
    server.is_there = False
    marks.flush()
    server.is_there = True
    marks.flush()
    assert server.told == [[Mark(ANN_BOB, Seq(3))]]


async def test_flush_when_there_are_very_many_then_in_several_requests(server: Server) -> None:
    marks = Marks(server.tell)
    all_marks = [Mark(ConversationId(20_000 + one), Seq(3)) for one in range(2 * MAX_MARKS + 1)]
    for mark in all_marks:
        marks.move(mark)
    marks.flush()
    assert [len(some) for some in server.told] == [MAX_MARKS, MAX_MARKS, 1]
    assert [one for some in server.told for one in some] == all_marks


async def test_close_when_something_is_due_then_not_told(server: Server) -> None:
    marks = Marks(server.tell)
    marks.move(Mark(ANN_BOB, Seq(3)))
    marks.close()
    marks.flush()
    assert server.told == []
