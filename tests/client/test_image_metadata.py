"""Pictures without metadata; byte by byte in tests/conformance."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from tests.conformance.image_samples import image_cases
from tests.support.pictures import ORIENTATION, QUARTER_TURN, photo, picture

from tinyqq.client.image_metadata import without_metadata


@pytest.mark.parametrize("case", image_cases(), ids=lambda case: case["name"])
def test_metadata_when_left_out_then_what_the_vector_says(case: dict[str, str]) -> None:
    assert without_metadata(bytes.fromhex(case["before"])).hex() == case["after"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_photo_when_left_alone_with_its_pixels_then_they_are_the_same(kind: str) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = QUARTER_TURN
    exif[0x8825] = {2: (31.0, 13.0, 49.0)}
    before = picture(kind, exif=exif, xmp=b"<x>place</x>")
    after = without_metadata(before)
    assert len(after) < len(before)
    with Image.open(io.BytesIO(before)) as old, Image.open(io.BytesIO(after)) as new:
        assert dict(new.getexif()) == {ORIENTATION: QUARTER_TURN}
        assert "xmp" not in new.info
        assert new.tobytes() == old.tobytes()


def test_photo_when_cut_anywhere_then_no_error() -> None:
    for image in (photo(), picture("PNG"), picture("WEBP", exif=Image.Exif())):
        for size in range(len(image)):
            without_metadata(image[:size])
