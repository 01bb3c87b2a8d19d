"""Files, wired: where they lie, who looks into pictures, who cleans up.

A part of the composition root beside ``business.py``; what a bucket needs is an optional extra, and
imported only when a setting asks for one.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from tinyqq.app.ground import Enter, Ground
from tinyqq.app.settings import MediaSettings, Settings
from tinyqq.errors import ErrorCode, Unavailable, needs_extra
from tinyqq.http.metrics import Counters
from tinyqq.media.folder import FolderStore
from tinyqq.model.media import Picture
from tinyqq.ports.media import MediaApi, ObjectStore, Pictures
from tinyqq.services.media import MediaService
from tinyqq.services.media_sends import MediaSends
from tinyqq.services.media_sweep import MediaSweep
from tinyqq.services.media_uploads import MediaPolicy, Uploads

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MediaParts:
    """What others need of it."""

    api: MediaApi
    sends: MediaSends
    counters: Mapping[str, Counters]


async def open_media(enter: Enter, settings: Settings, ground: Ground) -> MediaParts:
    """Open all of it. Enter it after the lane, which has to take what is still being checked.

    Raises:
        InvalidRequest: the extra is not installed.
    """
    media, clock = ground.storage.media, ground.clock
    objects = object_store(settings)
    pictures = await enter(_open_pictures())
    policy = settings.media
    uploads = Uploads(
        media=media,
        objects=objects,
        pictures=pictures,
        clock=clock,
        policy=MediaPolicy(policy.max_bytes, policy.types, policy.quota_bytes),
    )
    api = MediaService(
        media=media,
        objects=objects,
        uploads=uploads,
        accounts=ground.storage.accounts,
        reader=ground.storage.log_reader,
        clock=clock,
        max_bytes=policy.max_bytes,
        quota_bytes=policy.quota_bytes,
    )
    sends = await enter(MediaSends(files=api, media=media, clock=clock))
    sweep = await enter(MediaSweep(media=media, objects=objects, clock=clock))
    return MediaParts(
        api=api,
        sends=sends,
        counters={
            "media": lambda: {
                **api.counters(),
                **sends.counters(),
                **sweep.counters(),
                **pictures.counters(),
            },
        },
    )


class NoPictures:
    """Implements ``ports.media.Pictures`` where Pillow is not installed: a node does all the rest
    without it."""

    def counters(self) -> dict[str, int | float]:
        """There is nothing to count."""
        return {}

    async def look(self, data: bytes) -> Picture:
        """Nobody can."""
        raise Unavailable(ErrorCode.UNAVAILABLE, reason="Pillow is not installed on this node")


@contextlib.asynccontextmanager
async def _open_pictures() -> AsyncIterator[Pictures]:
    try:
        from tinyqq.media.images import ImagePool
    except ModuleNotFoundError:
        logger.warning("media.no_pictures", extra={"reason": "Pillow is not installed"})
        yield NoPictures()
        return
    async with ImagePool() as pool:
        yield pool


def object_store(settings: Settings) -> ObjectStore:
    """Where the files of a node lie.

    Raises:
        InvalidRequest: the extra is not installed.
    """
    store = settings.media.store
    if store.startswith("s3://"):
        return _bucket(settings.media)
    return FolderStore((settings.data_dir / (store or "media")).absolute())


def _bucket(media: MediaSettings) -> ObjectStore:
    with needs_extra("media.store"):
        from tinyqq.media.bucket import BucketStore
    return BucketStore.open(
        media.store,
        endpoint=media.s3_endpoint,
        region=media.s3_region,
        access_key=media.s3_access_key,
        secret_key=media.s3_secret_key.get_secret_value(),
    )
