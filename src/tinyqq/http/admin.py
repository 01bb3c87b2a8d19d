"""``/v1/admin/``: the door of the admin API. Every request shows an access token of an account with
the admin flag, and is checked anew.

The token travels in ``Authorization: Bearer``; no cookie opens these paths, so no page of another
site can either.

============================================  =================================================
``GET /v1/admin/me``                          who asks
``GET …/live``, ``…/history``, ``…/nodes/``   the cluster: ``admin_cluster.py``, ``admin_live.py``
``…/users``, ``…/groups``                     ``admin_people.py``
============================================  =================================================
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest
from tinyqq.http.bearer import caller_of, in_time
from tinyqq.http.numbers import to_number
from tinyqq.http.problems import Handler
from tinyqq.model.account import GetProfile
from tinyqq.model.ids import UserId
from tinyqq.ports.media import Bearers
from tinyqq.ports.services import UserApi

logger = logging.getLogger(__name__)

PREFIX: Final = "/v1/admin"
MAX_PAGE: Final = 100
_MAX_QUERY_CHARS: Final = 64


@dataclass(frozen=True, slots=True)
class Admin:
    """Who was let in."""

    user_id: UserId
    nickname: str


AdminHandler = Callable[[web.Request, Admin], Awaitable[web.StreamResponse]]


class AdminDoor:
    """Lets administrators in, and nobody else.

    Args:
        bearers: say who holds a token.
        users: says whether that is an administrator.
    """

    def __init__(self, bearers: Bearers, users: UserApi) -> None:
        self._bearers = bearers
        self._users = users

    async def check(self, request: web.Request) -> Admin:
        """Who asks.

        Raises:
            Unauthenticated: there is no token, or it is good no more; PASSWORD_CHANGE_REQUIRED.
            Forbidden: it is not an administrator's, or a page of another site asks.
        """
        _check_origin(request)
        caller = await caller_of(request, self._bearers)
        own = GetProfile(caller.user_id)
        profile = await in_time(self._users.get_profile(caller, own))
        if not profile.is_admin:
            logger.warning("admin.refused", extra={"user_id": profile.user_id})
            raise Forbidden(ErrorCode.FORBIDDEN, reason="not an administrator")
        return Admin(profile.user_id, profile.nickname)


class AdminRouter:
    """Takes paths of the admin API; there is no way past the door.

    Args:
        router: gets the paths.
        door: asked before every handler.
    """

    def __init__(self, router: web.UrlDispatcher, door: AdminDoor) -> None:
        self._router = router
        self._door = door
        self.add("GET", "/me", answer_me)

    def add(self, method: str, path: str, handler: AdminHandler) -> None:
        """Answer a path below ``/v1/admin``."""
        self._router.add_route(method, f"{PREFIX}{path}", self._guarded(handler))

    def _guarded(self, handler: AdminHandler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            return await handler(request, await self._door.check(request))

        return guarded


async def answer_me(_: web.Request, admin: Admin) -> web.Response:
    """Who asks; a page finds out by it whether it may stay."""
    return web.json_response({"user_id": str(admin.user_id), "nickname": admin.nickname})


def note_deed(admin: Admin, deed: str, **target: str | int) -> None:
    """Write down who has changed what."""
    logger.info("admin.deed", extra={"deed": deed, "by": admin.user_id, **target})


def number_in(request: web.Request, name: str) -> int:
    """A number of the path.

    Raises:
        InvalidRequest: it is none.
    """
    return to_number(request.match_info[name], name)


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page of a table is wanted: of what has *query* in it, after a number."""

    query: str
    after: int
    limit: int

    @classmethod
    def of(cls, request: web.Request) -> PageAsked:
        """What the query of the address says.

        Raises:
            InvalidRequest: it makes no sense, or asks for too much.
        """
        query = request.query.get("query", "").strip()
        after = to_number(request.query.get("after", "0"), "after")
        limit = to_number(request.query.get("limit", "20"), "limit")
        if len(query) > _MAX_QUERY_CHARS:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="query")
        if not 0 < limit <= MAX_PAGE:
            raise InvalidRequest(ErrorCode.PAGE_TOO_LARGE, max_count=MAX_PAGE)
        return cls(query, after, limit)


def _check_origin(request: web.Request) -> None:
    """Browsers leave the origin out when a page asks its own site for something to read; whenever
    they say one, it must be this very host and port."""
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise Forbidden(ErrorCode.FORBIDDEN, reason="origin")
