"""Whose word about the client's address is believed."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from tinyqq.http.proxies import trust_proxies

TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


async def seen(remote: str, *lines: str, **headers: str) -> tuple[str, str]:
    """The address and the scheme that a handler sees; *lines*: more of X-Forwarded-For."""
    seen: list[tuple[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.remote or "", request.scheme))
        return web.Response()

    named = {f"X-Forwarded-{name.capitalize()}": value for name, value in headers.items()}
    all_lines = CIMultiDict(named)
    for line in lines:
        all_lines.add("X-Forwarded-For", line)
    request = make_mocked_request("GET", "/", headers=all_lines).clone(remote=remote)
    await trust_proxies(TRUSTED)(request, handler)
    [only] = seen
    return only


@pytest.mark.parametrize(
    ("remote", "chain", "client"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("192.0.2.99", "198.51.100.9", "192.0.2.99"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, unknown", "10.0.0.1"),
        ("", "192.0.2.7", ""),
    ],
)
async def test_remote_when_there_is_a_chain_then_the_last_that_is_not_ours(
    remote: str, chain: str, client: str
) -> None:
    assert (await seen(remote, **{"for": chain}))[0] == client


async def test_remote_when_a_proxy_adds_a_line_then_not_the_clients_own_before_it() -> None:
    assert (await seen("10.0.0.1", "198.51.100.9", "192.0.2.7"))[0] == "192.0.2.7"


@pytest.mark.parametrize(
    ("remote", "proto", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "gopher", "http"),
        ("192.0.2.99", "https", "http"),
    ],
)
async def test_scheme_when_a_proxy_says_it_then_believed_if_it_is_ours(
    remote: str, proto: str, scheme: str
) -> None:
    assert (await seen(remote, proto=proto))[1] == scheme
