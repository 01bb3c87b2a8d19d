"""Addresses as people write them, and the choice among units."""

from __future__ import annotations

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


def unit(name: str) -> Unit:
    return Unit((Address(name, 7001, False), Address(name, 7080, False, "/ws")))


def test_ways_to_when_several_then_the_directory_s_order_and_tcp_before_websocket() -> None:
    ways = ways_to([unit("idle"), unit("busy")], ())
    assert [(one.host, one.port) for one in ways] == [
        ("idle", 7001),
        ("idle", 7080),
        ("busy", 7001),
        ("busy", 7080),
    ]


def test_ways_to_when_one_is_avoided_then_last_by_every_way() -> None:
    ways = ways_to([unit("gone"), unit("here")], {Address("gone", 7001, False)})
    assert [one.host for one in ways] == ["here", "here", "gone", "gone"]


def test_unit_when_it_has_a_websocket_then_a_directory_too() -> None:
    assert unit("one").directory == Directory("one", 7080, False)
    assert Unit((Address("one", 7001, False),)).directory is None
