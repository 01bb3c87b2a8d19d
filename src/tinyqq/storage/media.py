"""What is known of files. All of it lies with what is kept by user, on no conversation's shard."""

from __future__ import annotations

from dataclasses import asdict, fields
from functools import partial
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from tinyqq.model.ids import UserId, own_conversation
from tinyqq.model.media import Blob, BlobId, OwnFile, Part, Upload, UploadId
from tinyqq.ports.media import Usage
from tinyqq.ports.storage import SendKey
from tinyqq.storage.database import Database, only
from tinyqq.storage.dialect import put, put_missing
from tinyqq.storage.schema import (
    account,
    blob,
    blob_owner,
    blob_reference,
    counter,
    media_account,
    upload,
    upload_part,
    user_conversation,
)

_SWEEP: Final = "media-sweep"
"""A row of ``counter``: the time in milliseconds until which somebody cleans up."""

# In the order of the records' fields.
_UPLOADS: Final = select(*(upload.c[field.name] for field in fields(Upload)))
_PARTS: Final = select(*(upload_part.c[field.name] for field in fields(Part)))
_BLOBS: Final = select(
    blob.c.sha256, *(blob.c[field.name] for field in fields(Blob) if field.name != "blob_id")
)


class SqlMediaStore:
    """Implements ``ports.media.MediaStore``."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    # ---- uploads ---------------------------------------------------------------------------------

    async def read_usage(self, user_id: UserId) -> Usage:
        """What the account has."""
        return await self._database.read(partial(_usage, user_id=user_id))

    async def create_upload(
        self, upload: Upload, *, quota_bytes: int, max_open: int
    ) -> Usage | None:
        """Store a new one if there is room."""
        return await self._database.write(
            partial(_create, new=upload, quota_bytes=quota_bytes, max_open=max_open)
        )

    async def find_upload(self, upload_id: UploadId) -> Upload | None:
        """One upload."""
        statement = _UPLOADS.where(upload.c.upload_id == upload_id)
        row = await self._database.read(lambda conn: conn.execute(statement).first())
        return None if row is None else Upload(*row)

    async def add_part(self, upload_id: UploadId, part: Part, now_ms: int) -> bool:
        """Take a part, if it is the next one."""
        return await self._database.write(
            partial(_add_part, upload_id=upload_id, part=part, now_ms=now_ms)
        )

    async def list_parts(self, upload_id: UploadId) -> tuple[Part, ...]:
        """Parts in their order."""
        statement = _PARTS.where(upload_part.c.upload_id == upload_id).order_by(
            upload_part.c.offset_bytes
        )
        return await self._database.read(
            lambda conn: tuple(Part(*row) for row in conn.execute(statement))
        )

    async def note_blob_id(self, upload_id: UploadId, blob_id: BlobId) -> None:
        """Note what it turned out to be."""
        statement = update(upload).where(upload.c.upload_id == upload_id).values(blob_id=blob_id)
        await self._database.write(only(statement))

    async def finish_upload(
        self, upload: Upload, blob_id: BlobId, new: Blob | None, now_ms: int
    ) -> Blob | None:
        """The account has the file now."""
        return await self._database.write(
            partial(_finish, upload_=upload, blob_id=blob_id, new=new, now_ms=now_ms)
        )

    async def delete_upload(self, upload_id: UploadId) -> None:
        """Forget an upload and its parts."""

        def work(conn: Connection) -> None:
            conn.execute(delete(upload_part).where(upload_part.c.upload_id == upload_id))
            conn.execute(delete(upload).where(upload.c.upload_id == upload_id))

        await self._database.write(work)

    # ---- files and who may see them --------------------------------------------------------------

    async def find_blob(self, blob_id: BlobId) -> Blob | None:
        """One file, whoever asks."""
        return await self._database.read(partial(_find_blob, blob_id=blob_id))

    async def list_files(
        self, user_id: UserId, after: tuple[int, BlobId] | None, limit: int
    ) -> tuple[OwnFile, ...]:
        """Files of an account."""
        added, sha256 = blob_owner.c.added_at_ms, blob_owner.c.sha256
        statement = (
            _BLOBS.add_columns(blob_owner.c.name, added)
            .join(blob_owner, sha256 == blob.c.sha256)
            .where(blob_owner.c.user_id == user_id)
            .order_by(added.desc(), sha256.desc())
            .limit(limit)
        )
        if after is not None:
            last = bytes.fromhex(after[1])
            statement = statement.where(
                or_(added < after[0], and_(added == after[0], sha256 < last))
            )
        return await self._database.read(
            lambda conn: tuple(
                OwnFile(_blob_of(row[:-2]), *row[-2:]) for row in conn.execute(statement)
            )
        )

    async def disown(self, user_id: UserId, blob_id: BlobId, now_ms: int) -> bool:
        """The account has a file no more."""
        return await self._database.write(
            partial(_disown, user_id=user_id, blob_id=blob_id, now_ms=now_ms)
        )

    async def is_owner(self, user_id: UserId, blob_id: BlobId) -> bool:
        """Whether the user has uploaded it."""
        statement = select(blob_owner.c.user_id).where(
            blob_owner.c.user_id == user_id, blob_owner.c.sha256 == bytes.fromhex(blob_id)
        )
        return await self._database.read(lambda conn: conn.execute(statement).first() is not None)

    async def add_reference(self, blob_id: BlobId, key: SendKey, now_ms: int) -> bool:
        """Note that a message refers to a file."""
        row = {"sha256": bytes.fromhex(blob_id), **key._asdict(), "referred_at_ms": now_ms}

        def work(conn: Connection) -> bool:
            if _find_blob(conn, blob_id, for_update=True) is None:
                return False
            put_missing(conn, blob_reference, [row])
            conn.execute(
                update(blob)
                .where(blob.c.sha256 == row["sha256"])
                .values(is_referred=True, touched_at_ms=now_ms)
            )
            return True

        return await self._database.write(work)

    async def find_references(
        self, blob_id: BlobId, viewer_id: UserId, limit: int
    ) -> tuple[SendKey, ...]:
        """Messages that refer to a file, in the viewer's conversations."""
        listed = exists().where(
            user_conversation.c.user_id == viewer_id,
            user_conversation.c.conversation_id == blob_reference.c.conversation_id,
        )
        statement = (
            select(*(blob_reference.c[name] for name in SendKey._fields))
            .where(
                blob_reference.c.sha256 == bytes.fromhex(blob_id),
                or_(blob_reference.c.conversation_id == own_conversation(viewer_id), listed),
            )
            .order_by(blob_reference.c.referred_at_ms.desc())
            .limit(limit)
        )
        return await self._database.read(
            lambda conn: tuple(SendKey(*row) for row in conn.execute(statement))
        )

    # ---- cleaning up -----------------------------------------------------------------------------

    async def list_stale_uploads(self, before_ms: int, limit: int) -> tuple[Upload, ...]:
        """Uploads that nobody has touched since."""
        statement = (
            _UPLOADS.where(upload.c.touched_at_ms < before_ms)
            .order_by(upload.c.touched_at_ms)
            .limit(limit)
        )
        return await self._database.read(
            lambda conn: tuple(Upload(*row) for row in conn.execute(statement))
        )

    async def list_unreferred(self, before_ms: int, limit: int) -> tuple[Blob, ...]:
        """Files that no message has ever referred to."""
        statement = (
            _BLOBS.where(~blob.c.is_referred, blob.c.touched_at_ms < before_ms)
            .order_by(blob.c.touched_at_ms)
            .limit(limit)
        )
        return await self._database.read(
            lambda conn: tuple(_blob_of(row) for row in conn.execute(statement))
        )

    async def is_avatar(self, blob_id: BlobId) -> bool:
        """Whether an owner has it as avatar."""
        statement = (
            select(account.c.user_id)
            .join_from(blob_owner, account, account.c.user_id == blob_owner.c.user_id)
            .where(blob_owner.c.sha256 == bytes.fromhex(blob_id), account.c.avatar == blob_id)
            .limit(1)
        )
        return await self._database.read(lambda conn: conn.execute(statement).first() is not None)

    async def touch_blob(self, blob_id: BlobId, now_ms: int) -> None:
        """Let a file stay for another while."""
        of_blob = blob.c.sha256 == bytes.fromhex(blob_id)
        await self._database.write(only(update(blob).where(of_blob).values(touched_at_ms=now_ms)))

    async def drop_blob(self, blob_id: BlobId, before_ms: int) -> None:
        """Forget a file that is still unreferred."""
        await self._database.write(partial(_drop, blob_id=blob_id, before_ms=before_ms))

    async def take_sweep(self, now_ms: int, until_ms: int) -> bool:
        """Whether the caller may clean up until then."""

        def work(conn: Connection) -> bool:
            put_missing(conn, counter, [{"name": _SWEEP, "next_value": 0}])
            row = select(counter.c.next_value).where(counter.c.name == _SWEEP).with_for_update()
            if conn.execute(row).scalar_one() > now_ms:
                return False
            conn.execute(
                update(counter).where(counter.c.name == _SWEEP).values(next_value=until_ms)
            )
            return True

        return await self._database.write(work)


def _usage(conn: Connection, user_id: UserId) -> Usage:
    files = (
        select(func.coalesce(func.sum(blob.c.size_bytes), 0))
        .join_from(blob_owner, blob, blob.c.sha256 == blob_owner.c.sha256)
        .where(blob_owner.c.user_id == user_id)
    )
    coming = select(func.coalesce(func.sum(upload.c.size_bytes), 0), func.count()).where(
        upload.c.user_id == user_id, ~upload.c.is_finished
    )
    # In this order: what becomes a file in between is counted twice, and not left out.
    announced, count = conn.execute(coming).one()
    # Sums are decimal numbers in MySQL.
    return Usage(int(conn.execute(files).scalar_one()) + int(announced), count)


def _create(conn: Connection, *, new: Upload, quota_bytes: int, max_open: int) -> Usage | None:
    # First of all, so that what is read below is what the ones before have left. Who does the same
    # on another node of a cluster meanwhile fails at its commit, and comes again.
    mine = media_account.c.user_id == new.user_id
    put_missing(conn, media_account, [{"user_id": new.user_id, "announced": 0}])
    conn.execute(update(media_account).where(mine).values(announced=media_account.c.announced + 1))
    usage = _usage(conn, new.user_id)
    is_too_much = quota_bytes and usage.size_bytes + new.size_bytes > quota_bytes
    if is_too_much or usage.open_uploads >= max_open:
        return usage
    conn.execute(insert(upload), asdict(new))
    return None


def _add_part(conn: Connection, *, upload_id: UploadId, part: Part, now_ms: int) -> bool:
    of_upload = upload.c.upload_id == upload_id
    row = conn.execute(_UPLOADS.where(of_upload).with_for_update()).first()
    if row is None or row.offset_bytes != part.offset_bytes:
        return False
    end = part.offset_bytes + part.size_bytes
    conn.execute(update(upload).where(of_upload).values(offset_bytes=end, touched_at_ms=now_ms))
    conn.execute(insert(upload_part), {"upload_id": upload_id, **asdict(part)})
    return True


def _finish(
    conn: Connection, *, upload_: Upload, blob_id: BlobId, new: Blob | None, now_ms: int
) -> Blob | None:
    sha256 = bytes.fromhex(blob_id)
    if new is not None:
        row = asdict(new) | {"sha256": sha256, "is_referred": False, "touched_at_ms": now_ms}
        del row["blob_id"]
        put_missing(conn, blob, [row])
    kept = _find_blob(conn, blob_id, for_update=True)
    if kept is None:
        return None
    changed: dict[str, object] = {"touched_at_ms": now_ms}
    if new is not None and new.is_image and not kept.is_image:
        changed |= {name: it for name, it in asdict(new).items() if name != "blob_id"}
        # Left for a day: somebody may be reading it.
        put_missing(conn, upload, [asdict(_left(kept, now_ms))])
        kept = new
    conn.execute(update(blob).where(blob.c.sha256 == sha256).values(changed))
    owner = {"user_id": upload_.user_id, "sha256": sha256}
    put(conn, blob_owner, [owner | {"name": upload_.name, "added_at_ms": now_ms}])
    conn.execute(
        update(upload)
        .where(upload.c.upload_id == upload_.upload_id)
        .values(blob_id=blob_id, is_finished=True, touched_at_ms=now_ms)
    )
    return kept


def _drop(conn: Connection, *, blob_id: BlobId, before_ms: int) -> None:
    sha256 = bytes.fromhex(blob_id)
    unreferred = _BLOBS.where(
        blob.c.sha256 == sha256, ~blob.c.is_referred, blob.c.touched_at_ms < before_ms
    )
    row = conn.execute(unreferred.with_for_update()).first()
    if row is not None:
        conn.execute(delete(blob_owner).where(blob_owner.c.sha256 == sha256))
        _delete(conn, _blob_of(row))


def _disown(conn: Connection, *, user_id: UserId, blob_id: BlobId, now_ms: int) -> bool:
    sha256 = bytes.fromhex(blob_id)
    theirs = blob_owner.c.sha256 == sha256
    found = _find_blob(conn, blob_id, for_update=True)
    mine = conn.execute(delete(blob_owner).where(blob_owner.c.user_id == user_id, theirs))
    if found is None or not mine.rowcount:
        return False
    if conn.execute(select(blob_owner.c.user_id).where(theirs).limit(1)).first() is None:
        _delete(conn, found)
    else:
        # Written, so that of two owners who leave on different nodes the later sees the earlier.
        conn.execute(update(blob).where(blob.c.sha256 == sha256).values(touched_at_ms=now_ms))
    return True


def _delete(conn: Connection, dropped: Blob) -> None:
    conn.execute(delete(blob).where(blob.c.sha256 == bytes.fromhex(dropped.blob_id)))
    put(conn, upload, [asdict(_left(dropped, 0))])


def _left(dropped: Blob, touched_at_ms: int) -> Upload:
    """What tells whoever cleans up that a file's objects are to be deleted."""
    return Upload(
        dropped.object_id,
        UserId(0),
        "",
        0,
        "",
        touched_at_ms=touched_at_ms,
        blob_id=dropped.blob_id,
        is_finished=True,
    )


def _find_blob(conn: Connection, blob_id: BlobId, *, for_update: bool = False) -> Blob | None:
    statement = _BLOBS.where(blob.c.sha256 == bytes.fromhex(blob_id))
    row = conn.execute(statement.with_for_update() if for_update else statement).first()
    return None if row is None else _blob_of(row)


def _blob_of(row: Row[Any] | tuple[Any, ...]) -> Blob:
    return Blob(BlobId(row[0].hex()), *row[1:])
