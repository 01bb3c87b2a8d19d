"""The access token of a request."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp.test_utils import make_mocked_request
from tests.support.media import caller
from tests.support.worlds import code_of

from tinyqq.errors import ErrorCode
from tinyqq.http.bearer import caller_of, in_time
from tinyqq.model.account import Caller


class Anybody:
    """Lets everybody in, and remembers by which token."""

    def __init__(self) -> None:
        self.tokens: list[str] = []

    async def caller_of(self, token: str) -> Caller:
        self.tokens.append(token)
        return caller()


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "Bearer   a.b.c "])
async def test_caller_when_there_is_a_token_then_whose_it_is(header: str) -> None:
    bearers = Anybody()
    request = make_mocked_request("GET", "/", headers={"Authorization": header})
    assert await caller_of(request, bearers) == caller()
    assert bearers.tokens == ["a.b.c"]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer "}, {"Authorization": "Basic x"}, {"Cookie": "a=b"}]
)
async def test_caller_when_there_is_none_then_not_logged_in(headers: dict[str, str]) -> None:
    request = make_mocked_request("GET", "/", headers=headers)
    assert await code_of(caller_of(request, Anybody())) is ErrorCode.NOT_LOGGED_IN


async def test_call_when_it_takes_too_long_then_timed_out() -> None:
    assert await code_of(in_time(asyncio.Event().wait(), 0.01)) is ErrorCode.TIMED_OUT
