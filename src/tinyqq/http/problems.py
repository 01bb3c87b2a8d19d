"""What every answer carries, and how errors are told: problem details (RFC 9457), no internals."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from tinyqq.errors import (
    Conflict,
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

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Server": "tinyqq",
}
"""Set unless the answer has its own."""


async def add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Signal ``on_response_prepare``: whatever the answer is."""
    for name, value in SECURITY_HEADERS.items():
        if name == "Server":
            response.headers[name] = value
        else:
            response.headers.setdefault(name, value)


_STATUS: Final = {
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ProtocolError: HTTPStatus.BAD_REQUEST,
}


def problem(status: int, **more: Any) -> web.Response:
    """An error as a client's program reads it; ``more``: what else it says."""
    title = HTTPStatus(status).phrase
    return web.json_response(
        {"type": "about:blank", "title": title, "status": status, **more},
        status=status,
        content_type="application/problem+json",
    )


def refusal(error: TinyQQError) -> web.Response:
    """An error of ours: the same facts that an ERROR packet has."""
    answer = problem(
        _STATUS[error_class(error.code)],
        code=error.code,
        name=error.code.name,
        retry_after_ms=round(error.retry_after_s * 1000),
        fields={name: str(value) for name, value in error.fields.items()},
    )
    if error.retry_after_s > 0:
        answer.headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    return answer


@web.middleware
async def tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: the supervised edge of HTTP. What nobody expected is logged here, once."""
    if not _has_address(request):
        return problem(HTTPStatus.BAD_REQUEST)
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        answer = problem(error.status)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except TinyQQError as error:
        return refusal(error)
    except (ConnectionResetError, web.RequestPayloadError) as error:
        # The client has gone, or has sent another body than it announced.
        logger.debug("http.cut", extra={"path": request.path, "reason": repr(error)})
        return problem(HTTPStatus.BAD_REQUEST)
    except Exception:
        logger.exception("http.failed", extra={"path": request.path})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR)


def _has_address(request: web.Request) -> bool:
    """Whether a client that writes its headers as it likes has named a host that could be one."""
    try:
        return bool(request.url)
    except ValueError:
        return False
