"""``/v1/session``: logging in and out from a page, with the refresh token where no script reads it.

A page logs in here and not over its WebSocket: the refresh token becomes a cookie that only these
paths get back, and the page holds nothing but the short-lived access token, by which it resumes on
the WebSocket of any unit.

==============================  ==============================================================
``POST /v1/session``            log in by number and password
``POST /v1/session/resume``     by the cookie: a new access token
``DELETE /v1/session``          forget the device, and the cookie
==============================  ==============================================================

Browsers send cookies whoever made the page, so only requests with the own origin are served.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest, Unauthenticated
from tinyqq.http.bearer import in_time
from tinyqq.model.account import DeviceKind, LogIn, LogOut, Resume
from tinyqq.model.ids import DeviceId, SessionId, UserId
from tinyqq.ports.services import Login, UserApi

PATH: Final = "/v1/session"
COOKIE_LIFETIME_S: Final = 90 * 24 * 3600
"""Not shorter than the token's own; each log-in by cookie starts it anew."""
_NO_SESSION: Final = SessionId(0)
"""Nothing is pushed to a page here, so there is no session of the gateway yet."""
_DEVICE_BYTES: Final = 16


class _LogInBody(BaseModel):
    """What a page sends; the number is text, as all ids are in JavaScript."""

    model_config = ConfigDict(extra="forbid", strict=True)

    user_id: str = Field(pattern=r"^[0-9]{1,18}$")
    password: str = Field(max_length=1024)
    device_name: str = Field(default="", max_length=256)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the cookie holds."""

    device_id: DeviceId
    token: str = ""

    @classmethod
    def of(cls, request: web.Request) -> _Kept:
        """The cookie of the request; a new device if there is none that can be read."""
        device, _, token = request.cookies.get(_cookie_name(request), "").partition(".")
        try:
            device_id = bytes.fromhex(device)
        except ValueError:
            device_id = b""
        if len(device_id) != _DEVICE_BYTES or not token.isascii():
            return cls(DeviceId(os.urandom(_DEVICE_BYTES)))
        return cls(DeviceId(device_id), token)

    def put(self, request: web.Request, response: web.Response) -> None:
        """Leave it with the browser."""
        response.set_cookie(
            _cookie_name(request),
            f"{self.device_id.hex()}.{self.token}",
            max_age=COOKIE_LIFETIME_S,
            path=PATH,
            secure=request.secure,
            httponly=True,
            samesite="Strict",
        )


class WebSessions:
    """Answers the three.

    Args:
        users: checks who it is.
    """

    def __init__(self, users: UserApi) -> None:
        self._users = users

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the paths."""
        router.add_post(PATH, self.log_in)
        router.add_post(f"{PATH}/resume", self.resume)
        router.add_delete(PATH, self.log_out)

    async def log_in(self, request: web.Request) -> web.Response:
        """By number and password; a device that was here before stays the same device."""
        check_own_origin(request)
        body = await _body(request)
        kept = _Kept.of(request)
        login = await in_time(
            self._users.log_in(
                LogIn(
                    UserId(int(body.user_id)),
                    body.password,
                    kept.device_id,
                    DeviceKind.WEB,
                    body.device_name,
                ),
                address=request.remote or "",
                session_id=_NO_SESSION,
                language=_language(request),
            )
        )
        response = _answer(login, kept)
        _Kept(kept.device_id, login.answer.refresh_token).put(request, response)
        return response

    async def resume(self, request: web.Request) -> web.Response:
        """By the cookie."""
        check_own_origin(request)
        kept = _Kept.of(request)
        login = await self._resume(request, kept)
        response = _answer(login, kept)
        kept.put(request, response)
        return response

    async def log_out(self, request: web.Request) -> web.Response:
        """Forget the device; a cookie that is good for nothing is forgotten too."""
        check_own_origin(request)
        kept = _Kept.of(request)
        try:
            login = await self._resume(request, kept)
            await in_time(self._users.log_out(login.caller, LogOut()))
        except Unauthenticated:
            pass  # it is logged out already
        response = web.Response(status=HTTPStatus.NO_CONTENT)
        response.del_cookie(
            _cookie_name(request),
            path=PATH,
            secure=request.secure,
            httponly=True,
            samesite="Strict",
        )
        return response

    async def _resume(self, request: web.Request, kept: _Kept) -> Login:
        if not kept.token:
            raise Unauthenticated(ErrorCode.NOT_LOGGED_IN)
        return await in_time(
            self._users.resume(
                Resume(kept.token, kept.device_id),
                address=request.remote or "",
                session_id=_NO_SESSION,
                language=_language(request),
            )
        )


def check_own_origin(request: web.Request) -> None:
    """Refuse what a page of another site makes a browser send.

    Raises:
        Forbidden: the request does not say that a page of this very host and port sent it.
    """
    origin = request.headers.get("Origin", "")
    if not origin or origin.partition("://")[2] != request.host:
        raise Forbidden(ErrorCode.FORBIDDEN, reason="origin")


def _answer(login: Login, kept: _Kept) -> web.Response:
    answer = login.answer
    return web.json_response(
        {
            "user_id": str(answer.user_id),
            "nickname": answer.nickname,
            "must_change_password": answer.must_change_password,
            "access_token": answer.access_token,
            "access_expires_at_ms": answer.access_expires_at_ms,
            "device_id": kept.device_id.hex(),
        }
    )


async def _body(request: web.Request) -> _LogInBody:
    # Forms of other sites cannot send this type without asking first.
    if request.content_type != "application/json":
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field="Content-Type")
    try:
        return _LogInBody.model_validate_json(await request.read())
    except ValidationError as exc:
        field = ".".join(str(part) for part in exc.errors()[0]["loc"])
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field=field) from exc


def _cookie_name(request: web.Request) -> str:
    """Cookies do not know ports: servers side by side on one machine must not share one."""
    return f"tinyqq-{request.url.port}"


def _language(request: web.Request) -> str:
    """The first that the browser names."""
    return request.headers.get("Accept-Language", "").partition(",")[0].partition(";")[0].strip()
