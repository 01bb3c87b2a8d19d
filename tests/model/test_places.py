"""Addresses of units."""

from __future__ import annotations

import pytest

from tinyqq.model.places import (
    authority,
    is_everywhere,
    names_a_host,
    origin_of,
    reachable,
    websocket_url,
)


@pytest.mark.parametrize(
    ("url", "asked_host", "expected"),
    [
        ("tinyqq://0.0.0.0:7001", "chat.example", "tinyqq://chat.example:7001"),
        ("http://[::]:7080", "chat.example", "http://chat.example:7080"),
        ("http://[::]:7080", "2001:db8::1", "http://[2001:db8::1]:7080"),
        ("tinyqq://10.0.0.1:7001", "chat.example", "tinyqq://10.0.0.1:7001"),
        ("tinyqq://0.0.0.0", "chat.example", "tinyqq://chat.example"),
        ("tinyqq://0.0.0.0:7001", "", "tinyqq://0.0.0.0:7001"),
        ("", "chat.example", ""),
    ],
)
def test_reachable_when_the_host_is_any_then_the_one_that_was_asked(
    url: str, asked_host: str, expected: str
) -> None:
    assert reachable(url, asked_host) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("tinyqq://0.0.0.0:7001", False), ("ws://[::]:7080/ws", False), ("tinyqq://a:1", True)],
)
def test_names_a_host_when_every_network_then_not(url: str, expected: bool) -> None:
    assert names_a_host(url) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.example:7080", "http://a.example:7080"),
        ("https://A.example:443", "https://a.example"),
        ("http://a.example:80/", "http://a.example"),
        ("https://a.example:80", "https://a.example:80"),
        ("https://a.example", "https://a.example"),
        ("http://[2001:db8::1]", "http://[2001:db8::1]"),
        ("http://[2001:db8::1]:7080", "http://[2001:db8::1]:7080"),
        ("tinyqq://a.example:7001", ""),
        ("http://a.example:70800", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_origin_of_when_of_http_then_as_browsers_write_it(url: str, expected: str) -> None:
    assert origin_of(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [("http://a:1", "ws://a:1/ws"), ("https://a", "wss://a/ws"), ("", "")],
)
def test_websocket_url_when_http_then_beside_it(url: str, expected: str) -> None:
    assert websocket_url(url) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("a.example", "a.example:1"), ("10.0.0.1", "10.0.0.1:1"), ("::1", "[::1]:1")],
)
def test_authority_when_ipv6_then_in_brackets(host: str, expected: str) -> None:
    assert authority(host, 1) == expected


@pytest.mark.parametrize(("host", "expected"), [("0.0.0.0", True), ("::", True), ("::1", False)])
def test_is_everywhere_when_every_network_then_true(host: str, expected: bool) -> None:
    assert is_everywhere(host) is expected
