"""Files as every part of the server sees them: the role itself, and what it stands on.

Unless said otherwise a call may raise Unavailable.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Collection
from typing import NamedTuple, Protocol

from tinyqq.model.account import Caller
from tinyqq.model.ids import UserId
from tinyqq.model.media import (
    Blob,
    BlobId,
    CreateUpload,
    OwnFile,
    Part,
    Picture,
    Upload,
    UploadId,
)
from tinyqq.ports.storage import SendKey


class ObjectStore(Protocol):
    """Bytes by key, in a folder or a bucket that all nodes share. Nothing is changed in place."""

    async def put(self, key: str, pieces: AsyncIterable[bytes]) -> None:
        """Write an object; it is there when this returns, whole, or (on any error) not at all."""
        ...

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes from *start* up to, not including, *end* or where it ends, in pieces.

        Raises:
            NotFound: MEDIA_NOT_FOUND.
        """
        ...

    async def delete(self, keys: Collection[str]) -> None:
        """Delete objects; those that are not there don't matter."""
        ...


class Pictures(Protocol):
    """Looks into images."""

    async def look(self, data: bytes) -> Picture:
        """What it is, and a thumbnail.

        Raises:
            InvalidRequest: BAD_MEDIA when it is no image, or has too many pixels.
        """
        ...

    def counters(self) -> dict[str, int | float]:
        """Figures for the metrics."""
        ...


class Usage(NamedTuple):
    """What an account has: bytes of files and of announced ones, and uploads not finished."""

    size_bytes: int
    open_uploads: int


class MediaStore(Protocol):
    """What is known of files; implemented for every database."""

    async def read_usage(self, user_id: UserId) -> Usage:
        """What the account has."""
        ...

    async def create_upload(
        self, upload: Upload, *, quota_bytes: int, max_open: int
    ) -> Usage | None:
        """Store a new one if the account has room for it. Of several at the same moment, on
        whatever nodes, each sees those before it.

        Args:
            quota_bytes: what the account may have with it; 0: any number.
            max_open: so many uploads that are not finished, with it.

        Returns:
            None: stored; else what the account has, and nothing was stored.
        """
        ...

    async def find_upload(self, upload_id: UploadId) -> Upload | None:
        """One upload."""
        ...

    async def add_part(self, upload_id: UploadId, part: Part, now_ms: int) -> bool:
        """Take a part; False: the upload is not at its offset (any more)."""
        ...

    async def list_parts(self, upload_id: UploadId) -> tuple[Part, ...]:
        """Parts in their order."""
        ...

    async def note_blob_id(self, upload_id: UploadId, blob_id: BlobId) -> None:
        """Note what it turned out to be, before objects are written under that name: who cleans up
        finds them."""
        ...

    async def finish_upload(
        self, upload: Upload, blob_id: BlobId, new: Blob | None, now_ms: int
    ) -> Blob | None:
        """The account has the file now; one transaction.

        Args:
            new: to be stored unless a file of this content is there, or in its place when that one
                was taken for no image and *new* is one (the replaced objects are left to whoever
                cleans up); None: one is expected to be there.

        Returns:
            The file as it is kept, *new* or another; None: none is there.
        """
        ...

    async def delete_upload(self, upload_id: UploadId) -> None:
        """Forget an upload and its parts."""
        ...

    async def find_blob(self, blob_id: BlobId) -> Blob | None:
        """One file, whoever asks."""
        ...

    async def list_files(
        self, user_id: UserId, after: tuple[int, BlobId] | None, limit: int
    ) -> tuple[OwnFile, ...]:
        """Files of an account, the newest first.

        Args:
            after: ``added_at_ms`` and blob id of the last one that is known; None: from the newest.
        """
        ...

    async def disown(self, user_id: UserId, blob_id: BlobId, now_ms: int) -> bool:
        """The account has a file no more. With its last owner the file goes, whatever refers to
        it; its objects are left to whoever cleans up. One transaction.

        Returns:
            False: it did not have it.
        """
        ...

    async def is_owner(self, user_id: UserId, blob_id: BlobId) -> bool:
        """Whether the user has uploaded it."""
        ...

    async def add_reference(self, blob_id: BlobId, key: SendKey, now_ms: int) -> bool:
        """Note that a message that is about to be sent refers to a file; repeats change nothing.

        Returns:
            False: there is no such file.
        """
        ...

    async def find_references(
        self, blob_id: BlobId, viewer_id: UserId, limit: int
    ) -> tuple[SendKey, ...]:
        """Messages that refer to a file, in conversations of the viewer's list, the newest first.
        Whether they were accepted, and whether the viewer may see them, the log says."""
        ...

    async def list_stale_uploads(self, before_ms: int, limit: int) -> tuple[Upload, ...]:
        """Uploads that nobody has touched since, the oldest first."""
        ...

    async def list_unreferred(self, before_ms: int, limit: int) -> tuple[Blob, ...]:
        """Files that no message has ever referred to, and nobody has touched since."""
        ...

    async def is_avatar(self, blob_id: BlobId) -> bool:
        """Whether somebody who has uploaded it has it as avatar."""
        ...

    async def touch_blob(self, blob_id: BlobId, now_ms: int) -> None:
        """Let a file stay for another while."""
        ...

    async def drop_blob(self, blob_id: BlobId, before_ms: int) -> None:
        """Forget a file that is still what :meth:`list_unreferred` said; its objects are left to
        whoever cleans up after a stale upload, which it becomes in the same transaction."""
        ...

    async def take_sweep(self, now_ms: int, until_ms: int) -> bool:
        """Whether the caller may clean up until then: True for one caller of a cluster."""
        ...


class MediaApi(Protocol):
    """Uploads and downloads, as the HTTP port asks for them. Raises also what the rules say."""

    @property
    def max_bytes(self) -> int:
        """The largest file."""
        ...

    @property
    def quota_bytes(self) -> int:
        """What an account may have; 0: any number."""
        ...

    async def create(self, caller: Caller, request: CreateUpload) -> Upload:
        """Announce a file. InvalidRequest MEDIA_TOO_LARGE, MEDIA_TYPE_REFUSED; Conflict
        MEDIA_QUOTA_EXCEEDED."""
        ...

    async def find_upload(self, caller: Caller, upload_id: UploadId) -> Upload:
        """One's own. NotFound MEDIA_NOT_FOUND."""
        ...

    async def append(
        self, caller: Caller, upload_id: UploadId, offset_bytes: int, data: AsyncIterator[bytes]
    ) -> Upload:
        """Take bytes; what has arrived when *data* fails is kept. Conflict UPLOAD_ELSEWHERE (with
        ``offset``) when the upload is not where the caller thinks."""
        ...

    async def finish(self, caller: Caller, upload_id: UploadId) -> Blob:
        """Make a file of a complete upload; a repeat returns the same. InvalidRequest BAD_MEDIA
        forgets the upload."""
        ...

    async def cancel(self, caller: Caller, upload_id: UploadId) -> None:
        """Forget an upload; a file that was made of it stays."""
        ...

    async def read_usage(self, caller: Caller) -> Usage:
        """What the caller's account has."""
        ...

    async def list_files(
        self, caller: Caller, after: tuple[int, str] | None, limit: int
    ) -> tuple[OwnFile, ...]:
        """The caller's files, the newest first; *after*: time and blob id of the last one that is
        known."""
        ...

    async def delete(self, caller: Caller, blob_id: str) -> None:
        """Delete a file of the caller's. NotFound MEDIA_NOT_FOUND when there is none."""
        ...

    async def find(self, caller: Caller, blob_id: str) -> Blob:
        """A file that the caller may see. NotFound MEDIA_NOT_FOUND for every other."""
        ...

    async def find_avatar(self, user_id: UserId) -> Blob:
        """A user's avatar, for anybody who is logged in. NotFound MEDIA_NOT_FOUND."""
        ...

    def read(self, blob: Blob, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes in pieces."""
        ...

    def read_thumbnail(self, blob: Blob) -> AsyncIterator[bytes]:
        """Its thumbnail's bytes. NotFound MEDIA_NOT_FOUND when it has none."""
        ...


class Bearers(Protocol):
    """Knows who has an access token."""

    async def caller_of(self, token: str) -> Caller:
        """Who that is. Unauthenticated TOKEN_INVALID, TOKEN_EXPIRED, DEVICE_REVOKED,
        ACCOUNT_DISABLED, PASSWORD_CHANGE_REQUIRED."""
        ...
