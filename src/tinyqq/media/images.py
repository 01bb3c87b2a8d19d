"""Looking into images: what they are, how large, and a thumbnail of each."""

from __future__ import annotations

import io
from functools import partial
from typing import Final, Self

from PIL import (
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.model.media import Picture
from tinyqq.threads import BoundedPool

THUMBNAIL_PIXELS: Final = 320
"""Its longer side, at most."""
MAX_PIXELS: Final = 50_000_000
"""An image may have so many; told from its head, before any of them is unpacked."""
_MAX_SIDE: Final = 16_383
"""What WebP can hold, and more than any screen."""
_QUALITY: Final = 80
_TYPES: Final = {
    PngImagePlugin.PngImageFile.format: "image/png",
    JpegImagePlugin.JpegImageFile.format: "image/jpeg",
    GifImagePlugin.GifImageFile.format: "image/gif",
    WebPImagePlugin.WebPImageFile.format: "image/webp",
}
_MANY_IN_ONE: Final = "MPO"
"""What some cameras write: a JPEG with further images behind it."""
_ORIENTATION: Final = 0x0112
_LYING: Final = frozenset({5, 6, 7, 8})
_BROKEN: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    ValueError,
    SyntaxError,  # Pillow's word for a broken head
    EOFError,
    IndexError,
    MemoryError,
)


class ImagePool:
    """Implements ``ports.media.Pictures`` in threads. ``async with pool`` starts and stops them.

    Args:
        threads: images at a time.
        max_waiting: calls that may wait for a thread; further ones are refused as busy.
    """

    def __init__(self, *, threads: int = 2, max_waiting: int = 32) -> None:
        self._pool = BoundedPool("images", threads=threads, max_waiting=max_waiting)
        self._made = 0
        self._broken = 0

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._pool.__aexit__(*exc_info)

    async def look(self, data: bytes) -> Picture:
        """What it is, and a thumbnail.

        Raises:
            InvalidRequest: BAD_MEDIA.
            Unavailable: BUSY when too many wait already.
        """
        try:
            picture = await self._pool.run(partial(look_into, data))
        except InvalidRequest:
            self._broken += 1
            raise
        self._made += 1
        return picture

    def counters(self) -> dict[str, int | float]:
        """What was done so far, for the metrics."""
        return {
            "images_looked_at_total": self._made,
            "images_broken_total": self._broken,
            "images_refused_total": self._pool.refused,
            "images_waiting": self._pool.inside,
        }


def look_into(data: bytes) -> Picture:
    """What an image is, and a thumbnail of its first frame: upright, without metadata.

    Raises:
        InvalidRequest: BAD_MEDIA when it is none that we know, is broken, or has too many pixels.
    """
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_TYPES)) as image:
            width, height = _upright_size(image)
            media_type = (
                "image/jpeg" if image.format == _MANY_IN_ONE else _TYPES[image.format or ""]
            )
            # A large JPEG is unpacked at a fraction of its size.
            image.draft(None, (2 * THUMBNAIL_PIXELS, 2 * THUMBNAIL_PIXELS))
            file = io.BytesIO()
            _thumbnail(image).save(file, "WEBP", quality=_QUALITY)
    except _BROKEN as exc:
        raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="not an image that can be read") from exc
    return Picture(media_type, width, height, file.getvalue())


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """The size as it is shown."""
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > _MAX_SIDE:
        raise InvalidRequest(ErrorCode.BAD_MEDIA, reason="too many pixels", max_pixels=MAX_PIXELS)
    is_lying = image.getexif().get(_ORIENTATION, 1) in _LYING
    return (height, width) if is_lying else (width, height)


def _thumbnail(image: Image.Image) -> Image.Image:
    # A palette's colours cannot be mixed, so it goes first; all else when there is little left.
    small = image.convert("RGBA") if image.mode == "P" else image
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    small = ImageOps.exif_transpose(small)
    small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    small.info = {}  # EXIF, XMP, comments: where it was taken, and by whom
    return small
