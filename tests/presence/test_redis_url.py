"""Addresses of Redis."""

from __future__ import annotations

import pytest

from tinyqq.errors import InvalidRequest
from tinyqq.presence.redis_url import RedisAddress, RedisKind, parse_redis_url

A, B = ("a", 6379), ("b", 7000)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://a", RedisAddress(RedisKind.SINGLE, (A,))),
        ("redis://b:7000/3", RedisAddress(RedisKind.SINGLE, (B,), database=3)),
        ("redis://[::1]:7000", RedisAddress(RedisKind.SINGLE, (("::1", 7000),))),
        ("redis://:p%40ss@a", RedisAddress(RedisKind.SINGLE, (A,), password="p@ss")),
        ("redis://me:pw@a", RedisAddress(RedisKind.SINGLE, (A,), user="me", password="pw")),
        ("rediss://a", RedisAddress(RedisKind.SINGLE, (A,), is_tls=True)),
        ("redis://a?prefix=two", RedisAddress(RedisKind.SINGLE, (A,), prefix="two")),
        (
            "redis+sentinel://a,b:7000/im/2",
            RedisAddress(RedisKind.SENTINEL, (("a", 26_379), B), master="im", database=2),
        ),
        (
            "rediss+sentinel://:pw@a:1/im",
            RedisAddress(RedisKind.SENTINEL, (("a", 1),), "im", password="pw", is_tls=True),
        ),
        ("redis+cluster://a,b:7000", RedisAddress(RedisKind.CLUSTER, (A, B))),
    ],
)
def test_url_when_right_then_the_address(url: str, address: RedisAddress) -> None:
    assert parse_redis_url(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "memory",
        "http://a",
        "redis://",
        "redis://a:port",
        "redis://a,b",
        "redis://a/name",
        "redis+sentinel://a",
        "redis+sentinel://a/im/x",
        "redis+cluster://a,",
        "redis+cluster://a/1",
        "redis://a?prefix={}",
        "redis://a?db=1",
        "redis://a?prefix",
        "redis://a#x",
    ],
)
def test_url_when_wrong_then_an_error_without_its_text(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_redis_url(url.replace("//", "//:secret@"))
    assert "secret" not in str(caught.value)
