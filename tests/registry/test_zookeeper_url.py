"""Addresses of ZooKeeper."""

from __future__ import annotations

import pytest

from tinyqq.errors import InvalidRequest
from tinyqq.registry.zookeeper_url import ZookeeperAddress, parse_zookeeper_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("zookeeper://a", ZookeeperAddress("a:2181")),
        ("zookeeper://a,b:1,[::1]:2", ZookeeperAddress("a:2181,b:1,[::1]:2")),
        ("zookeeper://a/im/one/", ZookeeperAddress("a:2181", "/im/one")),
        ("zookeeper://me:p%40ss@a", ZookeeperAddress("a:2181", digest="me:p@ss")),
    ],
)
def test_url_when_right_then_the_address(url: str, address: ZookeeperAddress) -> None:
    assert parse_zookeeper_url(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "memory",
        "http://a",
        "zookeeper://",
        "zookeeper://a:x",
        "zookeeper://a,",
        "zookeeper://a?b=1",
    ],
)
def test_url_when_wrong_then_an_error_without_its_text(url: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_zookeeper_url(url.replace("//", "//me:secret@"))
    assert "secret" not in str(caught.value)


def test_url_when_a_user_has_no_password_then_an_error() -> None:
    with pytest.raises(InvalidRequest):
        parse_zookeeper_url("zookeeper://me@a")
