"""Errors cross between nodes; what is not an answer becomes a failed node."""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from grpc.aio import Metadata

from tinyqq.errors import ErrorCode, Forbidden, TinyQQError, Unavailable, error_for
from tinyqq.rpc.status import STATUS_OF, NodeFailed, error_of, failed, status_of, translated


def bare(status: grpc.StatusCode, *metadata: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(status, Metadata(), Metadata(*metadata))


@pytest.mark.parametrize("code", ErrorCode)
def test_error_when_it_crosses_then_the_same_error(code: ErrorCode) -> None:
    error = error_for(code, retry_after_s=2.5, group_id=7)
    status, text, metadata = status_of(error)
    back = error_of(bare(status, *metadata))
    assert (type(back), back.code, back.retry_after_s) == (type(error), code, 2.5)
    assert (text, back.fields, status) == (code.name, {"group_id": "7"}, STATUS_OF[type(error)])


@pytest.mark.parametrize("status", grpc.StatusCode)
def test_status_when_grpc_made_it_then_the_node_failed(status: grpc.StatusCode) -> None:
    assert isinstance(error_of(bare(status)), NodeFailed)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, ErrorCode.TIMED_OUT),
        (grpc.StatusCode.UNAVAILABLE, ErrorCode.UNAVAILABLE),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ErrorCode.BUSY),
        (grpc.StatusCode.UNAUTHENTICATED, ErrorCode.INTERNAL),
    ],
)
def test_status_when_grpc_made_it_then_the_code_says_why(
    status: grpc.StatusCode, code: ErrorCode
) -> None:
    assert error_of(bare(status)).code is code


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (TimeoutError(), ErrorCode.TIMED_OUT),
        (asyncio.InvalidStateError(), ErrorCode.UNAVAILABLE),
        (grpc.aio.UsageError(), ErrorCode.UNAVAILABLE),
        (asyncio.CancelledError(), ErrorCode.UNAVAILABLE),
        (bare(grpc.StatusCode.UNKNOWN), ErrorCode.INTERNAL),
    ],
)
async def test_translated_when_grpc_raises_then_a_failed_node(
    raised: BaseException, code: ErrorCode
) -> None:
    with pytest.raises(NodeFailed) as caught, translated():
        raise raised
    assert caught.value.code is code


async def test_translated_when_the_task_is_cancelled_then_it_passes() -> None:
    async def wait() -> None:
        with translated():
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await wait()


async def test_translated_when_the_error_is_ours_then_it_passes() -> None:
    with pytest.raises(Forbidden), translated():
        raise Forbidden(ErrorCode.BLOCKED)


def test_failed_when_made_then_it_may_be_tried_again() -> None:
    error: TinyQQError = failed(unit_id="u")
    assert isinstance(error, Unavailable)
    assert error.retry_after_s > 0
