"""Who is read from where: beginnings, new numbers, one's own, and those who fall silent."""

from __future__ import annotations

from tests.support.lane_fixtures import ANN_BOB

from tinyqq.model.ids import Seq
from tinyqq.model.message import Kind
from tinyqq.ports.storage import LogKey, Tail
from tinyqq.services.writers import SILENT_S, Writers


def key(writer: int, pos: int) -> LogKey:
    return LogKey(writer, pos, ANN_BOB, Seq(1), Kind.TEXT)


def tail(next_writer: int, *keys: tuple[int, int]) -> Tail:
    return Tail(next_writer, tuple(key(*one) for one in keys))


def begun(
    next_writer: int = 4, *ends: tuple[int, int], own: dict[int, int] | None = None
) -> Writers:
    """Numbers 1 and 2 have been read; 3, where there is one, is one's own."""
    writers = Writers()
    writers.look({3: 5} if own is None else own, (), 0.0)
    writers.begin((), 10, tail(next_writer, *(ends or ((1, 10), (2, 20), (3, 5)))), 0.0)
    return writers


def test_begin_then_everybody_else_from_where_they_stand() -> None:
    assert not Writers().has_begun
    writers = begun()
    assert writers.has_begun
    assert writers.positions == {1: 10, 2: 20}
    assert len(writers) == 2


def test_begin_when_a_number_has_written_nothing_then_from_its_first_row() -> None:
    writers = begun(6, (1, 10))
    assert writers.positions == {1: 10, 2: 0, 4: 0, 5: 0}


def test_learn_when_rows_come_then_the_position_moves_and_never_back() -> None:
    writers = begun()
    assert not writers.learn(tail(4, (1, 12), (1, 11)), 1.0)
    assert writers.positions == {1: 12, 2: 20}
    writers.learn(tail(4, (1, 11)), 1.0)
    assert writers.positions[1] == 12


def test_learn_when_there_is_a_new_number_then_from_its_first_row() -> None:
    writers = begun()
    assert writers.learn(tail(6), 1.0)
    assert writers.positions == {1: 10, 2: 20, 4: 0, 5: 0}
    assert not writers.learn(tail(6), 1.0)


def test_learn_when_the_new_number_is_ones_own_then_not_read() -> None:
    writers = begun()
    writers.look({4: 0}, (), 1.0)
    assert not writers.learn(tail(5), 1.0)
    assert 4 not in writers.positions


def test_look_when_ones_own_number_is_given_up_then_read_from_what_was_pushed() -> None:
    writers = begun()
    writers.look({3: 8}, (), 1.0)
    writers.look({}, (), 2.0)
    assert writers.positions == {1: 10, 2: 20, 3: 8}


def test_look_when_a_number_turns_out_to_be_ones_own_then_no_longer_read() -> None:
    writers = begun()
    writers.learn(tail(5), 1.0)
    writers.look({3: 8, 4: 1}, (), 1.0)
    assert writers.positions == {1: 10, 2: 20}


def test_look_when_silent_for_minutes_and_no_node_has_it_then_left() -> None:
    writers = begun()
    writers.learn(tail(4, (1, 11)), SILENT_S)
    writers.look({}, (), SILENT_S + 1)
    assert 1 in writers.positions
    assert 2 not in writers.positions


def test_look_when_a_node_has_the_number_then_it_may_be_silent() -> None:
    writers = begun()
    writers.look({}, {1, 2}, 10 * SILENT_S)
    assert writers.positions == {1: 10, 2: 20, 3: 5}


def test_look_when_a_number_that_was_left_is_heard_of_then_read_from_where_it_was() -> None:
    writers = begun()
    writers.look({3: 5}, (), SILENT_S + 1)
    assert not writers.positions
    writers.look({3: 5}, {2}, SILENT_S + 2)
    assert writers.positions == {2: 20}


def test_look_when_too_many_were_left_then_the_oldest_is_unknown_again() -> None:
    writers = Writers(max_left=1)
    writers.begin((), 10, tail(3, (1, 10), (2, 20)), 0.0)
    writers.look({}, (), SILENT_S + 1)
    assert writers.unknown([1, 2]) == [1]


def test_unknown_when_asked_then_taken_numbers_of_which_nothing_is_known() -> None:
    writers = Writers()
    writers.look({7: 0}, (), 0.0)
    writers.begin((), 2, tail(8), 0.0)
    assert writers.unknown({2, 6, 7, 8}) == [2]
    writers.begin([2], 0, tail(8), 0.0)
    assert writers.positions == {2: 0, 6: 0}
