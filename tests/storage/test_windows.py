"""Who may read from where to where."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection
from tests.support.logs import ANN, ANN_BOB, ANN_OWN, BOB, EVE, GROUP, in_group, put_member

from tinyqq.model.ids import ConversationId, Seq, UserId
from tinyqq.storage.effects import write_effects
from tinyqq.storage.windows import find_windows


@pytest.mark.parametrize(
    ("conversation", "user", "windows"),
    [
        (ANN_BOB, ANN, ((1, 7),)),
        (ANN_BOB, BOB, ((1, 7),)),
        (ANN_BOB, EVE, ()),
        (ANN_OWN, ANN, ((1, 7),)),
        (ANN_OWN, BOB, ()),
    ],
)
def test_windows_when_not_a_group_then_all_or_nothing(
    conn: Connection, conversation: ConversationId, user: UserId, windows: object
) -> None:
    assert find_windows(conn, user, conversation, Seq(7)) == windows


def test_windows_when_a_group_then_the_intervals_cut_at_the_head(conn: Connection) -> None:
    rows = (put_member(ANN, 5), put_member(ANN, 1, 3), put_member(BOB, 2))
    write_effects(conn, [], in_group(*rows))
    assert find_windows(conn, ANN, GROUP, Seq(7)) == ((1, 3), (5, 7))
    assert find_windows(conn, EVE, GROUP, Seq(7)) == ()
