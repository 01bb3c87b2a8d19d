"""What is particular to a folder; the rest is in tests/contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.media import pieces_of

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.media.folder import FolderStore

PART = "uploads/01/0000000000000000-aa"


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_put_when_in_the_middle_then_only_a_draft_is_there(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    async def looking() -> AsyncIterator[bytes]:
        yield b"1"
        [draft] = [path.name for path in (tmp_path / "a").iterdir()]
        assert draft.startswith(".b.")
        yield b"2"

    await store.put("a/b", looking())
    assert files(tmp_path) == ["a", "a/b"]
    assert (tmp_path / "a" / "b").read_bytes() == b"12"


async def test_put_when_it_fails_then_no_draft_is_left(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"1"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await FolderStore(tmp_path).put("a/b", broken())
    assert files(tmp_path) == ["a"]


async def test_put_when_the_folder_cannot_be_written_then_unavailable(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file")
    with pytest.raises(Unavailable) as caught:
        await FolderStore(tmp_path / "media").put("a/b", pieces_of(b"1"))
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert str(tmp_path) not in str(caught.value)


async def test_delete_when_it_was_an_upload_s_last_part_then_its_folder_goes(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path)
    await store.put(PART, pieces_of(b"1"))
    await store.delete([PART])
    assert files(tmp_path) == ["uploads"]


async def test_read_when_the_file_is_shorter_than_asked_then_what_there_is(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    await store.put("a/b", pieces_of(b"123"))
    assert [piece async for piece in store.read("a/b", 1, 99)] == [b"23"]
