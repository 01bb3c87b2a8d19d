"""Files, wired."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tinyqq.app.media import NoPictures, object_store
from tinyqq.app.settings import MediaSettings, Settings
from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.media.bucket import BucketStore
from tinyqq.media.folder import FolderStore


def settings(folder: Path, store: str) -> Settings:
    media = MediaSettings(
        store=store, s3_region="eu", s3_access_key="key", s3_secret_key=SecretStr("secret")
    )
    return Settings(data_dir=folder, media=media)


@pytest.mark.parametrize(("store", "expected"), [("", "media"), ("files", "files")])
async def test_store_when_a_folder_then_in_the_data_folder(
    tmp_path: Path, store: str, expected: str
) -> None:
    made = object_store(settings(tmp_path, store))
    assert isinstance(made, FolderStore)
    assert made._folder == tmp_path / expected


async def test_store_when_an_absolute_path_then_there(tmp_path: Path) -> None:
    made = object_store(settings(tmp_path, "/srv/tinyqq-files"))
    assert isinstance(made, FolderStore)
    assert made._folder == Path("/srv/tinyqq-files")


def test_store_when_a_bucket_then_that(tmp_path: Path) -> None:
    assert isinstance(object_store(settings(tmp_path, "s3://files/tinyqq")), BucketStore)


@pytest.mark.parametrize("store", ["http://files", "s3://"])
def test_store_when_of_an_unknown_kind_then_refused(store: str) -> None:
    with pytest.raises(ValidationError):
        MediaSettings(store=store)


async def test_pictures_when_there_is_no_library_then_unavailable() -> None:
    with pytest.raises(Unavailable) as caught:
        await NoPictures().look(b"")
    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert NoPictures().counters() == {}
