"""Files at the client's side: what a server may do, and what others may call their files. Whole
ways are in tests/e2e/test_media.py."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.clients import Hasty

from tinyqq.client.addresses import Directory
from tinyqq.client.media import CHUNK_BYTES, Media, blob_id_of, free_name, name_of, safe_name
from tinyqq.client.media_http import Credentials, MediaHttp
from tinyqq.client.trust import Trust
from tinyqq.errors import InvalidRequest, NotFound, Unavailable
from tinyqq.model.ids import DeviceId
from tinyqq.model.message import Media as MediaRecord
from tinyqq.testing.clock import FakeClock

CONTENT = bytes(range(256)) * 8192 + b"end"
SHA = hashlib.sha256(CONTENT).hexdigest()


class FakeFiles:
    """A server of one file and one upload. ``faults``: statuses to answer before what is right;
    0: hang up."""

    def __init__(self) -> None:
        self.uploaded = b""
        self.faults: list[int] = []
        self.ranges: list[str] = []
        self.cut_at = 0
        self.content = CONTENT

    def app(self) -> web.Application:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/token", self.token)
        app.router.add_post("/v1/uploads", self.create)
        app.router.add_head("/v1/uploads/1", self.head)
        app.router.add_patch("/v1/uploads/1", self.patch)
        app.router.add_get("/v1/uploads/1", self.show, allow_head=False)
        app.router.add_get("/v1/media/{blob_id}", self.get)
        return app

    def fault(self, request: web.Request) -> web.Response | None:
        status = self.faults.pop(0) if self.faults else 200
        if status == 0:
            assert request.transport
            request.transport.abort()
        return None if status == 200 else web.Response(status=status)

    async def token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": "a", "access_expires_at_ms": 10**15})

    async def create(self, request: web.Request) -> web.Response:
        return web.Response(status=201, headers={"Location": "/v1/uploads/1"})

    async def head(self, request: web.Request) -> web.Response:
        return web.Response(headers={"Upload-Offset": str(len(self.uploaded))})

    async def patch(self, request: web.Request) -> web.Response:
        if fault := self.fault(request):
            return fault
        if int(request.headers["Upload-Offset"]) != len(self.uploaded):
            told = {"code": 5011, "retry_after_ms": 0, "fields": {}}
            return web.json_response(told, status=409)
        self.uploaded += await request.read()
        return web.Response(status=204, headers={"Upload-Offset": str(len(self.uploaded))})

    async def show(self, request: web.Request) -> web.Response:
        blob = {"blob_id": SHA, "media_type": "x/y", "size_bytes": 5, "width": 0, "height": 0}
        return web.json_response({"blob": blob})

    async def get(self, request: web.Request) -> web.StreamResponse:
        if fault := self.fault(request):
            return fault
        self.ranges.append(request.headers.get("Range", ""))
        start = request.http_range.start or 0
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(self.content) - start
        await response.prepare(request)
        if self.cut_at > start:
            await response.write(self.content[start : self.cut_at])
            assert request.transport
            request.transport.close()
        else:
            await response.write(self.content[start:])
        return response


@asynccontextmanager
async def media_of(files: FakeFiles) -> AsyncIterator[Media]:
    async with TestServer(files.app()) as server:
        http = MediaHttp(
            place=lambda: Directory("127.0.0.1", server.port or 0, False),
            credentials=lambda: Credentials("refresh", DeviceId(bytes(16))),
            trust=Trust(),
            clock=FakeClock(),
        )
        yield Media(http, random=Hasty())


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_upload_when_answers_are_lost_then_it_goes_on_where_the_server_is() -> None:
    files = FakeFiles()
    files.faults = [200, 0, 503, 200]
    heard: list[int] = []
    async with media_of(files) as media:
        found = await media.upload(
            CONTENT, name="a.bin", on_progress=lambda done, _: heard.append(done)
        )
    assert files.uploaded == CONTENT
    assert found == MediaRecord(SHA, "a.bin", "x/y", 5)
    assert heard == sorted(heard)
    assert heard[:2] == [0, CHUNK_BYTES]


async def test_upload_when_its_name_is_no_unicode_then_called_nearly_so(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.bin")  # as an old disk has it
    path.write_bytes(CONTENT)
    async with media_of(FakeFiles()) as media:
        assert (await media.upload(path)).name == "caf?.bin"


async def test_upload_when_it_never_works_then_given_up() -> None:
    files = FakeFiles()
    files.faults = [503] * 20
    async with media_of(files) as media:
        with pytest.raises(Unavailable):
            await media.upload(CONTENT)
    assert len(files.faults) == 14


async def test_upload_when_the_file_is_missing_then_said_so(tmp_path: Path) -> None:
    async with media_of(FakeFiles()) as media:
        with pytest.raises(FileNotFoundError):
            await media.upload(tmp_path / "nothing")


async def test_download_when_cut_then_the_rest_is_asked_for(tmp_path: Path) -> None:
    files = FakeFiles()
    files.cut_at = 1_500_000
    async with media_of(files) as media:
        path = await media.download(MediaRecord(SHA, "../../a.bin"), tmp_path)
    assert (path, path.read_bytes()) == (tmp_path / "a.bin", CONTENT)
    assert len(files.ranges) > 1
    assert all(one.startswith("bytes=") for one in files.ranges[1:])
    assert names_in(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("there", ["file", "content"])
async def test_download_when_it_cannot_be_kept_then_nothing_is_left(
    tmp_path: Path, there: str
) -> None:
    files = FakeFiles()
    files.content = CONTENT[:-1] + b"?" if there == "content" else CONTENT
    target = tmp_path / "a.bin"
    if there == "file":
        target.write_text("mine")
    async with media_of(files) as media:
        with pytest.raises((FileExistsError, InvalidRequest)):
            await media.download(SHA, target)
    assert names_in(tmp_path) == (["a.bin"] if there == "file" else [])


async def test_download_when_two_have_one_name_then_both_are_kept(tmp_path: Path) -> None:
    async with media_of(FakeFiles()) as media:
        record = MediaRecord(SHA, "a.bin")
        paths = await asyncio.gather(*(media.download(record, tmp_path) for _ in range(2)))
    assert sorted(path.name for path in paths) == ["a (2).bin", "a.bin"]
    assert sorted(names_in(tmp_path)) == ["a (2).bin", "a.bin"]


async def test_read_when_there_is_no_such_file_then_not_asked() -> None:
    async with media_of(FakeFiles()) as media:
        with pytest.raises(NotFound):
            await media.read("../v1/token")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("photo.jpg", "photo.jpg"),
        ("海边 照片.jpg", "海边 照片.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\a.exe", "a.exe"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        (".bashrc", "bashrc"),
        ("a\r\nb\0c\u202egpj.exe", "abcgpj.exe"),
        ('a<b>:"c"|d?*.txt', "abcd.txt"),
        ("x" * 500 + ".jpg", "x" * 196 + ".jpg"),
        ("." + "海" * 500, "海" * 66),
    ],
)
def test_name_when_somebody_else_s_then_harmless(name: str, expected: str) -> None:
    assert safe_name(name) == expected
    assert name_of(MediaRecord(SHA, name)) == expected


def test_name_when_taken_then_numbered(tmp_path: Path) -> None:
    for expected in ("a.tar.gz", "a.tar (2).gz", "a.tar (3).gz"):
        path = free_name(tmp_path, "a.tar.gz")
        assert path.name == expected
        path.touch()


def test_blob_when_named_then_its_id() -> None:
    assert blob_id_of(SHA) == blob_id_of(MediaRecord(SHA)) == SHA
    with pytest.raises(NotFound):
        blob_id_of(MediaRecord(""))
    assert name_of(SHA) == "file"
