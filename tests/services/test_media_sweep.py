"""Cleaning up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from random import Random

import pytest
from tests.support.eventually import eventually
from tests.support.logs import ANN, ANN_BOB, account, new_operation_id
from tests.support.media import PNG, MediaWorld, caller, media_world, pieces_of

from tinyqq.errors import ErrorCode, NotFound, Unavailable
from tinyqq.model.media import PART_BYTES, CreateUpload
from tinyqq.ports.storage import SendKey
from tinyqq.services.media_sweep import STALE_MS, MediaSweep

DAY_S = STALE_MS / 1000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MediaWorld]:
    async with media_world(tmp_path) as made:
        yield made


def sweeper(world: MediaWorld, interval_s: float = 600.0) -> MediaSweep:
    return MediaSweep(
        media=world.storage.media,
        objects=world.objects,
        clock=world.clock,
        interval_s=interval_s,
        random=Random(1),
    )


async def half(world: MediaWorld) -> bytes:
    """Begin an upload; returns its id."""
    wish = CreateUpload(PART_BYTES + 1, "text/plain")
    upload = await world.uploads.create(caller(), wish)
    await world.uploads.append(caller(), upload.upload_id, 0, pieces_of(bytes(PART_BYTES)))
    return upload.upload_id


async def test_upload_when_nobody_goes_on_for_a_day_then_it_goes(world: MediaWorld) -> None:
    await half(world)
    world.clock.advance(DAY_S)
    await sweeper(world).sweep()
    assert len(world.keys()) == 1
    world.clock.advance(0.001)
    await sweeper(world).sweep()
    assert world.keys() == []
    assert await world.storage.media.read_usage(ANN) == (0, 0)


async def test_file_when_nothing_refers_to_it_for_a_day_then_it_goes(world: MediaWorld) -> None:
    blob = await world.put(PNG, media_type="image/png")
    kept = await world.put(b"kept")
    key = SendKey(ANN_BOB, ANN, new_operation_id())
    await world.storage.media.add_reference(kept.blob_id, key, world.clock.now_ms())
    world.clock.advance(DAY_S + 1)
    await sweeper(world).sweep()
    assert await world.storage.media.find_blob(blob.blob_id) is None
    assert [key.split("/")[0] for key in world.keys()] == ["blobs"]
    with pytest.raises(NotFound):
        await world.service.find(caller(), blob.blob_id)
    assert await world.service.find(caller(), kept.blob_id) == kept
    again = await world.put(PNG, media_type="image/png")
    await sweeper(world).sweep()
    assert await world.service.find(caller(), again.blob_id) == again
    assert len(world.keys()) == 3


async def test_file_when_it_is_an_avatar_then_it_stays(world: MediaWorld) -> None:
    await world.storage.accounts.create_accounts([account(ANN)], [])
    blob = await world.put(PNG, media_type="image/png")
    await world.storage.accounts.update_account(ANN, avatar=blob.blob_id)
    for _ in range(3):
        world.clock.advance(DAY_S + 1)
        await sweeper(world).sweep()
    assert await world.service.find_avatar(ANN) == blob


async def test_sweep_when_it_is_time_then_one_of_several_does_it(world: MediaWorld) -> None:
    await half(world)
    world.clock.advance(DAY_S + 1)
    one, other = sweeper(world, 0.01), sweeper(world, 0.01)
    async with one, other:
        await eventually(lambda: world.keys() == [])
    done = [each.counters()["swept_uploads_total"] for each in (one, other)]
    assert sorted(done) == [0, 1]


async def test_sweep_when_the_node_ends_then_it_stops_after_what_it_is_at(
    world: MediaWorld,
) -> None:
    for _ in range(2):
        await half(world)
    world.clock.advance(DAY_S + 1)
    began, go_on = asyncio.Event(), asyncio.Event()
    delete = world.objects.delete

    async def slow(keys: Collection[str]) -> None:
        began.set()
        await go_on.wait()
        await delete(keys)

    world.objects.delete = slow  # type: ignore[method-assign]
    sweep = sweeper(world, 0.01)
    async with sweep:
        await began.wait()
        asyncio.get_running_loop().call_soon(go_on.set)
    assert sweep.counters()["swept_uploads_total"] == 1
    assert len(world.keys()) == 1


async def test_sweep_when_the_store_is_away_then_the_next_round_goes_on(
    world: MediaWorld, caplog: pytest.LogCaptureFixture
) -> None:
    await half(world)
    world.clock.advance(DAY_S + 1)
    failed = asyncio.Event()
    delete = world.objects.delete

    async def away(keys: object) -> None:
        failed.set()
        raise Unavailable(ErrorCode.UNAVAILABLE)

    world.objects.delete = away  # type: ignore[method-assign]
    sweep = sweeper(world, 0.01)
    async with sweep:
        await failed.wait()
        await eventually(lambda: "media.sweep_failed" in caplog.text)
        world.objects.delete = delete  # type: ignore[method-assign]
        world.clock.advance(60)
        await eventually(lambda: world.keys() == [])
    assert sweep.counters()["sweeps_failed_total"] >= 1


async def test_file_when_its_owner_has_deleted_it_then_its_objects_go_next(
    world: MediaWorld,
) -> None:
    blob = await world.put(PNG, media_type="image/png")
    kept = await world.put(b"kept")
    await world.service.delete(caller(), blob.blob_id)
    await sweeper(world).sweep()
    assert [key.split("/")[2][:64] for key in world.keys()] == [kept.blob_id]


async def test_file_when_it_became_an_image_then_the_old_object_goes_a_day_later(
    world: MediaWorld,
) -> None:
    await world.put(PNG)
    image = await world.put(PNG, media_type="image/png")
    await sweeper(world).sweep()
    assert len(world.keys()) == 3
    world.clock.advance(DAY_S + 1)
    await world.storage.media.touch_blob(image.blob_id, world.clock.now_ms())
    await sweeper(world).sweep()
    assert [key.split("/")[0] for key in world.keys()] == ["blobs", "thumbnails"]
    assert all(key.endswith(image.object_id.hex()) for key in world.keys())
