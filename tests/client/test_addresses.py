"""Addresses as people write them, and the choice among units."""

from __future__ import annotations

from random import Random

import pytest

from tinyqq.client.addresses import Address, Directory, Unit, parse_url, ways_to
from tinyqq.errors import InvalidRequest


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org", Directory("example.org", 7080, tls=False)),
        ("http://example.org:8000/", Directory("example.org", 8000, tls=False)),
        ("https://example.org", Directory("example.org", 443, tls=True)),
        ("example.org:7080", Directory("example.org", 7080, tls=False)),
        ("tinyqq://example.org", Address("example.org", 7001, tls=False)),
        ("tinyqqs://[::1]:7002", Address("::1", 7002, tls=True)),
        ("ws://example.org:7080", Address("example.org", 7080, tls=False, path="/ws")),
        ("ws://example.org/", Address("example.org", 7080, tls=False, path="/ws")),
        ("wss://example.org/chat", Address("example.org", 443, tls=True, path="/chat")),
    ],
)
def test_parse_url_when_known_then_read(url: str, expected: Address | Directory) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize("url", ["ftp://example.org", "http://", "tinyqq://h:99999", "ws://[::1"])
def test_parse_url_when_senseless_then_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        parse_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org:7080",
        "https://example.org:443",
        "tinyqq://[::1]:7001",
        "tinyqqs://example.org:7001",
        "ws://example.org:7080/ws",
        "wss://example.org:443/ws",
    ],
)
def test_address_when_written_then_reads_back(url: str) -> None:
    assert str(parse_url(url)) == url


def unit(load: float, name: str) -> Unit:
    return Unit(load, (Address(name, 7001, False), Address(name, 7080, False, "/ws")))


def test_ways_to_when_loads_differ_then_least_loaded_first_and_tcp_before_websocket() -> None:
    ways = ways_to([unit(0.9, "busy"), unit(0.1, "idle")], Random(1))
    assert [(one.host, one.port) for one in ways] == [
        ("idle", 7001),
        ("idle", 7080),
        ("busy", 7001),
        ("busy", 7080),
    ]


def test_ways_to_when_loads_are_alike_then_clients_spread() -> None:
    units = [unit(0.10, "one"), unit(0.12, "two")]
    random = Random(1)
    first = {ways_to(units, random)[0].host for _ in range(50)}
    assert first == {"one", "two"}
