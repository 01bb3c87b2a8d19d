"""What every answer carries, and how errors are told: problem details (RFC 9457), no internals."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

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


def problem(status: int) -> web.Response:
    """An error as a client's program reads it."""
    title = HTTPStatus(status).phrase
    return web.json_response(
        {"type": "about:blank", "title": title, "status": status},
        status=status,
        content_type="application/problem+json",
    )


@web.middleware
async def tell_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Middleware: the supervised edge of HTTP. What nobody expected is logged here, once."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        answer = problem(error.status)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        logger.exception("http.failed", extra={"path": request.path})
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR)
