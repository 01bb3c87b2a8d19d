"""Files that messages refer to: what they are called, where they lie, how browsers get them.

A file is known by the SHA-256 of its content, its *blob id*: the same file uploaded twice is kept
once. It comes as an *upload*, part by part; the parts, the whole and its thumbnail lie as objects
in a store, under keys that only these functions make.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NewType

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound
from tinyqq.model.ids import UserId

BlobId = NewType("BlobId", str)
"""SHA-256 of the content, 64 small hexadecimal digits."""
UploadId = NewType("UploadId", bytes)

UPLOAD_ID_BYTES: Final = 16
NONCE_BYTES: Final = 8
PART_BYTES: Final = 4 * 1024 * 1024
"""What is kept of an upload at a time; an interrupted one loses less than this."""
MIN_PART_BYTES: Final = 64 * 1024
"""Only an upload's last part may be smaller: the number of parts is bounded."""
MAX_MEDIA_TYPE_CHARS: Final = 127
MAX_FILE_NAME_CHARS: Final = 200
"""Of what its owner called a file; more is cut off."""
MAX_IMAGE_BYTES: Final = 32 * 1024 * 1024
"""An image is looked at as a whole."""
OCTETS: Final = "application/octet-stream"
THUMBNAIL_TYPE: Final = "image/webp"
IMAGE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Images that the server looks into. Others are files like any other."""

_SHOWN: Final = IMAGE_TYPES | {
    "audio/aac", "audio/mp4", "audio/mpeg", "audio/ogg", "audio/wav", "audio/webm",
    "video/mp4", "video/ogg", "video/webm",
}  # fmt: skip
_BLOB_ID: Final = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that is complete.

    ``object_id``: the upload that brought its bytes. ``width``, ``height``: of an image, upright;
    0: no image that the server has looked into.
    """

    blob_id: BlobId
    size_bytes: int
    media_type: str
    object_id: UploadId
    width: int = 0
    height: int = 0
    has_thumbnail: bool = False

    @property
    def is_image(self) -> bool:
        """Whether it was looked into, and is one."""
        return self.width > 0


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file of an account. ``name``: what its owner called it, or an empty text; what others see
    stands in messages."""

    blob: Blob
    name: str
    added_at_ms: int


@dataclass(frozen=True, slots=True)
class CreateUpload:
    """Announce a file. ``blob_id``: what its content should turn out to be; empty: unknown.
    ``name``: for the owner's list of files."""

    size_bytes: int
    media_type: str
    blob_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way.

    ``offset_bytes``: how much of it is here. ``expected``: the blob id that the client announced,
    or an empty text. ``blob_id``: what it turned out to be; empty: not known yet.
    """

    upload_id: UploadId
    user_id: UserId
    media_type: str
    size_bytes: int
    expected: str
    touched_at_ms: int
    offset_bytes: int = 0
    blob_id: str = ""
    is_finished: bool = False
    name: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all of it is here."""
        return self.offset_bytes == self.size_bytes


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an upload. ``nonce``: keeps two that arrive for one place apart."""

    offset_bytes: int
    size_bytes: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """What an image turned out to be. ``thumbnail``: a small one, WebP, without metadata."""

    media_type: str
    width: int
    height: int
    thumbnail: bytes


def check_blob_id(text: str) -> BlobId:
    """A blob id that somebody named.

    Raises:
        NotFound: MEDIA_NOT_FOUND when no file can have it.
    """
    if not _BLOB_ID.fullmatch(text):
        raise NotFound(ErrorCode.MEDIA_NOT_FOUND)
    return BlobId(text)


def check_media_type(text: str) -> str:
    """A media type in small letters, without parameters; nothing becomes octets.

    Raises:
        InvalidRequest: MEDIA_TYPE_REFUSED when it is none.
    """
    plain = text.partition(";")[0].strip().lower() or OCTETS
    if len(plain) > MAX_MEDIA_TYPE_CHARS or not _MEDIA_TYPE.fullmatch(plain):
        raise InvalidRequest(ErrorCode.MEDIA_TYPE_REFUSED)
    return plain


def file_name(text: str) -> str:
    """What an owner called a file, for a list: one line, without a folder, not too long."""
    last = text.replace("\\", "/").rpartition("/")[2]
    return "".join(one for one in last if one.isprintable()).strip()[:MAX_FILE_NAME_CHARS]


def is_allowed(media_type: str, patterns: Iterable[str]) -> bool:
    """Whether a type is one of these, such as ``image/*``, ``application/pdf`` or ``*/*``."""
    family = media_type.partition("/")[0]
    return any(one in ("*/*", f"{family}/*", media_type) for one in patterns)


def is_shown(media_type: str) -> bool:
    """Whether a browser may show it in a page's place: nothing that it would run as a program."""
    return media_type in _SHOWN


def part_key(upload_id: UploadId, part: Part) -> str:
    """Where a part of an upload lies."""
    return f"uploads/{upload_id.hex()}/{part.offset_bytes:016d}-{part.nonce.hex()}"


def blob_key(blob_id: str, object_id: UploadId) -> str:
    """Where a file lies: by its content, and by who brought it. So what one upload writes and what
    a clean-up deletes at the same moment are never the same object."""
    return f"blobs/{blob_id[:2]}/{blob_id}-{object_id.hex()}"


def thumbnail_key(blob_id: str, object_id: UploadId) -> str:
    """Where its thumbnail lies."""
    return f"thumbnails/{blob_id[:2]}/{blob_id}-{object_id.hex()}"
