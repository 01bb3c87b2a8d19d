"""Uploads as tus speaks of them; whole ways are in tests/e2e/test_media.py."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.logs import ANN, BOB
from tests.support.media_http import HttpWorld, as_user, http_world

from tinyqq.http.media_uploads import parse_metadata

PATCH = "application/offset+octet-stream"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HttpWorld]:
    async with http_world(tmp_path) as made:
        yield made


async def begin(world: HttpWorld, size: int, **headers: str) -> str:
    given = as_user(ANN, Upload_Length=str(size), Tus_Resumable="1.0.0", **headers)
    async with world.http.post("/v1/uploads", headers=given) as answer:
        assert (answer.status, answer.headers["Tus-Resumable"]) == (201, "1.0.0")
        return answer.headers["Location"]


async def patch(
    world: HttpWorld, place: str, data: bytes, offset: int = 0, **headers: str
) -> tuple[int, dict[str, str]]:
    given = {**as_user(Upload_Offset=str(offset)), "Content-Type": PATCH}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with world.http.patch(place, data=data, headers=given) as answer:
        return answer.status, dict(answer.headers)


async def test_options_when_asked_then_what_there_is(world: HttpWorld) -> None:
    async with world.http.options("/v1/uploads") as answer:
        assert answer.status == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Extension"] == "creation,termination"
        assert int(answer.headers["Tus-Max-Size"]) == world.media.service.max_bytes


async def test_upload_when_all_is_here_then_a_file(world: HttpWorld) -> None:
    sha256 = hashlib.sha256(b"hello").hexdigest()
    told = f"filetype {base64.b64encode(b'text/plain').decode()},"
    told += f"sha256 {base64.b64encode(sha256.encode()).decode()}"
    place = await begin(world, 5, Upload_Metadata=told)
    answer, _ = await world.get(place)
    assert await answer.json() == {
        "upload_id": place.rpartition("/")[2],
        "offset_bytes": 0,
        "size_bytes": 5,
        "blob": None,
    }
    status, headers = await patch(world, place, b"hello")
    assert (status, headers["Upload-Offset"], headers["Blob-Id"]) == (204, "5", sha256)
    answer, _ = await world.get(place)
    assert (await answer.json())["blob"] == {
        "blob_id": sha256,
        "size_bytes": 5,
        "media_type": "text/plain",
        "width": 0,
        "height": 0,
        "has_thumbnail": False,
    }


async def test_patch_when_empty_at_the_end_then_the_file_again(world: HttpWorld) -> None:
    place = await begin(world, 5)
    _, first = await patch(world, place, b"hello")
    _, again = await patch(world, place, b"", 5)
    assert again["Blob-Id"] == first["Blob-Id"]


async def test_head_when_asked_then_offset_and_length(world: HttpWorld) -> None:
    place = await begin(world, 5)
    async with world.http.head(place, headers=as_user()) as answer:
        assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("0", "5")
        assert answer.headers["Cache-Control"] == "no-store"


async def test_delete_when_asked_then_forgotten(world: HttpWorld) -> None:
    place = await begin(world, 5)
    async with world.http.delete(place, headers=as_user(BOB)) as answer:
        assert answer.status == 404
    async with world.http.delete(place, headers=as_user()) as answer:
        assert answer.status == 204
    assert (await world.get(place))[0].status == 404


@pytest.mark.parametrize("size", ["", "-1", "x", "1" * 19])
async def test_create_when_the_length_is_none_then_refused(world: HttpWorld, size: str) -> None:
    async with world.http.post("/v1/uploads", headers=as_user(Upload_Length=size)) as answer:
        assert (answer.status, (await answer.json())["name"]) == (400, "INVALID_REQUEST")


async def test_request_when_of_another_version_or_type_then_refused(world: HttpWorld) -> None:
    place = await begin(world, 5)
    status, headers = await patch(world, place, b"hello", Tus_Resumable="0.2.1")
    assert (status, headers["Tus-Version"]) == (412, "1.0.0")
    assert (await patch(world, place, b"hello", Content_Type="text/plain"))[0] == 415


@pytest.mark.parametrize("name", ["x", "00", "zz" * 16, "..%2F..%2Fetc"])
async def test_upload_when_its_name_is_none_then_not_found(world: HttpWorld, name: str) -> None:
    assert (await world.get(f"/v1/uploads/{name}"))[0].status == 404


async def test_request_when_nobody_is_logged_in_then_refused(world: HttpWorld) -> None:
    async with world.http.post("/v1/uploads", headers={"Upload-Length": "5"}) as answer:
        assert answer.status == 401


async def test_patch_when_too_many_run_then_busy(tmp_path: Path) -> None:
    async with http_world(tmp_path, max_running=0) as world:
        place = await begin(world, 5)
        assert (await patch(world, place, b"hello"))[0] == 503


def test_metadata_when_read_then_by_name() -> None:
    name = base64.b64encode("图.png".encode()).decode()
    found = parse_metadata(f"filename {name},is_private, bad %%%")
    assert found == {"filename": "图.png", "is_private": "", "bad": ""}
