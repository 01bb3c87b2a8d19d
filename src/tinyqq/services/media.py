"""Files for those who may see them: their owners, and who may see a message that refers to one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import ErrorCode, NotFound
from tinyqq.model.account import Caller
from tinyqq.model.ids import UserId
from tinyqq.model.media import (
    Blob,
    CreateUpload,
    OwnFile,
    Upload,
    UploadId,
    blob_key,
    check_blob_id,
    thumbnail_key,
)
from tinyqq.model.message import Kind
from tinyqq.ports.media import MediaStore, ObjectStore, Usage
from tinyqq.ports.storage import AccountStore, LogReader
from tinyqq.services.media_uploads import Uploads

_MAX_REFERENCES: Final = 32
"""Of messages that refer to one file in a viewer's conversations so many are looked at, the newest
first."""
_MAX_THUMBNAIL_BYTES: Final = 1024 * 1024
"""Far more than one has."""


class MediaService:
    """Implements :class:`tinyqq.ports.media.MediaApi`.

    Args:
        reader: the log, which says what became of messages that refer to files.
    """

    def __init__(
        self,
        *,
        media: MediaStore,
        objects: ObjectStore,
        uploads: Uploads,
        accounts: AccountStore,
        reader: LogReader,
        clock: Clock,
        max_bytes: int,
        quota_bytes: int = 0,
    ) -> None:
        self._media = media
        self._objects = objects
        self._uploads = uploads
        self._accounts = accounts
        self._reader = reader
        self._clock = clock
        self._max_bytes = max_bytes
        self._quota_bytes = quota_bytes
        self._refused = 0
        self._deleted = 0
        self._bytes_out = 0

    @property
    def max_bytes(self) -> int:
        """The largest file."""
        return self._max_bytes

    @property
    def quota_bytes(self) -> int:
        """What an account may have; 0: any number."""
        return self._quota_bytes

    # ---- coming in -------------------------------------------------------------------------------

    async def create(self, caller: Caller, request: CreateUpload) -> Upload:
        """Announce a file."""
        return await self._uploads.create(caller, request)

    async def find_upload(self, caller: Caller, upload_id: UploadId) -> Upload:
        """One's own."""
        return await self._uploads.find(caller, upload_id)

    async def append(
        self, caller: Caller, upload_id: UploadId, offset_bytes: int, data: AsyncIterator[bytes]
    ) -> Upload:
        """Take bytes."""
        return await self._uploads.append(caller, upload_id, offset_bytes, data)

    async def finish(self, caller: Caller, upload_id: UploadId) -> Blob:
        """Make a file of a complete upload."""
        return await self._uploads.finish(caller, upload_id)

    async def cancel(self, caller: Caller, upload_id: UploadId) -> None:
        """Forget an upload."""
        await self._uploads.cancel(caller, upload_id)

    # ---- one's own -------------------------------------------------------------------------------

    async def read_usage(self, caller: Caller) -> Usage:
        """What the account has."""
        return await self._media.read_usage(caller.user_id)

    async def list_files(
        self, caller: Caller, after: tuple[int, str] | None, limit: int
    ) -> tuple[OwnFile, ...]:
        """The caller's files."""
        known = None if after is None else (after[0], check_blob_id(after[1]))
        return await self._media.list_files(caller.user_id, known, limit)

    async def delete(self, caller: Caller, blob_id: str) -> None:
        """Delete a file of the caller's. Its objects go with the next clean-up."""
        now_ms = self._clock.now_ms()
        if not await self._media.disown(caller.user_id, check_blob_id(blob_id), now_ms):
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        self._deleted += 1

    # ---- going out -------------------------------------------------------------------------------

    async def find(self, caller: Caller, blob_id: str) -> Blob:
        """A file that the caller may see; nobody learns whether others are there."""
        blob = await self._media.find_blob(check_blob_id(blob_id))
        if blob is None or not await self._may_see(caller.user_id, blob):
            self._refused += 1
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return blob

    async def find_avatar(self, user_id: UserId) -> Blob:
        """A user's avatar: an image that this user has uploaded. Of another's file it would be a
        way to look at what one may not see."""
        account = await self._accounts.find_account(user_id)
        if account is None or account.deleted_at_ms or not account.avatar:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        blob = await self._media.find_blob(check_blob_id(account.avatar))
        if (
            blob is None
            or not blob.has_thumbnail
            or not await self._media.is_owner(user_id, blob.blob_id)
        ):
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return blob

    async def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes in pieces."""
        key = blob_key(blob.blob_id, blob.object_id)
        async for piece in self._objects.read(key, start, end):
            self._bytes_out += len(piece)
            yield piece

    async def read_thumbnail(self, blob: Blob) -> AsyncIterator[bytes]:
        """Its thumbnail's bytes."""
        if not blob.has_thumbnail:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        key = thumbnail_key(blob.blob_id, blob.object_id)
        async for piece in self._objects.read(key, 0, _MAX_THUMBNAIL_BYTES):
            self._bytes_out += len(piece)
            yield piece

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        uploads = self._uploads
        return {
            "uploads_created_total": uploads.created,
            "uploads_finished_total": uploads.finished,
            "uploads_known_content_total": uploads.repeated,
            "bytes_in_total": uploads.bytes_in,
            "bytes_out_total": self._bytes_out,
            "refused_total": self._refused,
            "deleted_total": self._deleted,
        }

    # ---- who may see what ------------------------------------------------------------------------

    async def _may_see(self, user_id: UserId, blob: Blob) -> bool:
        if await self._media.is_owner(user_id, blob.blob_id):
            return True
        keys = await self._media.find_references(blob.blob_id, user_id, _MAX_REFERENCES)
        for key in keys:
            # Accepted, the user's to read, and it still says what it said?
            entry = await self._reader.find_visible(user_id, key)
            if entry is not None and entry.kind != Kind.RECALLED:
                return True
        return False
