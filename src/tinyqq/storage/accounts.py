"""Accounts, their devices, numbers and secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from typing import Any, Final, Unpack

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from tinyqq.errors import Conflict
from tinyqq.model.account import Account, Device, DeviceKind
from tinyqq.model.ids import FIRST_NUMBER, DeviceId, OperationId, UserId
from tinyqq.ports.storage import AccountChanges, Seen
from tinyqq.storage.database import Database
from tinyqq.storage.dialect import ids_argument, put, put_missing
from tinyqq.storage.rows import GIVEN_IDS, number_of
from tinyqq.storage.schema import account, counter, device, secret

_FIRST_VALUES: Final = {"user": FIRST_NUMBER + 1, "group": FIRST_NUMBER + 1}

# In the order of the record's fields: a row is the record's arguments.
_ACCOUNTS: Final = select(*(account.c[field.name] for field in fields(Account)))
_DEVICES: Final = select(*(device.c[field.name] for field in fields(Device)))
_SOME_ACCOUNTS: Final = _ACCOUNTS.where(account.c.user_id.in_(GIVEN_IDS))
_DEVICES_OF: Final = _DEVICES.where(device.c.user_id == bindparam("of_user_id")).order_by(
    device.c.last_seen_at_ms.desc(), device.c.device_id
)
_DEVICE: Final = _DEVICES.where(
    device.c.user_id == bindparam("of_user_id"), device.c.device_id == bindparam("of_device_id")
)
_BY_REFRESH: Final = _DEVICES.where(device.c.refresh_hash == bindparam("of_refresh_hash"))

_SEEN_ACCOUNT: Final = (
    update(account)
    .where(account.c.user_id == bindparam("of_user_id"))
    .values(last_seen_at_ms=bindparam("at_ms"))
)
_SEEN_DEVICE: Final = (
    update(device)
    .where(
        device.c.user_id == bindparam("of_user_id"),
        device.c.device_id == bindparam("of_device_id"),
    )
    .values(last_seen_at_ms=bindparam("at_ms"))
)


class SqlAccountStore:
    """Implements ``ports.storage.AccountStore``."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create_account(self, account: Account, operation_id: OperationId) -> Account:
        """Store a new account, or return the one that the operation made earlier."""
        work = partial(_create, new=account, operation_id=operation_id)
        try:
            return await self._database.write(work)
        except Conflict:  # with another account, or with the same request on another node
            earlier = await self._database.read(partial(_made_by, operation_id=operation_id))
            if earlier is None:
                raise
            return earlier

    async def create_accounts(self, accounts: Iterable[Account], devices: Iterable[Device]) -> None:
        """Store many in one transaction."""
        account_rows = [account_row(new) for new in accounts]
        device_rows = [asdict(new) for new in devices]

        def work(conn: Connection) -> None:
            if account_rows:
                conn.execute(insert(account), account_rows)
            if device_rows:
                conn.execute(insert(device), device_rows)

        await self._database.write(work)

    async def find_account(self, user_id: UserId) -> Account | None:
        """One account, also a deleted one."""
        return (await self.find_accounts((user_id,))).get(user_id)

    async def find_accounts(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Account]:
        """Several accounts by number."""

        def work(conn: Connection) -> dict[UserId, Account]:
            rows = conn.execute(_SOME_ACCOUNTS, ids_argument(set(user_ids)))
            return {row.user_id: Account(*row) for row in rows}

        return await self._database.read(work)

    async def search_accounts(self, query: str, limit: int) -> tuple[Account, ...]:
        """Usable accounts whose nickname contains *query*."""
        statement = (
            _ACCOUNTS.where(account.c.search_name.contains(query.casefold(), autoescape=True))
            .where(~account.c.is_disabled, account.c.deleted_at_ms == 0)
            .order_by(account.c.user_id)
            .limit(limit)
        )
        return await self._database.read(
            lambda conn: tuple(Account(*row) for row in conn.execute(statement))
        )

    async def list_accounts(
        self, after_user_id: UserId, limit: int, query: str = ""
    ) -> tuple[Account, ...]:
        """All accounts by number, or those that are looked for."""
        statement = (
            _ACCOUNTS.where(account.c.user_id > after_user_id)
            .order_by(account.c.user_id)
            .limit(limit)
        )
        if query:
            named = account.c.search_name.contains(query.casefold(), autoescape=True)
            number = number_of(query)
            statement = statement.where(
                named if number is None else or_(named, account.c.user_id == number)
            )
        return await self._database.read(
            lambda conn: tuple(Account(*row) for row in conn.execute(statement))
        )

    async def update_account(self, user_id: UserId, **changes: Unpack[AccountChanges]) -> bool:
        """Change columns; False when there is no such account."""
        values: dict[str, object] = dict(changes)
        if "nickname" in changes:
            values["search_name"] = changes["nickname"].casefold()
        statement = update(account).where(account.c.user_id == user_id).values(values)
        return await self._database.write(lambda conn: conn.execute(statement).rowcount > 0)

    async def put_device(self, device: Device) -> None:
        """Store a device, over an older row of it."""
        await self._database.write(partial(_put_device, new=device))

    async def find_device(self, user_id: UserId, device_id: DeviceId) -> Device | None:
        """One device."""
        chosen = {"of_user_id": user_id, "of_device_id": device_id}
        row = await self._database.read(lambda conn: conn.execute(_DEVICE, chosen).first())
        return None if row is None else _device_of(row)

    async def find_device_by_refresh(self, refresh_hash: bytes) -> Device | None:
        """The device that holds this refresh token."""
        chosen = {"of_refresh_hash": refresh_hash}
        row = await self._database.read(lambda conn: conn.execute(_BY_REFRESH, chosen).first())
        return None if row is None else _device_of(row)

    async def list_devices(self, user_id: UserId) -> tuple[Device, ...]:
        """Devices, the most recently seen first."""
        chosen = {"of_user_id": user_id}
        return await self._database.read(
            lambda conn: tuple(_device_of(row) for row in conn.execute(_DEVICES_OF, chosen))
        )

    async def note_seen(self, seen: Sequence[Seen]) -> None:
        """Note when users and their devices were last here."""
        if not seen:
            return
        rows = [
            {"of_user_id": one.user_id, "of_device_id": one.device_id, "at_ms": one.seen_at_ms}
            for one in seen
        ]

        def work(conn: Connection) -> None:
            # Sorted as every node sorts them, so that two do not wait for each other.
            rows.sort(key=lambda row: (row["of_user_id"], row["of_device_id"]))
            conn.execute(_SEEN_DEVICE, rows)
            conn.execute(_SEEN_ACCOUNT, rows)

        await self._database.write(work)

    async def delete_devices(
        self, user_id: UserId, *, only: DeviceId | None = None, keep: DeviceId | None = None
    ) -> tuple[DeviceId, ...]:
        """Forget devices; returns which."""
        chosen = [device.c.user_id == user_id]
        if only is not None:
            chosen.append(device.c.device_id == only)
        if keep is not None:
            chosen.append(device.c.device_id != keep)

        def work(conn: Connection) -> tuple[DeviceId, ...]:
            found = select(device.c.device_id).where(*chosen).with_for_update()
            gone = tuple(conn.scalars(found))
            conn.execute(delete(device).where(*chosen, device.c.device_id.in_(gone)))
            return gone

        return await self._database.write(work)

    async def take_numbers(self, counter: str, count: int) -> int:
        """Take *count* consecutive numbers; returns the first."""
        return await self._database.write(partial(take_numbers, name=counter, count=count))

    async def get_secret(self, name: str, candidate: bytes) -> bytes:
        """The secret of that name; the first candidate ever becomes it."""
        return await self._database.write(partial(_get_secret, name=name, candidate=candidate))


def account_row(new: Account) -> dict[str, object]:
    """The row of an account that no operation made."""
    return {**asdict(new), "search_name": new.nickname.casefold()}


def _device_of(row: Row[Any]) -> Device:
    return Device(
        user_id=row.user_id,
        device_id=row.device_id,
        kind=DeviceKind(row.kind),
        name=row.name,
        refresh_hash=row.refresh_hash,
        created_at_ms=row.created_at_ms,
        last_seen_at_ms=row.last_seen_at_ms,
    )


def _create(conn: Connection, *, new: Account, operation_id: OperationId) -> Account:
    earlier = _made_by(conn, operation_id)
    if earlier is not None:
        return earlier
    conn.execute(insert(account), {**account_row(new), "operation_id": operation_id})
    return new


def _made_by(conn: Connection, operation_id: OperationId) -> Account | None:
    row = conn.execute(_ACCOUNTS.where(account.c.operation_id == operation_id)).first()
    return None if row is None else Account(*row)


def _put_device(conn: Connection, *, new: Device) -> None:
    put(conn, device, [asdict(new)])


def take_numbers(conn: Connection, *, name: str, count: int) -> int:
    """Take *count* consecutive numbers from a counter; returns the first."""
    # The update comes first: it takes the row's lock before anything is read.
    take = (
        update(counter)
        .where(counter.c.name == name)
        .values(next_value=counter.c.next_value + count)
    )
    if not conn.execute(take).rowcount:
        # Another node may be at the same point: whoever comes second finds the row.
        put_missing(conn, counter, [{"name": name, "next_value": _FIRST_VALUES.get(name, 1)}])
        conn.execute(take)
    after: int = conn.execute(
        select(counter.c.next_value).where(counter.c.name == name)
    ).scalar_one()
    return after - count


def _get_secret(conn: Connection, *, name: str, candidate: bytes) -> bytes:
    find = select(secret.c.value).where(secret.c.name == name)
    kept: bytes | None = conn.execute(find).scalar_one_or_none()
    if kept is None:
        put_missing(conn, secret, [{"name": name, "value": candidate}])
        kept = conn.execute(find).scalar_one()
    return kept
