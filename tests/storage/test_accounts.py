"""Rows of accounts and devices; the rest is in the contract."""

from __future__ import annotations

from dataclasses import replace

from tests.support.logs import ANN, BOB, PHONE, account, new_operation_id

from tinyqq.model.account import Device, DeviceKind
from tinyqq.ports.storage import Seen
from tinyqq.storage.accounts import SqlAccountStore, account_row
from tinyqq.storage.schema import account as account_table
from tinyqq.storage.sqlite import SqliteDatabase

PHONE_OF_ANN = Device(ANN, PHONE, DeviceKind.MOBILE, "phone", b"r" * 32, 1, 5)


def test_account_row_when_made_then_every_column_but_the_operation() -> None:
    row = account_row(account(ANN, "STRASSE ß İ"))
    assert row.keys() == {column.name for column in account_table.c} - {"operation_id"}
    assert row["search_name"] == "strasse ss i̇"


async def test_accounts_when_used_then_everything_goes_through_the_database(
    database: SqliteDatabase,
) -> None:
    store = SqlAccountStore(database=database)
    ann, operation_id = account(ANN, "Ann"), new_operation_id()
    assert await store.create_account(ann, operation_id) == ann
    assert await store.create_account(account(BOB), operation_id) == ann
    await store.create_accounts([account(BOB, "Bob")], [])
    assert await store.update_account(BOB, nickname="Bert")
    assert await store.update_account(BOB, is_admin=True)
    assert (await store.search_accounts("ber", 9))[0].is_admin
    assert await store.find_account(ANN) == ann
    assert [one.user_id for one in await store.list_accounts(ANN, 9)] == [BOB]


async def test_devices_when_used_then_everything_goes_through_the_database(
    database: SqliteDatabase,
) -> None:
    store = SqlAccountStore(database=database)
    await store.put_device(PHONE_OF_ANN)
    await store.note_seen([])
    await store.note_seen([Seen(ANN, PHONE, 9)])
    seen = replace(PHONE_OF_ANN, last_seen_at_ms=9)
    assert await store.find_device(ANN, PHONE) == seen
    assert await store.find_device_by_refresh(b"r" * 32) == seen
    assert await store.list_devices(ANN) == (seen,)
    assert await store.delete_devices(ANN, keep=PHONE) == ()
    assert await store.delete_devices(ANN, only=PHONE) == (PHONE,)
    assert await store.find_device(ANN, PHONE) is None
    assert await store.find_device_by_refresh(b"r" * 32) is None


async def test_numbers_and_secrets_when_used_then_kept(database: SqliteDatabase) -> None:
    store = SqlAccountStore(database=database)
    assert [await store.take_numbers("user", 2), await store.take_numbers("user", 1)] == [
        10_001,
        10_003,
    ]
    assert [await store.get_secret("key", one) for one in (b"first", b"late")] == [b"first"] * 2
