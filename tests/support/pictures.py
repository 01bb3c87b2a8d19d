"""Pictures for tests, made by the library that reads them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Final

from PIL import Image

ORIENTATION: Final = 0x0112
MAKER: Final = 0x010F
QUARTER_TURN: Final = 6


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 20), colour: str = "red", **how: object
) -> bytes:
    """One of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **how)
    return file.getvalue()


def photo(size: tuple[int, int] = (40, 20)) -> bytes:
    """A JPEG that lies on its side, and says who made it."""
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    exif[MAKER] = "Secret Camera"
    return picture("JPEG", size, exif=exif, xmp=b"<x:xmpmeta>Secret Place</x:xmpmeta>")


def bomb(width: int = 16_000, height: int = 16_000) -> bytes:
    """A PNG of a few bytes that says it has very many pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
