"""Files on a real database and a real folder, with pictures that a test says."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.logs import ANN

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.media.folder import FolderStore
from tinyqq.model.account import Caller
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.model.media import Blob, CreateUpload, Picture
from tinyqq.services.media import MediaService
from tinyqq.services.media_uploads import MediaPolicy, Uploads
from tinyqq.storage.open import Storage, open_storage
from tinyqq.testing.clock import FakeClock

PNG = b"PNG"
"""What the pictures of these tests begin with."""


def caller(user_id: UserId = ANN) -> Caller:
    """Who asks over HTTP."""
    return Caller(user_id, DeviceId(b"d" * 16), SessionId(0))


class FakePictures:
    """Takes what begins with ``PNG`` for a picture."""

    def __init__(self) -> None:
        self.looked_at: list[bytes] = []

    async def look(self, data: bytes) -> Picture:
        """See ``ports.media.Pictures``."""
        self.looked_at.append(data)
        if not data.startswith(PNG):
            raise InvalidRequest(ErrorCode.BAD_MEDIA)
        return Picture("image/png", 40, 20, b"small")

    def counters(self) -> dict[str, int | float]:
        """Nothing."""
        return {}


async def pieces_of(*pieces: bytes) -> AsyncIterator[bytes]:
    """Pieces as they come over a connection."""
    for piece in pieces:
        yield piece


class MediaWorld:
    """All of it."""

    def __init__(self, storage: Storage, folder: Path, policy: MediaPolicy) -> None:
        self.storage = storage
        self.folder = folder
        self.objects = FolderStore(folder)
        self.pictures = FakePictures()
        self.clock = FakeClock()
        self.uploads = Uploads(
            media=storage.media,
            objects=self.objects,
            pictures=self.pictures,
            clock=self.clock,
            policy=policy,
        )
        self.service = MediaService(
            media=storage.media,
            objects=self.objects,
            uploads=self.uploads,
            accounts=storage.accounts,
            reader=storage.log_reader,
            clock=self.clock,
            max_bytes=policy.max_bytes,
            quota_bytes=policy.quota_bytes,
        )

    async def put(
        self,
        content: bytes,
        user_id: UserId = ANN,
        media_type: str = "text/plain",
        name: str = "",
    ) -> Blob:
        """Upload a file."""
        wish = CreateUpload(len(content), media_type, name=name)
        upload = await self.uploads.create(caller(user_id), wish)
        await self.uploads.append(caller(user_id), upload.upload_id, 0, pieces_of(content))
        return await self.uploads.finish(caller(user_id), upload.upload_id)

    def keys(self) -> list[str]:
        """What lies in the folder, also while a sweep takes folders out of it.

        os.walk passes over a folder that goes between being listed and being read; rglob raises.
        """
        found = (Path(top, name) for top, _, names in os.walk(self.folder) for name in names)
        return sorted(str(path.relative_to(self.folder)) for path in found)


@asynccontextmanager
async def media_world(folder: Path, policy: MediaPolicy | None = None) -> AsyncIterator[MediaWorld]:
    """One that is empty."""
    async with open_storage(f"sqlite:///{folder / 'tinyqq.db'}") as storage:
        yield MediaWorld(storage, folder / "media", policy or MediaPolicy())
