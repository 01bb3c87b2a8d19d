"""A place for everybody, up to a bound."""

from __future__ import annotations

import contextlib

import pytest

from tinyqq.errors import ErrorCode, Unavailable
from tinyqq.storage.mysql_address import MysqlAddress
from tinyqq.storage.mysql_connector import MysqlConnector, MysqlTimeouts
from tinyqq.storage.mysql_pool import MysqlPool


@pytest.fixture
def pool() -> MysqlPool:
    """One that is never connected."""
    address = MysqlAddress((("127.0.0.1", 1),), "root", "", "tinyqq")
    connector = MysqlConnector(address=address, timeouts=MysqlTimeouts())
    return MysqlPool(connector, "REPEATABLE READ", size=1)


async def test_place_when_left_then_free_again(pool: MysqlPool) -> None:
    with pool.place(), pool.place():
        assert pool.waiting == 2
    assert pool.waiting == 0
    await pool.close(1)


async def test_place_when_there_is_none_then_busy(pool: MysqlPool) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(1_000):
            stack.enter_context(pool.place())
        with pytest.raises(Unavailable) as caught, pool.place():
            pass
    assert caught.value.code is ErrorCode.BUSY
    assert (pool.refused, pool.waiting) == (1, 0)
