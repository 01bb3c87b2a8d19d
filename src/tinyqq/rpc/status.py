"""Between our errors and the statuses of gRPC: one table, both ways.

A refusal travels as the status of its class with the body of an Error packet in the trailing
metadata. A status without that body was made by gRPC itself: the node did not answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc
import grpc.aio

from tinyqq.errors import (
    Conflict,
    ErrorCode,
    Forbidden,
    InvalidRequest,
    NotFound,
    ProtocolError,
    RateLimited,
    TinyQQError,
    Unauthenticated,
    Unavailable,
    error_class,
)
from tinyqq.wire.packets import decode_error, encode_error

DETAILS: Final = "tinyqq-error-bin"
_RETRY_AFTER_S: Final = 0.5

STATUS_OF: Final[dict[type[TinyQQError], grpc.StatusCode]] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Forbidden: grpc.StatusCode.PERMISSION_DENIED,
    NotFound: grpc.StatusCode.NOT_FOUND,
    Conflict: grpc.StatusCode.FAILED_PRECONDITION,
    RateLimited: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    ProtocolError: grpc.StatusCode.ABORTED,
}

_CODE_OF_BARE: Final[dict[grpc.StatusCode, ErrorCode]] = {
    grpc.StatusCode.UNAVAILABLE: ErrorCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED: ErrorCode.UNAVAILABLE,
    grpc.StatusCode.OK: ErrorCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ErrorCode.TIMED_OUT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ErrorCode.BUSY,
}
"""Everything else is a fault of ours, the wrong secret too: INTERNAL."""


class NodeFailed(Unavailable):
    """The node did not answer at all; another one may. What was asked may have been done."""


def failed(code: ErrorCode = ErrorCode.UNAVAILABLE, **fields: str | int | float) -> NodeFailed:
    """The error for a node that did not answer."""
    return NodeFailed(code, retry_after_s=_RETRY_AFTER_S, **fields)


def status_of(error: TinyQQError) -> tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]:
    """Status, text and trailing metadata of a refusal."""
    status = STATUS_OF[error_class(error.code)]
    return status, error.code.name, ((DETAILS, encode_error(error)),)


def error_of(exc: grpc.aio.AioRpcError) -> TinyQQError:
    """The refusal that a node answered with, or :class:`NodeFailed`."""
    details: Any = exc.trailing_metadata().get(DETAILS)
    if isinstance(details, bytes):
        return decode_error(details)
    code = _CODE_OF_BARE.get(exc.code(), ErrorCode.INTERNAL)
    return failed(code, status=exc.code().name)


@contextmanager
def translated() -> Iterator[None]:
    """Round a use of gRPC: whatever goes wrong in it leaves as an error of ours.

    Closing a channel or call lets gRPC raise CancelledError in whoever uses it, though nobody has
    cancelled the task: that is a failed node as well. The task's own cancellation passes.

    Raises:
        TinyQQError: what the node answered; NodeFailed: it did not.
    """
    try:
        yield
    except grpc.aio.AioRpcError as exc:
        raise error_of(exc) from exc
    except TimeoutError as exc:
        raise failed(ErrorCode.TIMED_OUT) from exc
    except (grpc.aio.UsageError, grpc.aio.BaseError, asyncio.InvalidStateError) as exc:
        raise failed(reason=type(exc).__name__) from exc
    except asyncio.CancelledError as exc:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise failed(reason="closed") from exc
