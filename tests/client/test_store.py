"""What a client keeps: the same rules for memory and file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.entries import ANN, ANN_BOB, BOB, GROUP

from tinyqq.client.outbox import Outgoing
from tinyqq.client.store import FileStore, MemoryStore, Saved, Store, open_store
from tinyqq.model.ids import OperationId, Seq
from tinyqq.model.sync import Position


def outgoing(number: int) -> Outgoing:
    return Outgoing(ANN_BOB, OperationId(number.to_bytes(16, "big")), 1, b"body")


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = open_store(None if request.param == "memory" else tmp_path / "deep" / "me.db")
    yield made
    made.close()


def test_load_when_new_then_only_a_device_id(store: Store) -> None:
    saved = store.load()
    assert saved == Saved(saved.device_id)
    assert len(saved.device_id) == 16
    assert store.load().device_id == saved.device_id


def test_save_account_when_first_then_remembered(store: Store) -> None:
    store.save_account(ANN, "token")
    assert (store.load().user_id, store.load().refresh_token) == (ANN, "token")


def test_save_account_when_same_user_then_the_rest_stays(store: Store) -> None:
    store.save_account(ANN, "token")
    store.save_positions([Position(ANN_BOB, Seq(3))])
    store.put_outgoing(outgoing(1))
    store.save_account(ANN, "")
    assert store.load().positions == (Position(ANN_BOB, Seq(3)),)
    assert store.load().outgoing == (outgoing(1),)


def test_save_account_when_another_user_then_the_rest_is_forgotten(store: Store) -> None:
    store.save_account(ANN, "token")
    store.save_positions([Position(ANN_BOB, Seq(3))])
    store.put_outgoing(outgoing(1))
    device_id = store.load().device_id
    store.save_account(BOB, "other")
    assert store.load() == Saved(device_id, BOB, "other")


def test_save_positions_when_moved_on_then_the_last_counts(store: Store) -> None:
    store.save_positions([Position(ANN_BOB, Seq(3)), Position(GROUP, Seq(7))])
    store.save_positions([Position(ANN_BOB, Seq(4))])
    assert set(store.load().positions) == {Position(ANN_BOB, Seq(4)), Position(GROUP, Seq(7))}


def test_outgoing_when_put_and_dropped_then_the_rest_in_order(store: Store) -> None:
    for number in (3, 1, 2, 1):
        store.put_outgoing(outgoing(number))
    store.drop_outgoing(outgoing(1).client_message_id)
    store.drop_outgoing(outgoing(9).client_message_id)
    assert store.load().outgoing == (outgoing(3), outgoing(2))


def test_file_store_when_opened_again_then_everything_is_there(tmp_path: Path) -> None:
    first = FileStore(tmp_path / "me.db")
    first.save_account(ANN, "token")
    first.save_positions([Position(ANN_BOB, Seq(3))])
    first.put_outgoing(outgoing(1))
    before = first.load()
    # Not closed: as after the sudden end of the process.
    second = FileStore(tmp_path / "me.db")
    assert second.load() == before
    first.close()
    second.close()


def test_file_store_when_made_then_only_its_owner_may_read(tmp_path: Path) -> None:
    path = tmp_path / "me.db"
    path.touch(mode=0o644)
    store = FileStore(path)
    store.save_account(ANN, "token")
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    store.close()
    assert set(modes.values()) == {0o600}
    assert "me.db" in modes


def test_file_store_when_a_write_fails_then_nothing_of_it_stays(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "me.db")
    wrong = Position(GROUP, "x" * 10)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.Error):
        store.save_positions([Position(ANN_BOB, Seq(1)), Position(GROUP, None), wrong])  # type: ignore[arg-type]
    assert store.load().positions == ()
    store.close()


def test_open_store_when_given_one_then_that() -> None:
    mine = MemoryStore()
    assert open_store(mine) is mine
