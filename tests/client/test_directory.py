"""Asking the unit directory."""

from __future__ import annotations

from math import nan
from typing import Any

import pytest
from tests.support.certificates import Certificate
from tests.support.fake_server import FakeServer

from tinyqq.client.addresses import Address, Directory, Unit, parse_url
from tinyqq.client.directory import fetch_listing, parse_listing
from tinyqq.client.trust import Trust
from tinyqq.errors import Unavailable


async def fetch(url: str, trust: Trust | None = None) -> tuple[Unit, ...]:
    directory = parse_url(url)
    assert isinstance(directory, Directory)
    return (await fetch_listing(directory, trust=trust or Trust(), timeout_s=30)).units


async def test_fetch_listing_when_there_are_some_then_tcp_before_websocket(
    server: FakeServer,
) -> None:
    (unit,) = await fetch(server.http_url)
    assert [str(one) for one in unit.addresses] == [server.url, server.ws_url]


async def test_fetch_listing_when_the_certificate_is_believed_then_so_too(
    secure: FakeServer, certificate: Certificate
) -> None:
    for trust in (Trust(fingerprint=certificate.fingerprint), Trust(str(certificate.file))):
        (unit,) = await fetch(secure.http_url, trust)
        assert str(unit.addresses[0]) == secure.url
    with pytest.raises(Unavailable):
        await fetch(secure.http_url)


async def test_fetch_listing_when_nobody_answers_then_unavailable() -> None:
    with pytest.raises(Unavailable):
        await fetch("http://127.0.0.1:1")


async def test_fetch_listing_when_the_answer_is_senseless_then_unavailable(
    server: FakeServer,
) -> None:
    server.units = [{"tcp": "ftp://nowhere"}]
    with pytest.raises(Unavailable):
        await fetch(server.http_url)


def test_parse_listing_when_one_way_is_missing_then_the_other() -> None:
    listing = parse_listing({"units": [{"load": 0.5, "websocket": "ws://h:1/ws", "new": 1}]})
    assert listing.units == (Unit((Address("h", 1, False, "/ws"),)),)


@pytest.mark.parametrize(
    ("fields", "wait_s"),
    [
        ({}, 0.0),
        ({"wait_ms": 1500}, 1.5),
        ({"wait_ms": -1}, 0.0),
        ({"wait_ms": 1e12}, 120.0),
        ({"wait_ms": nan}, 0.0),
    ],
)
def test_parse_listing_when_asked_to_wait_then_so_long(
    fields: dict[str, float], wait_s: float
) -> None:
    assert parse_listing({"units": [], **fields}).wait_s == wait_s


@pytest.mark.parametrize(
    "answer", [None, [], {}, {"units": 3}, {"units": ["x"]}, {"units": [], "wait_ms": []}]
)
def test_parse_listing_when_something_else_then_refused(answer: Any) -> None:
    with pytest.raises(ValueError, match="not a list of units"):
        parse_listing(answer)
