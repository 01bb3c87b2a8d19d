"""Files on a whole node, by the client and by plain HTTP: who gets what, and what goes on after a
cut."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from PIL import Image
from tests.support.chat import Person
from tests.support.clients import Hasty, next_of
from tests.support.pictures import bomb, photo, picture
from tests.support.recordings import wav
from tests.support.relay import Relay, relay_to
from tests.support.s3 import S3Server

from tinyqq.app.build import App, build
from tinyqq.app.settings import (
    AccountSettings,
    HelperSettings,
    ListenSettings,
    MediaSettings,
    Settings,
)
from tinyqq.cli.chat_commands import Chat
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.client import Client, Content, Kind, Message
from tinyqq.client.image_metadata import without_metadata
from tinyqq.client.media import CHUNK_BYTES
from tinyqq.errors import Conflict, ErrorCode, InvalidRequest, NotFound, TinyQQError
from tinyqq.lab.servers.mariadb import MariaDb
from tinyqq.model.message import Media
from tinyqq.storage.open import migrate_storage

pytestmark = pytest.mark.slow

PASSWORD = "correct horse"
SMALL = MediaSettings(max_bytes=1000, quota_bytes=1500, types=("image/*",))


def settings(folder: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "data_dir": folder / "data",
            "listen": ListenSettings(tcp_port=0, http_port=0),
            "helper": HelperSettings(enabled=False),
            "accounts": AccountSettings(argon2_memory_kib=8, argon2_passes=1),
            **more,
        }
    )


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with build(settings(tmp_path)) as made:
        yield made


async def newcomer(me: Client, nickname: str) -> int:
    made = await me.register(nickname, PASSWORD)
    await me.login(made.user_id, PASSWORD)
    await me.wait_synced()
    return made.user_id


async def befriend(one: Client, other: Client) -> None:
    await one.friends.request(other.user_id, "hello")
    await other.friends.accept(one.user_id)


async def code_of(call: Any) -> ErrorCode:
    with pytest.raises(TinyQQError) as caught:
        await call
    return caught.value.code


async def token_of(me: Client, url: str) -> str:
    """An access token, as a program without the client gets one."""
    credentials = me._session._credentials()
    wish = {
        "refresh_token": credentials.refresh_token,
        "device_id": credentials.device_id.hex(),
    }
    async with aiohttp.ClientSession() as http, http.post(f"{url}/v1/token", json=wish) as answer:
        return str((await answer.json())["access_token"])


@asynccontextmanager
async def browser(me: Client, url: str) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {await token_of(me, url)}"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        yield http


async def test_picture_when_sent_then_the_friend_sees_it_and_a_stranger_does_not(
    app: App, tmp_path: Path
) -> None:
    file = tmp_path / "海边.jpg"
    file.write_bytes(photo((800, 400)))
    original = without_metadata(photo((800, 400)))
    url = app.http_url
    async with Client(url) as ann, Client(url) as bob, Client(url) as eve:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await newcomer(eve, "Eve")
        await befriend(ann, bob)
        heard: list[tuple[int, int]] = []
        await ann.send_image(bob.user_id, file, on_progress=lambda *at: heard.append(at))
        assert heard[0] == (0, len(original))
        assert heard[-1] == (len(original), len(original))

        message = await next_of(bob, Message)
        media = message.content.media
        assert media is not None
        assert (message.kind, media.media_type) == (Kind.IMAGE, "image/jpeg")
        assert (media.width, media.height) == (400, 800)  # upright
        assert await bob.media.read(message) == original
        saved = await bob.media.download(message, tmp_path)
        assert (saved.name, saved.read_bytes()) == ("海边 (2).jpg", original)

        small = Image.open(io.BytesIO(await bob.media.thumbnail(message)))
        assert (small.format, small.size) == ("WEBP", (160, 320))
        assert dict(small.getexif()) == {}

        for call in (eve.media.read(media), eve.media.thumbnail(media)):
            assert await code_of(call) is ErrorCode.MEDIA_NOT_FOUND
        # Who knows the name of a file has no right to it, and cannot get one by naming it.
        stolen = Content("mine", media=Media(media.blob_id))
        assert await code_of(eve.send(eve.user_id, stolen, kind=Kind.FILE)) is (
            ErrorCode.MEDIA_NOT_FOUND
        )
        # Who may see it may pass it on.
        await bob.send(bob.user_id, Content("kept", media=media), kind=Kind.FILE)


async def test_picture_when_recalled_then_only_its_owner_has_it(app: App) -> None:
    async with Client(app.http_url) as ann, Client(app.http_url) as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        sent = await ann.send_image(bob.user_id, picture(), name="a.png")
        message = await next_of(bob, Message)
        assert await bob.media.read(message) == picture()
        await ann.recall(ann.conversation_with(bob.user_id), sent.seq)
        assert await code_of(bob.media.read(message)) is ErrorCode.MEDIA_NOT_FOUND
        assert message.content.media
        assert await ann.media.read(message.content.media) == picture()


async def test_group_when_somebody_joins_later_then_not_what_was_sent_before(app: App) -> None:
    async with Client(app.http_url) as ann, Client(app.http_url) as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        group_id = await ann.groups.create("Walkers")
        await ann.send_media_to(group_id, b"before", name="before.txt")  # type: ignore[arg-type]
        before = await ann.media.upload(b"before", name="before.txt")
        if not await bob.groups.join(group_id):
            await ann.groups.answer(group_id, bob.user_id, accept=True)
        await ann.send_media_to(group_id, b"after", name="after.txt")  # type: ignore[arg-type]
        after = await ann.media.upload(b"after", name="after.txt")
        assert await bob.media.read(after) == b"after"
        assert await code_of(bob.media.read(before)) is ErrorCode.MEDIA_NOT_FOUND


async def test_voice_when_sent_then_its_length_is_told(app: App) -> None:
    async with Client(app.http_url) as ann, Client(app.http_url) as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        await ann.send_voice(bob.user_id, wav(1.5), name="hi.wav")
        message = await next_of(bob, Message)
        media = message.content.media
        assert media is not None
        assert (message.kind, media.duration_ms, media.name) == (Kind.VOICE, 1500, "hi.wav")
        assert await code_of(ann.send_voice(bob.user_id, b"webm")) is ErrorCode.BAD_MEDIA


async def test_files_when_listed_then_one_s_own_until_deleted(app: App) -> None:
    async with Client(app.http_url) as ann:
        await newcomer(ann, "Ann")
        media = await ann.media.upload(b"hello", name="你好.txt")
        told = await ann.media.list_files()
        assert (told.used_bytes, [one.media for one in told.files], told.next) == (5, [media], "")
        await ann.media.delete(media)
        assert (await ann.media.list_files()).files == ()
        assert await code_of(ann.media.delete(media)) is ErrorCode.MEDIA_NOT_FOUND


async def test_order_when_a_text_follows_a_picture_then_it_stays_behind_it(app: App) -> None:
    async with Client(app.http_url) as ann:
        await newcomer(ann, "Ann")
        media = await ann.media.upload(picture(), name="a.png")
        place = ann.conversation_with(ann.user_id)
        sends = [
            asyncio.create_task(ann.send_to(place, Content("p", media=media), kind=Kind.IMAGE)),
            *(asyncio.create_task(ann.send_to(place, str(number))) for number in range(5)),
        ]
        seqs = [one.seq for one in await asyncio.gather(*sends)]
        assert seqs == sorted(seqs)


@pytest.fixture
async def wire(app: App) -> AsyncIterator[Relay]:
    async with relay_to(*app.http_address) as made:
        yield made


async def test_upload_when_the_connection_is_cut_then_it_goes_on(app: App, wire: Relay) -> None:
    content = Random(7).randbytes(3 * CHUNK_BYTES + 77)
    async with Client(f"ws://{urlsplit(wire.url).netloc}/ws", random=Hasty()) as ann:
        await newcomer(ann, "Ann")
        cuts = [1, 2]

        def progress(done: int, total: int) -> None:
            if cuts and done // CHUNK_BYTES >= cuts[0]:
                cuts.pop(0)
                wire.cut()

        media = await ann.media.upload(content, name="big.bin", on_progress=progress)
        assert not cuts
        assert media.blob_id == hashlib.sha256(content).hexdigest()
        assert await ann.media.read(media) == content


async def test_upload_when_raw_then_tus_speaks_of_offsets(app: App) -> None:
    content = Random(8).randbytes(200_000)
    async with Client(app.http_url) as ann, Client(app.http_url) as eve:
        await newcomer(ann, "Ann")
        await newcomer(eve, "Eve")
        async with browser(ann, app.http_url) as http, browser(eve, app.http_url) as other:
            metadata = f"filename {base64.b64encode(b'../../x').decode()}"
            made = await http.post(
                "/v1/uploads",
                headers={"Upload-Length": str(len(content)), "Upload-Metadata": metadata},
            )
            assert made.status == 201
            place = made.headers["Location"]
            patch = {"Content-Type": "application/offset+octet-stream"}
            first = await http.patch(
                place, data=content[:100_000], headers={**patch, "Upload-Offset": "0"}
            )
            assert (first.status, first.headers["Upload-Offset"]) == (204, "100000")
            again = await http.patch(
                place, data=content[:100_000], headers={**patch, "Upload-Offset": "0"}
            )
            assert (again.status, (await again.json())["fields"]) == (409, {"offset": "100000"})
            assert (await http.head(place)).headers["Upload-Offset"] == "100000"
            assert (await other.head(place)).status == 404
            too_much = await http.patch(
                place, data=content, headers={**patch, "Upload-Offset": "100000"}
            )
            assert too_much.status == 400
            rest = await http.patch(
                place, data=content[100_000:], headers={**patch, "Upload-Offset": "100000"}
            )
            blob_id = rest.headers["Blob-Id"]
            assert blob_id == hashlib.sha256(content).hexdigest()
            assert (await http.head(place)).headers["Upload-Offset"] == str(len(content))

            part = await http.get(
                f"/v1/media/{blob_id}?name=a/../b.x", headers={"Range": "bytes=10-19"}
            )
            assert (part.status, await part.read()) == (206, content[10:20])
            assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
            assert part.headers["Content-Disposition"] == "attachment; filename*=UTF-8''b.x"
            assert part.headers["X-Content-Type-Options"] == "nosniff"
            assert "sandbox" in part.headers["Content-Security-Policy"]
            tail = await http.get(f"/v1/media/{blob_id}", headers={"Range": "bytes=-5"})
            assert await tail.read() == content[-5:]
            beyond = await http.get(f"/v1/media/{blob_id}", headers={"Range": "bytes=200000-"})
            assert beyond.status == 416
            known = await http.get(
                f"/v1/media/{blob_id}", headers={"If-None-Match": part.headers["ETag"]}
            )
            assert known.status == 304
            async with aiohttp.ClientSession(app.http_url) as nobody:
                assert (await nobody.get(f"/v1/media/{blob_id}")).status == 401


async def test_page_when_uploaded_then_it_is_only_ever_saved(app: App) -> None:
    async with Client(app.http_url) as ann:
        await newcomer(ann, "Ann")
        page = b"<script>alert(1)</script>"
        for name, media_type in (("a.html", "text/html"), ("a.svg", "image/svg+xml")):
            media = await ann.media.upload(page + name.encode(), name=name, media_type=media_type)
            async with browser(ann, app.http_url) as http:
                answer = await http.get(f"/v1/media/{media.blob_id}")
                assert answer.headers["Content-Disposition"].startswith("attachment;")


async def test_bomb_when_uploaded_then_refused_before_it_is_unpacked(app: App) -> None:
    async with Client(app.http_url) as ann:
        await newcomer(ann, "Ann")
        with pytest.raises(InvalidRequest) as caught:
            await ann.media.upload(bomb(), name="a.png")
        assert caught.value.code is ErrorCode.BAD_MEDIA
        assert await code_of(ann.media.upload(b"no picture", name="a.png")) is ErrorCode.BAD_MEDIA
        media = await ann.media.upload(b"no picture", name="a.bin")
        lie = Content("look", media=media)
        assert await code_of(ann.send(ann.user_id, lie, kind=Kind.IMAGE)) is ErrorCode.BAD_MEDIA


async def test_limits_when_exceeded_then_refused(tmp_path: Path) -> None:
    async with (
        build(settings(tmp_path, media=SMALL)) as app,
        Client(app.http_url) as ann,
    ):
        await newcomer(ann, "Ann")
        upload = ann.media.upload
        assert await code_of(upload(b"x" * 1001, name="a.heic")) is ErrorCode.MEDIA_TOO_LARGE
        assert await code_of(upload(b"x", name="a.txt")) is ErrorCode.MEDIA_TYPE_REFUSED
        await upload(b"x" * 1000, media_type="image/heic")
        with pytest.raises(Conflict) as caught:
            await upload(b"y" * 1000, media_type="image/heic")
        assert caught.value.code is ErrorCode.MEDIA_QUOTA_EXCEEDED


async def test_avatar_when_set_then_everybody_sees_it_and_nobody_else_s_file(app: App) -> None:
    async with Client(app.http_url) as ann, Client(app.http_url) as eve:
        await newcomer(ann, "Ann")
        await newcomer(eve, "Eve")
        with pytest.raises(NotFound):
            await eve.media.avatar(ann.user_id)
        mine = await ann.media.upload(picture(), name="me.png")
        secret = await ann.media.upload(picture(colour="blue"), name="secret.png")
        await ann.account.update_profile(avatar=mine.blob_id)
        assert Image.open(io.BytesIO(await eve.media.avatar(ann.user_id))).size == (40, 20)
        await eve.account.update_profile(avatar=secret.blob_id)
        with pytest.raises(NotFound):
            await eve.media.avatar(eve.user_id)


async def test_file_when_two_upload_it_then_it_is_kept_once(app: App, tmp_path: Path) -> None:
    async with Client(app.http_url) as ann, Client(app.http_url) as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        one = await ann.media.upload(picture(), name="a.png")
        assert await code_of(bob.media.read(one)) is ErrorCode.MEDIA_NOT_FOUND
        other = await bob.media.upload(picture(), name="b.png")
        assert one.blob_id == other.blob_id
        assert await bob.media.read(one) == picture()
    files = [path for path in (tmp_path / "data" / "media").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "data" / "media").parts[0] for path in files) == [
        "blobs",
        "thumbnails",
    ]


async def test_chat_client_when_files_are_sent_then_shown_with_a_number_and_saved(
    app: App, tmp_path: Path
) -> None:
    (tmp_path / "my photo.png").write_bytes(picture())
    kept = tmp_path / "kept"
    kept.mkdir()
    async with Client(app.http_url) as ann, Client(app.http_url) as bob:
        await newcomer(ann, "Ann")
        await newcomer(bob, "Bob")
        await befriend(ann, bob)
        one, other = Person(f"/open {bob.user_id}"), Person()
        async with asyncio.TaskGroup() as tasks:
            for me, person in ((ann, one), (bob, other)):
                tasks.create_task(Chat(me=me, terminal=person, say=ChatTexts("en")).run())
            one.type(f"/image '{tmp_path / 'my photo.png'}'")
            assert "(/save 1)" in await other.sees("[image] my photo.png (")
            other.type(f"/save 1 {kept}")
            await other.sees("Saved as")
            one.type(f"/file {tmp_path / 'nothing'}")
            await one.sees("No such file")
            one.type("/file")
            await one.sees("/file needs a file")
            one.type("/files")
            await one.sees("of 2.1 GB used.")
            await one.sees("my photo.png (")
            one.type("/delete 1")
            one.type("/files")
            await one.sees("0 B of 2.1 GB used.")
            other.type(f"/save 1 {kept}")
            await other.sees("The file is gone")
            other.type("/save 7")
            await other.sees("There is no file 7")
            for person in (one, other):
                person.type("/quit")
    assert (kept / "my photo.png").read_bytes() == picture()


@pytest.fixture(params=["folder", "s3"])
def shared_store(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """What two nodes are told about where files lie."""
    if request.param == "folder":
        return {"store": str(tmp_path / "shared")}
    server: S3Server = request.getfixturevalue("s3_server")
    keys = {"s3_region": "us-east-1", "s3_access_key": "key", "s3_secret_key": "secret"}
    return {"store": server.make_bucket(), "s3_endpoint": server.endpoint, **keys}


@pytest.mark.needs("mariadb")
async def test_upload_when_begun_at_one_node_then_another_goes_on(
    tmp_path: Path, mariadb: MariaDb, shared_store: dict[str, str]
) -> None:
    url = await asyncio.to_thread(mariadb.make_database)
    await migrate_storage(url)
    content = Random(9).randbytes(300_000)
    half = len(content) // 2
    more = {"database_url": url, "media": shared_store}
    async with (
        build(settings(tmp_path / "one", **more)) as one,
        build(settings(tmp_path / "two", **more)) as two,
        Client(one.http_url) as ann,
    ):
        await newcomer(ann, "Ann")
        async with browser(ann, one.http_url) as here, browser(ann, two.http_url) as there:
            made = await here.post("/v1/uploads", headers={"Upload-Length": str(len(content))})
            place = made.headers["Location"]
            patch = {"Content-Type": "application/offset+octet-stream"}
            first = await here.patch(
                place, data=content[:half], headers={**patch, "Upload-Offset": "0"}
            )
            assert first.status == 204
            offset = (await there.head(place)).headers["Upload-Offset"]
            last = await there.patch(
                place, data=content[int(offset) :], headers={**patch, "Upload-Offset": offset}
            )
            blob_id = last.headers["Blob-Id"]
            for http in (here, there):
                assert await (await http.get(f"/v1/media/{blob_id}")).read() == content
