"""Looking into images."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from tests.support.pictures import bomb, photo, picture

from tinyqq.errors import ErrorCode, InvalidRequest, Unavailable
from tinyqq.media.images import THUMBNAIL_PIXELS, ImagePool, look_into


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_image_when_of_a_known_kind_then_its_type_and_size(kind: str) -> None:
    found = look_into(picture(kind, (800, 200)))
    assert (found.media_type, found.width, found.height) == (f"image/{kind.lower()}", 800, 200)
    small = opened(found.thumbnail)
    assert (small.format, small.size) == ("WEBP", (THUMBNAIL_PIXELS, 80))


def test_image_when_small_then_not_made_larger() -> None:
    assert opened(look_into(picture(size=(4, 2))).thumbnail).size == (4, 2)


def test_photo_when_it_lies_on_its_side_then_upright_and_without_metadata() -> None:
    data = photo((40, 20))
    assert b"Secret Camera" in data
    found = look_into(data)
    assert (found.width, found.height) == (20, 40)
    small = opened(found.thumbnail)
    assert small.size == (20, 40)
    assert b"Secret" not in found.thumbnail
    assert not {"exif", "xmp", "comment"} & small.info.keys()


def test_animation_when_looked_into_then_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    small = opened(look_into(file.getvalue()).thumbnail)
    assert getattr(small, "n_frames", 1) == 1
    pixel = small.convert("RGB").getpixel((4, 4))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > pixel[2]


def test_image_when_it_has_holes_then_the_thumbnail_has_them_too() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(file, "PNG")
    assert opened(look_into(file.getvalue()).thumbnail).mode == "RGBA"


@pytest.mark.parametrize(
    ("width", "height"), [(16_000, 16_000), (9_000, 8_000), (8_000, 7_000), (17_000, 1)]
)
def test_bomb_when_it_has_too_many_pixels_then_refused_unread(width: int, height: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        look_into(bomb(width, height))
    assert caught.value.code is ErrorCode.BAD_MEDIA
    if (width, height) != (16_000, 16_000):  # the library itself will not have that one
        assert caught.value.fields["reason"] == "too many pixels"


@pytest.mark.parametrize(
    "data",
    [b"", b"no image", picture()[:60], picture("JPEG")[:300], picture("BMP"), picture("TIFF")],
)
def test_image_when_broken_or_of_another_kind_then_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        look_into(data)
    assert caught.value.code is ErrorCode.BAD_MEDIA


async def test_pool_when_asked_then_counted() -> None:
    async with ImagePool() as pool:
        assert (await pool.look(picture())).width == 40
        with pytest.raises(InvalidRequest):
            await pool.look(b"")
    assert pool.counters() == {
        "images_looked_at_total": 1,
        "images_broken_total": 1,
        "images_refused_total": 0,
        "images_waiting": 0,
    }


async def test_pool_when_too_many_wait_then_busy() -> None:
    async with ImagePool(threads=1, max_waiting=1) as pool:
        looks = [pool.look(picture()) for _ in range(3)]
        outcomes = await asyncio.gather(*looks, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Unavailable)]
    assert [one.code for one in refused] == [ErrorCode.BUSY]
