"""Cleaning up: uploads that were never finished, files that no message ever referred to.

Every node looks whether it is time; one row of the database says until when one of them has it. A
round is bounded, and what it does may be done twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from random import Random
from typing import Final, Self

from tinyqq.clock import Clock
from tinyqq.errors import TinyQQError
from tinyqq.model.media import BlobId, Upload, blob_key, part_key, thumbnail_key
from tinyqq.ports.media import MediaStore, ObjectStore

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 600.0
STALE_MS: Final = 24 * 3600 * 1000
"""How long an upload, or a file that nothing refers to, is left alone."""
ROUND: Final = 200
"""Uploads and files of one round."""


class MediaSweep:
    """Cleans up while ``async with`` is open.

    Args:
        interval_s: between two rounds of a cluster, about.
        random: nodes that start together must not ask together for ever.
    """

    def __init__(
        self,
        *,
        media: MediaStore,
        objects: ObjectStore,
        clock: Clock,
        interval_s: float = INTERVAL_S,
        random: Random | None = None,
    ) -> None:
        self._media = media
        self._objects = objects
        self._clock = clock
        self._interval_s = interval_s
        self._random = random or Random()
        self._tasks = asyncio.TaskGroup()
        self._stopping = asyncio.Event()
        self._uploads = 0
        self._blobs = 0
        self._failed = 0

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.create_task(self._run(), name="media-sweep")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self._tasks.__aexit__(None, None, None)

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "swept_uploads_total": self._uploads,
            "swept_blobs_total": self._blobs,
            "sweeps_failed_total": self._failed,
        }

    async def sweep(self) -> None:
        """One round, whoever's turn it is. At the end it stops after what it is at: others go on.

        Raises:
            Unavailable: the database or the store cannot be reached; the next round goes on.
        """
        now_ms = self._clock.now_ms()
        before_ms = now_ms - STALE_MS
        for blob in await self._media.list_unreferred(before_ms, ROUND):
            if self._stopping.is_set():
                return
            if await self._media.is_avatar(blob.blob_id):
                await self._media.touch_blob(blob.blob_id, now_ms)
            else:
                await self._media.drop_blob(blob.blob_id, before_ms)
                self._blobs += 1
        for upload in await self._media.list_stale_uploads(before_ms, ROUND):
            if self._stopping.is_set():
                return
            await self._clear(upload)
            self._uploads += 1

    async def _clear(self, upload: Upload) -> None:
        parts = await self._media.list_parts(upload.upload_id)
        keys = [part_key(upload.upload_id, part) for part in parts]
        if upload.blob_id:
            kept = await self._media.find_blob(BlobId(upload.blob_id))
            if kept is None or kept.object_id != upload.upload_id:
                keys.append(blob_key(upload.blob_id, upload.upload_id))
                keys.append(thumbnail_key(upload.blob_id, upload.upload_id))
        if keys:
            await self._objects.delete(keys)
        await self._media.delete_upload(upload.upload_id)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s * self._random.uniform(0.5, 1.0)):
                    await self._stopping.wait()
                return
            try:
                now_ms = self._clock.now_ms()
                until_ms = now_ms + round(self._interval_s * 1000)
                if await self._media.take_sweep(now_ms, until_ms):
                    await self.sweep()
            except TinyQQError as error:
                self._failed += 1
                logger.warning("media.sweep_failed", extra={"reason": str(error)})
