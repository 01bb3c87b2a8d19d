"""Addresses of servers."""

from __future__ import annotations

import pytest

from tinyqq.errors import InvalidRequest
from tinyqq.storage.mysql_address import MysqlAddress


def test_address_when_it_has_everything_then_every_part() -> None:
    address = MysqlAddress.from_url("mysql+asyncmy://qq:p%40ss%2F@db1:3307,db2,[::1]:33/tiny")
    assert address.hosts == (("db1", 3307), ("db2", 3306), ("::1", 33))
    assert (address.user, address.password, address.database) == ("qq", "p@ss/", "tiny")


def test_address_when_without_password_and_ports_then_the_usual_ones() -> None:
    address = MysqlAddress.from_url("mysql+asyncmy://root@[::1]/tiny")
    assert (address.hosts, address.password) == ((("::1", 3306),), "")


def test_address_when_shown_then_without_the_password() -> None:
    assert "secret" not in repr(MysqlAddress.from_url("mysql+asyncmy://qq:secret@db/tiny"))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://qq:secret@db/tiny",
        "mysql+asyncmy://db/tiny",
        "mysql+asyncmy://qq:secret@/tiny",
        "mysql+asyncmy://qq:secret@db1,/tiny",
        "mysql+asyncmy://qq:secret@db:port/tiny",
        "mysql+asyncmy://qq:secret@db/",
        "mysql+asyncmy://qq:secret@db/tiny?charset=latin1",
    ],
)
def test_address_when_something_is_wrong_then_refused_without_the_password(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        MysqlAddress.from_url(url)
    assert "secret" not in str(caught.value)
