"""Asking the unit directory."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.certificates import Certificate
from tests.support.fake_server import FakeServer

from tinyqq.client.addresses import Address, Directory, Unit, parse_url
from tinyqq.client.directory import fetch_units, parse_units
from tinyqq.client.trust import Trust
from tinyqq.errors import Unavailable


async def fetch(url: str, trust: Trust | None = None) -> list[Unit]:
    directory = parse_url(url)
    assert isinstance(directory, Directory)
    return await fetch_units(directory, trust=trust or Trust(), timeout_s=5)


async def test_fetch_units_when_there_are_some_then_tcp_before_websocket(
    server: FakeServer,
) -> None:
    (unit,) = await fetch(server.http_url)
    assert [str(one) for one in unit.addresses] == [server.url, server.ws_url]


async def test_fetch_units_when_the_certificate_is_believed_then_so_too(
    secure: FakeServer, certificate: Certificate
) -> None:
    for trust in (Trust(fingerprint=certificate.fingerprint), Trust(str(certificate.file))):
        (unit,) = await fetch(secure.http_url, trust)
        assert str(unit.addresses[0]) == secure.url
    with pytest.raises(Unavailable):
        await fetch(secure.http_url)


async def test_fetch_units_when_nobody_answers_then_unavailable() -> None:
    with pytest.raises(Unavailable):
        await fetch("http://127.0.0.1:1")


async def test_fetch_units_when_the_answer_is_senseless_then_unavailable(
    server: FakeServer,
) -> None:
    server.units = [{"tcp": "ftp://nowhere"}]
    with pytest.raises(Unavailable):
        await fetch(server.http_url)


def test_parse_units_when_one_way_is_missing_then_the_other() -> None:
    (unit,) = parse_units({"units": [{"load": 0.5, "websocket": "ws://h:1/ws", "new": 1}]})
    assert unit == Unit(0.5, (Address("h", 1, False, "/ws"),))


@pytest.mark.parametrize("answer", [None, [], {}, {"units": 3}, {"units": ["x"]}])
def test_parse_units_when_something_else_then_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="not a list of units"):
        parse_units(answer)
