"""What files are called, and how browsers get them."""

from __future__ import annotations

import pytest

from tinyqq.errors import ErrorCode, InvalidRequest, NotFound
from tinyqq.model.ids import UserId
from tinyqq.model.media import (
    MAX_FILE_NAME_CHARS,
    OCTETS,
    Blob,
    BlobId,
    Part,
    Upload,
    UploadId,
    blob_key,
    check_blob_id,
    check_media_type,
    file_name,
    is_allowed,
    is_shown,
    part_key,
    thumbnail_key,
)

SHA = BlobId("0a" * 32)
ID = UploadId(b"\x01" * 16)


def test_blob_id_when_a_sha256_then_taken() -> None:
    assert check_blob_id(SHA) == SHA


@pytest.mark.parametrize(
    "text", ["", SHA[:-1], SHA + "0", SHA.upper(), "../" + SHA[3:], SHA + "\n"]
)
def test_blob_id_when_anything_else_then_no_such_file(text: str) -> None:
    with pytest.raises(NotFound) as caught:
        check_blob_id(text)
    assert caught.value.code is ErrorCode.MEDIA_NOT_FOUND


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Image/PNG", "image/png"), ("text/plain; charset=utf-8", "text/plain"), ("", OCTETS)],
)
def test_media_type_when_one_then_plain(text: str, expected: str) -> None:
    assert check_media_type(text) == expected


@pytest.mark.parametrize("text", ["image", "a/b/c", "text/pl ain", "x/\r\ny", "a/" + "b" * 127])
def test_media_type_when_none_then_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_media_type(text)
    assert caught.value.code is ErrorCode.MEDIA_TYPE_REFUSED


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (("*/*",), True),
        (("image/*",), True),
        (("image/png",), True),
        (("image",), False),
        ((), False),
    ],
)
def test_allowed_when_a_pattern_fits_then_true(patterns: tuple[str, ...], expected: bool) -> None:
    assert is_allowed("image/png", patterns) is expected


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("image/png", True), ("audio/ogg", True), ("video/mp4", True), ("image/svg+xml", False),
     ("text/html", False), ("application/pdf", False), ("text/xml", False), (OCTETS, False)],
)  # fmt: skip
def test_shown_when_a_browser_would_run_it_then_not(media_type: str, expected: bool) -> None:
    assert is_shown(media_type) is expected


def test_keys_when_made_then_apart() -> None:
    part = Part(5, 7, b"\xff" * 8)
    assert part_key(ID, part) == f"uploads/{'01' * 16}/0000000000000005-{'ff' * 8}"
    assert blob_key(SHA, ID) == f"blobs/0a/{SHA}-{'01' * 16}"
    assert thumbnail_key(SHA, ID) == f"thumbnails/0a/{SHA}-{'01' * 16}"


def test_records_when_asked_then_what_they_are() -> None:
    assert not Blob(SHA, 1, OCTETS, ID).is_image
    assert Blob(SHA, 1, "image/png", ID, 4, 2).is_image
    upload = Upload(ID, UserId(10_001), OCTETS, 9, "", 0)
    assert not upload.is_complete


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.txt", "a.txt"), ("/home/ann/图.png", "图.png"), ("C:\\x\\b.txt", "b.txt"),
     (" a\n\x00b ", "ab"), ("", ""), ("x" * 300, "x" * MAX_FILE_NAME_CHARS)],
)  # fmt: skip
def test_file_name_when_somebody_s_then_one_line_for_a_list(text: str, expected: str) -> None:
    assert file_name(text) == expected
