"""What a unit holds, and what must still be written."""

from __future__ import annotations

from tinyqq.presence.entries import Entries, Entry

ONE, TWO, OTHER = Entry(1, "u1", "a"), Entry(1, "u1", "b"), Entry(2, "u2", "a")


def entries(*held: Entry, max_removals: int = 10) -> Entries:
    """Entries of which all has been written."""
    made = Entries(max_removals=max_removals)
    for entry in held:
        made.add(entry)
    made.take(len(held))
    return made


def test_entries_when_new_then_nothing_is_held_or_due() -> None:
    made = entries()
    assert (len(made), made.due, made.holds(ONE), made.holds_any("u1")) == (0, 0, False, False)


def test_add_when_called_then_held_and_due_once() -> None:
    made = entries()
    made.add(ONE)
    made.add(ONE)
    assert (len(made), made.due, made.holds(ONE), made.holds(TWO)) == (1, 1, True, False)
    assert made.take(10) == [ONE]
    assert made.due == 0


def test_remove_when_another_of_its_key_stays_then_the_key_is_held() -> None:
    made = entries(ONE, TWO)
    made.remove(ONE)
    assert (made.holds_any("u1"), made.take(10)) == (True, [ONE])
    made.remove(TWO)
    assert (made.holds_any("u1"), made.take(10)) == (False, [TWO])


def test_remove_when_it_was_never_held_then_due_all_the_same() -> None:
    made = entries()
    made.remove(ONE)
    assert made.take(10) == [ONE]


def test_add_when_it_follows_a_removal_then_held_when_it_is_taken() -> None:
    made = entries(ONE)
    made.remove(ONE)
    made.add(ONE)
    (taken,) = made.take(10)
    assert made.holds(taken)


def test_held_of_when_asked_then_all_of_the_key() -> None:
    made = entries(ONE, TWO, OTHER)
    assert made.held_of("u1") == {ONE, TWO}
    assert made.held_of("u3") == frozenset()


def test_take_when_more_are_due_than_wanted_then_the_oldest() -> None:
    made = entries()
    for entry in (TWO, OTHER, ONE):
        made.add(entry)
    assert made.newest_due == ONE
    assert made.take(2) == [TWO, OTHER]
    assert made.take(2) == [ONE]


def test_mark_when_held_or_not_then_due_again() -> None:
    made = entries(ONE)
    made.mark((ONE, OTHER))
    assert made.take(10) == [ONE, OTHER]


def test_mark_buckets_when_called_then_only_what_is_held_of_them() -> None:
    made = entries(ONE, TWO, OTHER)
    made.remove(TWO)
    made.take(1)
    assert made.mark_buckets((1,)) == 1
    assert made.take(10) == [ONE]


def test_remove_all_when_called_then_all_is_due_and_nothing_held() -> None:
    made = entries(ONE, TWO, OTHER)
    made.remove_all()
    assert (len(made), set(made.take(10))) == (0, {ONE, TWO, OTHER})


def test_remove_when_too_many_wait_then_the_oldest_is_forgotten() -> None:
    made = entries(ONE, TWO, OTHER, max_removals=2)
    for entry in (ONE, TWO, OTHER):
        made.remove(entry)
    assert (made.take(10), made.forgotten) == ([TWO, OTHER], 1)


def test_removals_when_taken_or_held_again_then_counted_no_more() -> None:
    made = entries(ONE, TWO, OTHER, max_removals=1)
    made.remove(ONE)
    made.take(1)
    made.remove(TWO)
    made.add(TWO)
    made.remove(OTHER)
    assert (made.take(10), made.forgotten) == ([TWO, OTHER], 0)
