"""Files on their way out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.support.logs import ANN, BOB, account
from tests.support.media import PNG
from tests.support.media_http import HttpWorld, as_user, http_world

TEXT = b"0123456789"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HttpWorld]:
    async with http_world(tmp_path) as made:
        yield made


@pytest.fixture
async def text(world: HttpWorld) -> str:
    """The path of a file."""
    return f"/v1/media/{(await world.media.put(TEXT)).blob_id}"


@pytest.fixture
async def picture(world: HttpWorld) -> str:
    blob = await world.media.put(PNG, media_type="image/png")
    return f"/v1/media/{blob.blob_id}"


async def test_file_when_asked_for_then_whole_and_harmless(world: HttpWorld, text: str) -> None:
    answer, body = await world.get(text)
    assert (answer.status, body) == (200, TEXT)
    headers = answer.headers
    assert headers["Content-Type"] == "text/plain"
    assert headers["Content-Length"] == "10"
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].endswith("sandbox; frame-ancestors 'none'")
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert headers["ETag"].strip('"') == text.rpartition("/")[2]


async def test_picture_when_asked_for_then_it_may_be_shown(world: HttpWorld, picture: str) -> None:
    answer, body = await world.get(picture)
    assert (answer.headers["Content-Type"], body) == ("image/png", PNG)
    assert answer.headers["Content-Disposition"].startswith("inline; ")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-3", b"0123"),
        ("bytes=4-", b"456789"),
        ("bytes=-2", b"89"),
        ("bytes=8-99", b"89"),
        ("bytes=-99", TEXT),
        ("Bytes=0-0", b"0"),
    ],
)
async def test_range_when_there_is_one_then_that(
    world: HttpWorld, text: str, wanted: str, expected: bytes
) -> None:
    answer, body = await world.get(text, Range=wanted)
    assert (answer.status, body) == (206, expected)
    start = TEXT.index(expected)
    end = start + len(expected) - 1
    assert answer.headers["Content-Range"] == f"bytes {start}-{end}/10"


@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=0-1,4-5", "bytes=-", "bytes=a-b", "bytes"])
async def test_range_when_it_is_no_single_one_of_bytes_then_the_whole(
    world: HttpWorld, text: str, wanted: str
) -> None:
    answer, body = await world.get(text, Range=wanted)
    assert (answer.status, body) == (200, TEXT)


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=20-30", "bytes=5-2", "bytes=-0"])
async def test_range_when_there_is_none_then_said_so(
    world: HttpWorld, text: str, wanted: str
) -> None:
    answer, _ = await world.get(text, Range=wanted)
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */10")


async def test_range_when_of_another_content_then_the_whole(world: HttpWorld, text: str) -> None:
    answer, body = await world.get(text, Range="bytes=0-3", If_Range='"other"')
    assert (answer.status, body) == (200, TEXT)


async def test_file_when_known_already_then_not_sent_again(world: HttpWorld, text: str) -> None:
    tag = (await world.get(text))[0].headers["ETag"]
    answer, body = await world.get(text, If_None_Match=f'"x", W/{tag}')
    assert (answer.status, body, answer.headers["ETag"]) == (304, b"", tag)


async def test_head_when_asked_then_no_body(world: HttpWorld, text: str) -> None:
    async with world.http.head(text, headers=as_user(Range="bytes=0-3")) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "10")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("海边.jpg", "%E6%B5%B7%E8%BE%B9.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\x.exe", "x.exe"),
        ('a"; filename=b\r\nX: y', "a%22%3B%20filename%3Db%0D%0AX%3A%20y"),
    ],
)
async def test_name_when_given_then_harmless(
    world: HttpWorld, text: str, name: str, expected: str
) -> None:
    answer, _ = await world.get(f"{text}?name={quote(name)}")
    said = answer.headers["Content-Disposition"]
    assert said == f"attachment; filename*=UTF-8''{expected}"
    assert "X" not in answer.headers


async def test_file_when_not_for_the_user_then_as_if_it_were_not_there(
    world: HttpWorld, text: str, picture: str
) -> None:
    for path in (text, f"{picture}/thumbnail", f"/v1/media/{'0' * 64}", "/v1/media/x"):
        answer, body = await world.get(path, BOB)
        assert (answer.status, b"MEDIA_NOT_FOUND" in body) == (404, True)
    async with world.http.get(text) as nobody:
        assert nobody.status == 401


async def test_file_when_its_object_is_gone_then_not_found(world: HttpWorld, text: str) -> None:
    await world.media.objects.delete(world.media.keys())
    assert (await world.get(text))[0].status == 404


async def test_thumbnail_when_of_a_picture_then_small_and_of_a_text_none(
    world: HttpWorld, text: str, picture: str
) -> None:
    answer, body = await world.get(f"{picture}/thumbnail")
    assert (answer.headers["Content-Type"], body) == ("image/webp", b"small")
    again, _ = await world.get(f"{picture}/thumbnail", If_None_Match=answer.headers["ETag"])
    assert again.status == 304
    assert (await world.get(f"{text}/thumbnail"))[0].status == 404


async def test_avatar_when_there_is_one_then_for_everybody_who_is_logged_in(
    world: HttpWorld, picture: str
) -> None:
    accounts = world.media.storage.accounts
    await accounts.create_accounts([account(ANN)], [])
    await accounts.update_account(ANN, avatar=picture.rpartition("/")[2])
    answer, body = await world.get(f"/v1/avatars/{ANN}", BOB)
    assert (body, answer.headers["Cache-Control"]) == (b"small", "private, max-age=300")
    for number in ("x", "99999", "9" * 30):
        assert (await world.get(f"/v1/avatars/{number}"))[0].status == 404
    async with world.http.get(f"/v1/avatars/{ANN}") as nobody:
        assert nobody.status == 401


async def test_file_when_too_many_run_then_busy(tmp_path: Path) -> None:
    async with http_world(tmp_path, max_running=0) as world:
        blob = await world.media.put(TEXT)
        assert (await world.get(f"/v1/media/{blob.blob_id}"))[0].status == 503
