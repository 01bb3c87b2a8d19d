"""Files by number, paths as people type them, sizes as people read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.entries import ANN_BOB, BOB

from tinyqq.cli import chat_files
from tinyqq.cli.chat_files import ShownFiles, path_of, shown_size
from tinyqq.client import Content, Message
from tinyqq.model.ids import OperationId, Seq
from tinyqq.model.message import Kind, Media


def message(blob_id: str | None) -> Message:
    media = None if blob_id is None else Media(blob_id)
    content = Content("x", media=media)
    return Message(
        ANN_BOB, Seq(1), BOB, Kind.FILE, content, 0, OperationId(bytes(16)), False, None  # type: ignore[arg-type]
    )  # fmt: skip


def test_files_when_shown_then_numbered_once() -> None:
    files = ShownFiles()
    numbers = [files.number_of(message(one)) for one in ("a", "b", None, "a", "", "c")]
    assert numbers == [1, 2, 0, 1, 0, 3]
    assert files.find(2) == Media("b")
    assert files.find(4) is None


def test_files_when_very_many_then_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chat_files, "_MAX_KEPT", 2)
    files = ShownFiles()
    assert [files.number_of(message(one)) for one in "abca"] == [1, 2, 3, 4]
    assert [files.find(number) for number in (1, 2)] == [None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a b.png", "a b.png"), (" 'a b.png' ", "a b.png"), ('"a"', "a"), ('"', '"')],
)
def test_path_when_typed_then_meant(text: str, expected: str) -> None:
    assert path_of(text) == Path(expected)


def test_path_when_at_home_then_there() -> None:
    assert path_of("~/a") == Path.home() / "a"


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (12_345, "12 KB"), (3_400_000, "3.4 MB"),
     (5_000_000_000, "5.0 GB")],
)  # fmt: skip
def test_size_when_shown_then_for_people(size: int, expected: str) -> None:
    assert shown_size(size) == expected
