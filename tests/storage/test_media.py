"""What is particular to SQL; the rest is in tests/contracts."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from tinyqq.model.ids import UserId
from tinyqq.model.media import Blob, BlobId, Upload, UploadId
from tinyqq.storage.media import SqlMediaStore
from tinyqq.storage.sqlite import SqliteDatabase

SHA = BlobId("ab" * 32)


async def test_file_when_kept_then_its_hash_takes_32_bytes(database: SqliteDatabase) -> None:
    media = SqlMediaStore(database=database)
    upload = Upload(UploadId(b"1" * 16), UserId(10_001), "text/plain", 3, "", 0)
    await media.create_upload(upload, quota_bytes=0, max_open=9)
    await media.finish_upload(upload, SHA, Blob(SHA, 3, "text/plain", upload.upload_id), 5)

    def read(conn: Connection) -> list[tuple[bytes, int]]:
        rows = conn.execute(text("SELECT sha256, is_referred FROM blob"))
        return [(row[0], row[1]) for row in rows]

    assert await database.read(read) == [(bytes.fromhex(SHA), 0)]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT * FROM blob WHERE is_referred = 0 AND touched_at_ms < 5", "ix_blob_unreferred"),
        ("SELECT * FROM upload WHERE touched_at_ms < 5", "ix_upload_touched"),
        ("SELECT * FROM upload WHERE user_id = 5", "ix_upload_user"),
        ("SELECT * FROM blob_owner WHERE sha256 = x'00'", "ix_blob_owner_sha256"),
    ],
)
def test_index_when_cleaning_up_then_used(conn: Connection, statement: str, index: str) -> None:
    plan = str(conn.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all())
    assert index in plan
