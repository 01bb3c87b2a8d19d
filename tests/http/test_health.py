"""Lives, and is ready."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import make_mocked_request

from tinyqq.http import health
from tinyqq.http.health import Check, Readiness, answer_health

REQUEST = make_mocked_request("GET", "/")


async def passes() -> None:
    """A part that is ready."""


async def fails() -> None:
    raise ConnectionError("password=secret")


async def hangs() -> None:
    await asyncio.Event().wait()


async def ask(timeout_s: float = 2.0, **checks: Check) -> tuple[int, dict[str, object]]:
    answer = await Readiness(checks, is_draining=lambda: False, timeout_s=timeout_s).answer(REQUEST)
    assert answer.text is not None
    assert "secret" not in answer.text
    return answer.status, json.loads(answer.text)


async def test_health_when_asked_then_ok() -> None:
    assert (await answer_health(REQUEST)).status == 200


async def test_ready_when_all_pass_then_ready() -> None:
    assert await ask(storage=passes, lane=passes) == (
        200,
        {"ready": True, "checks": {"storage": "ok", "lane": "ok"}, "states": {"node": "ok"}},
    )


async def test_ready_when_a_state_is_bad_then_told_and_ready_all_the_same() -> None:
    states = {"registry": lambda: "suspended", "presence": lambda: "ok"}
    ready = Readiness({"storage": passes}, states=states, is_draining=lambda: False)
    answer = await ready.answer(REQUEST)
    assert answer.text is not None
    assert (answer.status, json.loads(answer.text)["states"]) == (
        200,
        {"registry": "suspended", "presence": "ok", "node": "ok"},
    )


async def test_ready_when_leaving_then_not_ready_and_said_why() -> None:
    answer = await Readiness({"storage": passes}, is_draining=lambda: True).answer(REQUEST)
    assert answer.text is not None
    document = json.loads(answer.text)
    assert (answer.status, document["ready"]) == (503, False)
    assert (document["checks"], document["states"]) == ({"storage": "ok"}, {"node": "draining"})


async def test_ready_when_one_fails_then_says_which_and_logs_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    status, document = await ask(storage=fails, lane=passes)
    assert (status, document["checks"]) == (503, {"storage": "failing", "lane": "ok"})
    assert len(caplog.records) == 1


async def test_ready_when_one_hangs_then_failing_within_the_deadline() -> None:
    assert (await ask(timeout_s=0.01, storage=hangs))[0] == 503


def test_timeout_when_not_given_then_shorter_than_what_probes_wait() -> None:
    assert health.CHECK_TIMEOUT_S <= 2.0
