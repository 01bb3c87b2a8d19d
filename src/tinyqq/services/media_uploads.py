"""Files on their way in: taken part by part, then put together, looked into and kept once.

Nothing of an upload is in this process's memory between two calls: any node goes on where another
stopped.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tinyqq.clock import Clock
from tinyqq.errors import Conflict, ErrorCode, InvalidRequest, NotFound, Unavailable
from tinyqq.model.account import Caller
from tinyqq.model.media import (
    IMAGE_TYPES,
    MAX_IMAGE_BYTES,
    MIN_PART_BYTES,
    NONCE_BYTES,
    PART_BYTES,
    UPLOAD_ID_BYTES,
    Blob,
    BlobId,
    CreateUpload,
    Part,
    Picture,
    Upload,
    UploadId,
    blob_key,
    check_blob_id,
    check_media_type,
    file_name,
    is_allowed,
    part_key,
    thumbnail_key,
)
from tinyqq.ports.media import MediaStore, ObjectStore, Pictures, Usage

MAX_OPEN_UPLOADS: Final = 20
"""Of one account; unfinished ones go away after a day."""
_ATTEMPTS: Final = 3
"""A file that is there may be cleaned away while somebody brings it again."""


@dataclass(frozen=True, slots=True)
class MediaPolicy:
    """What the operator decided about files. ``types``: patterns as ``image/*``; ``quota_bytes``:
    of one account, 0: any number."""

    max_bytes: int = 100 * 1024 * 1024
    types: tuple[str, ...] = ("*/*",)
    quota_bytes: int = 0


class Uploads:
    """The first half of :class:`tinyqq.ports.media.MediaApi`."""

    def __init__(
        self,
        *,
        media: MediaStore,
        objects: ObjectStore,
        pictures: Pictures,
        clock: Clock,
        policy: MediaPolicy,
    ) -> None:
        self._media = media
        self._objects = objects
        self._pictures = pictures
        self._clock = clock
        self._policy = policy
        self.created = 0
        self.finished = 0
        self.repeated = 0
        self.bytes_in = 0

    async def create(self, caller: Caller, request: CreateUpload) -> Upload:
        """Announce a file. What is announced counts for the quota from now on, until the upload is
        cancelled or cleaned away."""
        media_type = check_media_type(request.media_type)
        policy = self._policy
        if not 0 < request.size_bytes <= policy.max_bytes:
            raise InvalidRequest(ErrorCode.MEDIA_TOO_LARGE, max_bytes=policy.max_bytes)
        if media_type in IMAGE_TYPES and request.size_bytes > MAX_IMAGE_BYTES:
            raise InvalidRequest(ErrorCode.MEDIA_TOO_LARGE, max_bytes=MAX_IMAGE_BYTES)
        self._check_type(media_type)
        expected = check_blob_id(request.blob_id) if request.blob_id else ""
        upload = Upload(
            upload_id=UploadId(secrets.token_bytes(UPLOAD_ID_BYTES)),
            user_id=caller.user_id,
            media_type=media_type,
            size_bytes=request.size_bytes,
            expected=expected,
            touched_at_ms=self._clock.now_ms(),
            name=file_name(request.name),
        )
        usage = await self._media.create_upload(
            upload, quota_bytes=policy.quota_bytes, max_open=MAX_OPEN_UPLOADS
        )
        if usage is not None:
            raise _no_room(usage, policy.quota_bytes)
        self.created += 1
        return upload

    async def find(self, caller: Caller, upload_id: UploadId) -> Upload:
        """One's own."""
        upload = await self._media.find_upload(upload_id)
        if upload is None or upload.user_id != caller.user_id:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return upload

    async def cancel(self, caller: Caller, upload_id: UploadId) -> None:
        """Forget an upload. What nobody deletes is deleted by whoever cleans up."""
        upload = await self.find(caller, upload_id)
        if not upload.is_finished:
            await self._forget(upload, await self._media.list_parts(upload_id))

    # ---- taking parts ----------------------------------------------------------------------------

    async def append(
        self, caller: Caller, upload_id: UploadId, offset_bytes: int, data: AsyncIterator[bytes]
    ) -> Upload:
        """Take bytes, and keep them part by part."""
        upload = await self.find(caller, upload_id)
        if upload.offset_bytes != offset_bytes:
            raise Conflict(ErrorCode.UPLOAD_ELSEWHERE, offset=upload.offset_bytes)
        gathered = bytearray()
        try:
            async for piece in data:
                gathered += piece
                if upload.offset_bytes + len(gathered) > upload.size_bytes:
                    raise InvalidRequest(ErrorCode.MEDIA_TOO_LARGE, max_bytes=upload.size_bytes)
                while len(gathered) >= PART_BYTES:
                    upload = await self._keep(upload, bytes(gathered[:PART_BYTES]))
                    del gathered[:PART_BYTES]
        except Unavailable:  # cut off: what has come need not come again
            if self._may_keep(upload, gathered):
                await self._keep(upload, bytes(gathered))
            raise
        if not gathered:
            return upload
        if not self._may_keep(upload, gathered):
            raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="too small a part")
        return await self._keep(upload, bytes(gathered))

    def _may_keep(self, upload: Upload, gathered: bytearray) -> bool:
        is_last = upload.offset_bytes + len(gathered) == upload.size_bytes
        return bool(gathered) and (is_last or len(gathered) >= MIN_PART_BYTES)

    async def _keep(self, upload: Upload, data: bytes) -> Upload:
        part = Part(upload.offset_bytes, len(data), secrets.token_bytes(NONCE_BYTES))
        await self._objects.put(part_key(upload.upload_id, part), _once(data))
        now_ms = self._clock.now_ms()
        if not await self._media.add_part(upload.upload_id, part, now_ms):
            # Somebody else was here first: the same client, over a connection it has given up.
            await self._objects.delete([part_key(upload.upload_id, part)])
            fresh = await self._media.find_upload(upload.upload_id)
            raise Conflict(ErrorCode.UPLOAD_ELSEWHERE, offset=fresh.offset_bytes if fresh else 0)
        self.bytes_in += len(data)
        return replace(upload, offset_bytes=part.offset_bytes + len(data), touched_at_ms=now_ms)

    # ---- making a file of them -------------------------------------------------------------------

    async def finish(self, caller: Caller, upload_id: UploadId) -> Blob:
        """Make a file of a complete upload."""
        upload = await self.find(caller, upload_id)
        if upload.is_finished:
            return await self._made_of(upload)
        if not upload.is_complete:
            raise Conflict(ErrorCode.UPLOAD_ELSEWHERE, offset=upload.offset_bytes)
        parts = await self._media.list_parts(upload_id)
        try:
            blob = await self._make(upload, parts)
        except InvalidRequest:
            await self._forget(upload, parts)
            raise
        except NotFound:  # its parts: somebody else has finished it meanwhile
            return await self._made_of(await self.find(caller, upload_id))
        await self._objects.delete([part_key(upload_id, part) for part in parts])
        self.finished += 1
        return blob

    async def _made_of(self, upload: Upload) -> Blob:
        blob = await self._media.find_blob(BlobId(upload.blob_id)) if upload.blob_id else None
        if blob is None:
            raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
        return blob

    async def _make(self, upload: Upload, parts: Sequence[Part]) -> Blob:
        blob_id = await self._hash(upload, parts)
        if upload.expected not in ("", blob_id):
            raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="its SHA-256 is another")
        await self._media.note_blob_id(upload.upload_id, blob_id)
        for _ in range(_ATTEMPTS):
            new = None
            known = await self._media.find_blob(blob_id)
            if known is None or (upload.media_type in IMAGE_TYPES and not known.is_image):
                # Also when somebody has sent the same bytes as a mere file, unexamined.
                new = await self._write(upload, parts, blob_id)
            else:
                self._check_type(known.media_type)
                self.repeated += 1
            now_ms = self._clock.now_ms()
            kept = await self._media.finish_upload(upload, blob_id, new, now_ms)
            if kept is None:
                continue
            if new is not None and kept.object_id != new.object_id:
                await self._objects.delete(_keys(new))
            return kept
        raise Unavailable(ErrorCode.BUSY, retry_after_s=1.0)

    async def _write(self, upload: Upload, parts: Sequence[Part], blob_id: BlobId) -> Blob:
        """Put its objects there."""
        picture = await self._look(upload, parts)
        blob = Blob(blob_id, upload.size_bytes, upload.media_type, upload.upload_id)
        if picture is not None:
            self._check_type(picture.media_type)
            blob = replace(
                blob,
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
                has_thumbnail=True,
            )
            key = thumbnail_key(blob_id, upload.upload_id)
            await self._objects.put(key, _once(picture.thumbnail))
        await self._objects.put(
            blob_key(blob_id, upload.upload_id), self._content(upload.upload_id, parts)
        )
        return blob

    async def _look(self, upload: Upload, parts: Sequence[Part]) -> Picture | None:
        if upload.media_type not in IMAGE_TYPES:
            return None
        pieces = [piece async for piece in self._content(upload.upload_id, parts)]
        return await self._pictures.look(b"".join(pieces))

    async def _hash(self, upload: Upload, parts: Sequence[Part]) -> BlobId:
        digest = hashlib.sha256()
        size = 0
        async for piece in self._content(upload.upload_id, parts):
            size += len(piece)
            await asyncio.to_thread(digest.update, piece)
        if size != upload.size_bytes:
            raise Unavailable(ErrorCode.UNAVAILABLE, reason="parts are missing")
        return BlobId(digest.hexdigest())

    async def _content(self, upload_id: UploadId, parts: Sequence[Part]) -> AsyncIterator[bytes]:
        for part in parts:
            async for piece in self._objects.read(part_key(upload_id, part), 0, part.size_bytes):
                yield piece

    async def _forget(self, upload: Upload, parts: Sequence[Part]) -> None:
        await self._objects.delete([part_key(upload.upload_id, part) for part in parts])
        await self._media.delete_upload(upload.upload_id)

    def _check_type(self, media_type: str) -> None:
        if not is_allowed(media_type, self._policy.types):
            raise InvalidRequest(ErrorCode.MEDIA_TYPE_REFUSED, media_type=media_type)


def _no_room(usage: Usage, quota_bytes: int) -> Conflict:
    if usage.open_uploads >= MAX_OPEN_UPLOADS:
        return Conflict(ErrorCode.MEDIA_QUOTA_EXCEEDED, open_uploads=usage.open_uploads)
    return Conflict(
        ErrorCode.MEDIA_QUOTA_EXCEEDED, used_bytes=usage.size_bytes, quota_bytes=quota_bytes
    )


def _keys(blob: Blob) -> list[str]:
    keys = [blob_key(blob.blob_id, blob.object_id)]
    return [*keys, thumbnail_key(blob.blob_id, blob.object_id)] if blob.has_thumbnail else keys


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
