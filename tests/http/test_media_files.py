"""One's own files over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.logs import ANN, BOB
from tests.support.media_http import HttpWorld, as_user, http_world

from tinyqq.errors import ErrorCode


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HttpWorld]:
    async with http_world(tmp_path) as made:
        yield made


async def test_list_when_asked_then_what_there_is(world: HttpWorld) -> None:
    blob = await world.media.put(b"hello", name="folder/notes\n.txt")
    answer, _ = await world.get("/v1/media")
    assert answer.headers["Cache-Control"] == "no-store"
    assert await answer.json() == {
        "used_bytes": 5,
        "quota_bytes": 0,
        "files": [
            {
                "blob_id": blob.blob_id,
                "size_bytes": 5,
                "media_type": "text/plain",
                "width": 0,
                "height": 0,
                "has_thumbnail": False,
                "name": "notes.txt",
                "added_at_ms": world.media.clock.now_ms(),
            }
        ],
        "next": None,
    }


async def test_list_when_long_then_page_by_page(world: HttpWorld) -> None:
    for number in range(5):
        await world.media.put(b"x" * (number + 1))
        world.media.clock.advance(1)
    seen: list[int] = []
    after: str | None = ""
    while after is not None:
        answer, _ = await world.get(f"/v1/media?limit=2&after={after}")
        page = await answer.json()
        assert page["used_bytes"] == 15
        seen += [one["size_bytes"] for one in page["files"]]
        after = page["next"]
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=5", "after=x-y"])
async def test_list_when_the_question_is_wrong_then_refused(world: HttpWorld, query: str) -> None:
    answer, _ = await world.get(f"/v1/media?{query}")
    assert answer.status in (400, 404)


async def test_delete_when_own_then_gone_for_everybody(world: HttpWorld) -> None:
    blob = await world.media.put(b"hello")
    path = f"/v1/media/{blob.blob_id}"
    for user_id, status in ((BOB, 404), (ANN, 204), (ANN, 404)):
        async with world.http.delete(path, headers=as_user(user_id)) as answer:
            assert answer.status == status
    answer, _ = await world.get(path)
    assert (answer.status, (await answer.json())["code"]) == (404, int(ErrorCode.MEDIA_NOT_FOUND))
    assert await world.media.storage.media.read_usage(ANN) == (0, 0)


@pytest.mark.parametrize("path", ["/v1/media", f"/v1/media/{'0' * 64}"])
async def test_own_files_when_nobody_says_whose_then_refused(world: HttpWorld, path: str) -> None:
    method = "GET" if path == "/v1/media" else "DELETE"
    async with world.http.request(method, path) as answer:
        assert answer.status == 401
