"""Pictures byte by byte, and what is left of them without metadata."""

from __future__ import annotations

import struct
import zlib
from typing import Final

GPS: Final = b"GPS 31.2304 N 121.4737 E"
_CODED: Final = b"\x12\xff\x00\x34\xff\xd0\x56"
_SCAN: Final = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + _CODED
_END: Final = b"\xff\xd9"


def tiff(orientation: int = 0, order: str = ">", junk: bytes = GPS) -> bytes:
    """EXIF with a maker, perhaps a way up, and more behind."""
    entries = [struct.pack(f"{order}HHII", 0x010F, 2, len(junk), 100)]
    if orientation:
        entries.append(struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4) + junk


def way_up(orientation: int) -> bytes:
    """All that is left of it."""
    return bytes.fromhex(
        "4d4d002a 00000008 0001 0112 0003 00000001" + f"{orientation:04x}" + "0000 00000000"
    )


def segment(marker: int, body: bytes) -> bytes:
    """Of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(name: bytes, body: bytes = b"") -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def piece(name: bytes, body: bytes) -> bytes:
    """Of a WebP."""
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def jpeg(*segments: bytes, end: bytes = _SCAN + _END) -> bytes:
    """A JPEG."""
    return b"\xff\xd8" + b"".join(segments) + end


def png(*chunks: bytes, end: bytes = b"") -> bytes:
    """A PNG."""
    head, data = chunk(b"IHDR", bytes(13)), chunk(b"IDAT", b"pixels")
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + data + chunk(b"IEND") + end


def webp(*pieces: bytes, flags: int | None = None, end: bytes = b"") -> bytes:
    """A WebP; *flags*: of the extended kind."""
    head = b"" if flags is None else piece(b"VP8X", bytes([flags]) + bytes(9))
    body = b"WEBP" + head + b"".join(pieces)
    return b"RIFF" + struct.pack("<I", len(body)) + body + end


def image_cases() -> list[dict[str, str]]:
    """Names, pictures before and after."""
    samples = [*_jpeg_samples(), *_png_samples(), *_webp_samples(), *_untouched()]
    return [
        {"name": name, "before": before.hex(), "after": after.hex()}
        for name, before, after in samples
    ]


def _jpeg_samples() -> list[tuple[str, bytes, bytes]]:
    jfif, icc = segment(0xE0, b"JFIF\0" + bytes(9)), segment(0xE2, b"ICC_PROFILE\0\1\1icc")
    adobe, table = segment(0xEE, b"Adobe" + bytes(7)), segment(0xDB, bytes(65))
    exif = segment(0xE1, b"Exif\0\0" + tiff())
    turned = segment(0xE1, b"Exif\0\0" + way_up(6))
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + GPS)
    iptc, comment = segment(0xED, b"Photoshop 3.0\0" + GPS), segment(0xFE, GPS)
    several = segment(0xE2, b"MPF\0" + GPS)
    scans = _SCAN + segment(0xC4, b"table") + _SCAN
    return [
        ("jpeg: exif", jpeg(jfif, exif, table), jpeg(jfif, table)),
        ("jpeg: every kind", jpeg(jfif, exif, xmp, iptc, comment, table), jpeg(jfif, table)),
        ("jpeg: looks stay", jpeg(jfif, icc, adobe, xmp, table), jpeg(jfif, icc, adobe, table)),
        *(
            (
                f"jpeg: way up, {name}",
                jpeg(jfif, segment(0xE1, b"Exif\0\0" + tiff(6, order)), table),
                jpeg(jfif, turned, table),
            )
            for name, order in (("big-endian", ">"), ("little-endian", "<"))
        ),
        ("jpeg: upright needs no word", jpeg(segment(0xE1, b"Exif\0\0" + tiff(1))), jpeg()),
        ("jpeg: unknown way up", jpeg(segment(0xE1, b"Exif\0\0" + tiff(9))), jpeg()),
        ("jpeg: broken exif", jpeg(segment(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff")), jpeg()),
        ("jpeg: padding", jpeg(b"\xff\xff" + exif, table), jpeg(table)),
        ("jpeg: several scans", jpeg(exif, end=scans + _END), jpeg(end=scans + _END)),
        (
            "jpeg: metadata between scans",
            jpeg(end=_SCAN + xmp + _SCAN + _END),
            jpeg(end=_SCAN + _SCAN + _END),
        ),
        ("jpeg: further images behind", jpeg(several, end=_SCAN + _END + jpeg(exif)), jpeg()),
        ("jpeg: cut off", jpeg(exif, end=_SCAN), jpeg(end=_SCAN)),
    ]


def _png_samples() -> list[tuple[str, bytes, bytes]]:
    words = [chunk(name, GPS) for name in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"caBX")]
    looks = [chunk(name, b"looks") for name in (b"iCCP", b"gAMA", b"acTL", b"fdAT")]
    return [
        ("png: words", png(*words), png()),
        ("png: looks stay", png(looks[0], words[0], *looks[1:]), png(*looks)),
        ("png: exif", png(chunk(b"eXIf", tiff())), png()),
        ("png: way up", png(chunk(b"eXIf", tiff(8, "<"))), png(chunk(b"eXIf", way_up(8)))),
        ("png: something behind", png(end=GPS), png()),
    ]


def _webp_samples() -> list[tuple[str, bytes, bytes]]:
    data, icc = piece(b"VP8 ", b"pixel"), piece(b"ICCP", b"looks")
    exif, xmp = piece(b"EXIF", tiff()), piece(b"XMP ", GPS)
    turned = piece(b"EXIF", way_up(3))
    return [
        ("webp: metadata", webp(icc, data, exif, xmp, flags=0x2C), webp(icc, data, flags=0x20)),
        (
            "webp: way up",
            webp(data, piece(b"EXIF", b"Exif\0\0" + tiff(3)), xmp, flags=0x1C),
            webp(data, turned, flags=0x18),
        ),
        ("webp: something behind", webp(data, end=GPS), webp(data)),
    ]


def _untouched() -> list[tuple[str, bytes, bytes]]:
    exif = segment(0xE1, b"Exif\0\0" + tiff())
    same = [
        ("nothing", b""),
        ("jpeg: nothing to leave out", jpeg(segment(0xDB, bytes(65)))),
        ("jpeg: two bytes", b"\xff\xd8"),
        ("jpeg: a segment longer than the file", jpeg(exif, end=b"\xff\xdb\xff\xff")),
        ("jpeg: a segment shorter than its length", jpeg(exif, end=b"\xff\xdb\x00\x01")),
        ("jpeg: no marker where one must be", jpeg(exif, end=b"\x00\xd9")),
        ("png: nothing to leave out", png()),
        ("png: a chunk longer than the file", png(chunk(b"tEXt", GPS))[:-30]),
        ("png: a chunk of 4 GiB", png()[:8] + chunk(b"tEXt", GPS) + b"\xff\xff\xff\xffIDAT"),
        ("webp: nothing to leave out", webp(piece(b"VP8L", b"pixels"))),
        ("webp: longer than the file", webp(piece(b"EXIF", tiff()))[:-1]),
        ("webp: a chunk longer than the whole", webp(piece(b"EXIF", GPS), b"VP8 \xff\0\0\0")),
        ("gif", b"GIF89a" + GPS),
        ("text", GPS),
    ]
    return [(name, image, image) for name, image in same]
