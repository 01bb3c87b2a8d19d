"""Which host is connected to, and how sessions are set up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.support.eventually import eventually

from tinyqq.lab.servers.mariadb import MariaDb, database_of
from tinyqq.lab.servers.process import free_port
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts, Session, fetch
from tinyqq.storage.mysql_errors import CannotConnect

pytestmark = [pytest.mark.needs("mariadb"), pytest.mark.slow]
PATIENT = MysqlTimeouts(connect_s=20, call_s=60)


def connector_for(
    *ports: int, database: str = "", timeouts: MysqlTimeouts = PATIENT
) -> MysqlConnector:
    """A connector for hosts on this machine."""
    hosts = tuple(("127.0.0.1", port) for port in ports)
    return MysqlConnector(address=MysqlAddress(hosts, "root", "", database), timeouts=timeouts)


async def variables(session: Session, *names: str) -> tuple[Any, ...]:
    """What the server says about the session."""
    [row] = await fetch(session.connection, "SELECT " + ", ".join(f"@@{name}" for name in names))
    return row


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Accepts, and never says a word."""
    connections: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(
        lambda _reader, writer: connections.append(writer), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]
        for one in connections:
            one.transport.abort()


async def test_session_when_made_then_set_up_for_the_log(mariadb: MariaDb) -> None:
    connector = connector_for(mariadb.port, database=database_of(mariadb.make_database()))
    session = await connector.connect("READ COMMITTED", autocommit=True)
    names = ("tx_isolation", "innodb_lock_wait_timeout", "idle_write_transaction_timeout",
             "wsrep_sync_wait", "autocommit", "collation_connection")  # fmt: skip
    assert await variables(session, *names) == (
        "READ-COMMITTED", 2, 2, 1, 1, "utf8mb4_general_ci",
    )  # fmt: skip
    [mode] = await variables(session, "sql_mode")
    assert "STRICT_ALL_TABLES" in mode
    assert session.is_mariadb
    assert session.max_packet_bytes >= 2**20
    await session.close(1)
    assert session.is_broken


async def test_connect_when_the_first_host_is_down_then_the_next_from_then_on(
    mariadb: MariaDb,
) -> None:
    connector = connector_for(free_port(), mariadb.port, database="mysql")
    session = await connector.connect("READ COMMITTED", autocommit=True)
    assert connector.generation == session.generation + 1
    again = await connector.connect("REPEATABLE READ", autocommit=False)
    assert await variables(again, "tx_isolation", "autocommit") == ("REPEATABLE-READ", 0)
    assert again.generation == connector.generation == 1
    for one in (session, again):
        await one.close(1)


async def test_connect_when_a_server_dies_and_comes_back_then_each_is_told_once(
    own_mariadb: MariaDb, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="tinyqq.storage.mysql_connector")
    connector = connector_for(own_mariadb.port, database="mysql")

    async def connect() -> None:
        session = await connector.connect("READ COMMITTED", autocommit=True)
        await session.close(1)

    await connect()
    own_mariadb.kill()
    for _ in range(2):
        with pytest.raises(CannotConnect, match=f"127.0.0.1:{own_mariadb.port}: "):
            await connect()
    own_mariadb.start()
    await connect()
    await connect()
    told = [one.message for one in caplog.records if one.name.startswith("tinyqq")]
    assert told == ["storage.connected", "storage.away", "storage.connected"]


async def test_connect_when_a_host_hangs_then_the_next(mariadb: MariaDb) -> None:
    async with silent_server() as port:
        soon = MysqlTimeouts(connect_s=1.5)
        connector = connector_for(port, mariadb.port, database="mysql", timeouts=soon)
        session = await connector.connect("READ COMMITTED", autocommit=True)
        await session.close(1)


async def test_connect_when_the_only_host_is_slow_then_given_the_time_of_a_call(
    mariadb: MariaDb,
) -> None:
    hasty = MysqlTimeouts(connect_s=0.0001, call_s=60)
    connector = connector_for(mariadb.port, database="mysql", timeouts=hasty)
    session = await connector.connect("READ COMMITTED", autocommit=True)
    await session.close(1)
    with pytest.raises(CannotConnect):
        await connector_for(mariadb.port, mariadb.port, database="mysql", timeouts=hasty).connect(
            "READ COMMITTED", autocommit=True
        )


async def test_connect_when_a_host_is_read_only_then_refused(own_mariadb: MariaDb) -> None:
    own_mariadb.ask("SET GLOBAL read_only = 1")
    connector = connector_for(own_mariadb.port, database="mysql")
    with pytest.raises(CannotConnect) as caught:
        await connector.connect("READ COMMITTED", autocommit=True)
    assert "read only" in str(caught.value.__cause__)
    await eventually(lambda: own_mariadb.connection_ids("mysql") == [])


@pytest.mark.parametrize("database", ["there_is_none"])
async def test_connect_when_nobody_can_be_used_then_so_told(
    mariadb: MariaDb, database: str
) -> None:
    with pytest.raises(CannotConnect):
        await connector_for(mariadb.port, database=database).connect(
            "READ COMMITTED", autocommit=True
        )


async def test_session_when_aborted_then_the_server_notices(mariadb: MariaDb) -> None:
    name = database_of(mariadb.make_database())
    session = await connector_for(mariadb.port, database=name).connect(
        "READ COMMITTED", autocommit=True
    )
    assert len(mariadb.connection_ids(name)) == 1
    session.abort()
    assert session.is_broken
    await eventually(lambda: not mariadb.connection_ids(name))
