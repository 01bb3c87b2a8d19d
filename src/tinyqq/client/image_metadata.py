"""Taking out of pictures what is not the picture: where and when it was taken, by whom, with what.

Nothing is decoded: parts of the file are left out, the rest is kept byte for byte. What stays is
what decides how it looks: the way up, the colour profile. The page does the same
(``web/src/core/image_metadata.ts``); tests/conformance/vectors/image_metadata.json is run on both.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, Literal

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_DROPPED: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"caBX"})
_EXIF: Final = b"Exif\0\0"
_ICC: Final = b"ICC_PROFILE\0"
_ADOBE: Final = b"Adobe"
_JFIF: Final = b"JFIF\0"
_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_VP8X_EXIF, _VP8X_XMP = 0x08, 0x04


class _Unreadable(Exception):
    """It is not built as it says."""


def without_metadata(image: bytes) -> bytes:
    """The picture alone, of a JPEG, PNG or WebP. What is anything else, is broken, or has nothing
    to leave out comes back as it was."""
    try:
        if image.startswith(b"\xff\xd8"):
            kept = b"".join(_jpeg(image))
        elif image.startswith(_PNG):
            kept = _PNG + b"".join(_png(image))
        elif image[:4] == b"RIFF" and image[8:12] == b"WEBP":
            kept = _webp(image)
        else:
            return image
    except (_Unreadable, struct.error):
        return image
    return kept if len(kept) < len(image) else image


# ---- JPEG (ITU T.81, annex B) --------------------------------------------------------------------


def _jpeg(image: bytes) -> Iterator[bytes]:
    """Segments, and what is coded between them, up to the end of the first image."""
    yield image[:2]
    at = 2
    is_turned = False
    while True:
        start = at
        while image[at : at + 2] == b"\xff\xff":  # padding
            at += 1
        if image[at : at + 1] != b"\xff" or at + 1 >= len(image):
            raise _Unreadable
        marker = image[at + 1]
        if marker == 0xD9:
            yield image[at : at + 2]
            return
        end = at + 2 + _number(image, at + 2, ">H")
        if end < at + 4 or end > len(image):
            raise _Unreadable
        body = image[at + 4 : end]
        if marker == 0xE1 and body.startswith(_EXIF) and not is_turned:
            is_turned = True
            if turned := _only_orientation(body[len(_EXIF) :]):
                yield b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF + turned)) + _EXIF + turned
        elif _is_kept(marker, body):
            yield image[start:end]
        at = end
        if marker == 0xDA:
            at = _after_coded(image, end)
            yield image[end:at]
            if at == len(image):  # cut off; it is shown as far as it goes
                return


def _is_kept(marker: int, body: bytes) -> bool:
    match marker:
        case 0xE0:
            return body.startswith(_JFIF)
        case 0xE2:
            return body.startswith(_ICC)
        case 0xEE:
            return body.startswith(_ADOBE)
        case _:
            return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _after_coded(image: bytes, at: int) -> int:
    """Where the next marker is; zeros after FF, and restarts, belong to the coded data."""
    while True:
        at = image.find(b"\xff", at)
        if at < 0 or at + 1 >= len(image):
            return len(image)
        if image[at + 1] != 0 and not 0xD0 <= image[at + 1] <= 0xD7:
            return at
        at += 2


# ---- PNG -----------------------------------------------------------------------------------------


def _png(image: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while True:
        name = image[at + 4 : at + 8]
        end = at + 12 + _number(image, at, ">I")
        if end > len(image):
            raise _Unreadable
        if name == b"eXIf":
            if turned := _only_orientation(image[at + 8 : end - 4]):
                yield struct.pack(">I", len(turned)) + name + turned
                yield struct.pack(">I", zlib.crc32(name + turned))
        elif name not in _PNG_DROPPED:
            yield image[at:end]
        if name == b"IEND":
            return
        at = end


# ---- WebP ----------------------------------------------------------------------------------------


def _webp(image: bytes) -> bytes:
    size = 8 + _number(image, 4, "<I")
    if size > len(image):
        raise _Unreadable
    chunks: list[bytes] = []
    flags = 0
    at = 12
    while at < size:
        name = image[at : at + 4]
        length = _number(image, at + 4, "<I")
        end = at + 8 + length + length % 2
        if end > size:
            raise _Unreadable
        body = image[at + 8 : at + 8 + length]
        if name == b"EXIF":
            if turned := _only_orientation(body.removeprefix(_EXIF)):
                flags |= _VP8X_EXIF
                chunks.append(name + struct.pack("<I", len(turned)) + turned)
        elif name != b"XMP ":
            chunks.append(image[at:end])
        at = end
    if chunks and chunks[0].startswith(b"VP8X") and len(chunks[0]) > 8:
        head = bytearray(chunks[0])
        head[8] = head[8] & ~(_VP8X_EXIF | _VP8X_XMP) | flags
        chunks[0] = bytes(head)
    kept = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(kept)) + kept


# ---- EXIF ----------------------------------------------------------------------------------------


def _only_orientation(tiff: bytes) -> bytes:
    """EXIF that says which way up it is, and nothing else; nothing where it is upright, or does
    not say."""
    orientation = _orientation(tiff)
    if not 2 <= orientation <= 8:
        return b""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)


def _orientation(tiff: bytes) -> int:
    """0: it does not say."""
    order: Literal["<", ">"]
    match tiff[:4]:
        case b"II*\0":
            order = "<"
        case b"MM\0*":
            order = ">"
        case _:
            return 0
    try:
        at = _number(tiff, 4, f"{order}I")
        for place in range(_number(tiff, at, f"{order}H")):
            entry = at + 2 + 12 * place
            tag, kind = _number(tiff, entry, f"{order}H"), _number(tiff, entry + 2, f"{order}H")
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return _number(tiff, entry + 8, f"{order}H")
    except _Unreadable:
        pass
    return 0


def _number(data: bytes, at: int, how: str) -> int:
    if at + struct.calcsize(how) > len(data):
        raise _Unreadable
    number: int = struct.unpack_from(how, data, at)[0]
    return number
