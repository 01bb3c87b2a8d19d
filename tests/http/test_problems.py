"""What errors look like from outside."""

from __future__ import annotations

import json

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tinyqq.errors import ErrorCode, RateLimited, error_for
from tinyqq.http.problems import SECURITY_HEADERS, add_security_headers, problem, tell_problems

REQUEST = make_mocked_request("GET", "/")


async def told(error: Exception) -> web.StreamResponse:
    async def handler(_: web.Request) -> web.StreamResponse:
        raise error

    return await tell_problems(REQUEST, handler)


def test_problem_when_made_then_as_the_rfc_has_it() -> None:
    answer = problem(404)
    assert answer.content_type == "application/problem+json"
    assert answer.text is not None
    assert json.loads(answer.text) == {"type": "about:blank", "title": "Not Found", "status": 404}


async def test_tell_when_a_handler_refuses_then_a_problem() -> None:
    assert (await told(web.HTTPForbidden(text="internals"))).status == 403


async def test_tell_when_a_service_refuses_then_the_code_and_its_facts() -> None:
    answer = await told(RateLimited(ErrorCode.TOO_MANY_LOG_INS, retry_after_s=1.5, user_id=7))
    assert isinstance(answer, web.Response)
    assert answer.text is not None
    data = json.loads(answer.text)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "2")
    assert (data["code"], data["name"]) == (6001, "TOO_MANY_LOG_INS")
    assert (data["retry_after_ms"], data["fields"]) == (1500, {"user_id": "7"})


@pytest.mark.parametrize("code", ErrorCode)
async def test_tell_when_a_service_refuses_then_every_code_has_a_status(code: ErrorCode) -> None:
    assert (await told(error_for(code))).status >= 400


async def test_tell_when_a_handler_breaks_then_no_internals_and_one_log_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await told(ZeroDivisionError("secret"))
    assert isinstance(answer, web.Response)
    assert answer.status == 500
    assert "secret" not in str(answer.text)
    assert len(caplog.records) == 1


async def test_tell_when_a_handler_redirects_then_let_through() -> None:
    with pytest.raises(web.HTTPFound):
        await told(web.HTTPFound("/"))


async def test_headers_when_an_answer_has_its_own_then_kept() -> None:
    answer = web.Response(headers={"Content-Security-Policy": "mine", "Server": "other"})
    await add_security_headers(REQUEST, answer)
    assert answer.headers["Content-Security-Policy"] == "mine"
    assert answer.headers["Server"] == "tinyqq"
    assert SECURITY_HEADERS.keys() <= answer.headers.keys()
