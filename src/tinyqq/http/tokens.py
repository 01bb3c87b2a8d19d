"""``POST /v1/token``: an access token for a program that keeps a refresh token (or is a bot).

Pages have a cookie instead (``sessions.py``). Nothing here depends on a cookie, so it does not
matter which page made a browser ask.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.http.bearer import in_time
from tinyqq.model.account import Resume
from tinyqq.model.ids import DeviceId, SessionId
from tinyqq.ports.services import UserApi

PATH: Final = "/v1/token"
_NO_SESSION: Final = SessionId(0)


class _Body(BaseModel):
    """What a program sends; the device id in hexadecimal digits."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refresh_token: str = Field(min_length=1, max_length=1024)
    device_id: str = Field(pattern=r"^[0-9a-f]{32}$")


class TokenDesk:
    """Answers it.

    Args:
        users: checks the token.
    """

    def __init__(self, users: UserApi) -> None:
        self._users = users

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Take the path."""
        router.add_post(PATH, self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """A new access token."""
        try:
            body = _Body.model_validate_json(await request.read())
        except ValidationError as exc:
            raise InvalidRequest(ErrorCode.INVALID_REQUEST) from exc
        resume = Resume(body.refresh_token, DeviceId(bytes.fromhex(body.device_id)))
        address = request.remote or ""
        login = await in_time(self._users.resume(resume, address=address, session_id=_NO_SESSION))
        return web.json_response(
            {
                "user_id": str(login.answer.user_id),
                "access_token": login.answer.access_token,
                "access_expires_at_ms": login.answer.access_expires_at_ms,
            }
        )
