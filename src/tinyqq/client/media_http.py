"""HTTP to a server for files: whom to ask, as whom, and what its answers mean."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from tinyqq.client.addresses import Directory
from tinyqq.client.trust import Trust
from tinyqq.clock import Clock
from tinyqq.errors import (
    ErrorCode,
    TinyQQError,
    Unauthenticated,
    Unavailable,
    error_for,
)
from tinyqq.model.ids import DeviceId

_SILENCE_S: Final = 60.0
_CONNECT_S: Final = 10.0
_EARLY_MS: Final = 30_000
"""An access token is not used in the last moments of its life."""
_TOKEN_PATH: Final = "/v1/token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What proves who one is: the lasting token, and the device that it was given to."""

    refresh_token: str
    device_id: DeviceId


class MediaHttp:
    """Asks, with an access token that it gets when it needs one.

    Args:
        place: where HTTP is answered; asked each time, units come and go.
        credentials: of who is logged in; raises when nobody is.
    """

    def __init__(
        self,
        *,
        place: Callable[[], Directory],
        credentials: Callable[[], Credentials],
        trust: Trust,
        clock: Clock,
    ) -> None:
        self._place = place
        self._credentials = credentials
        self._trust = trust
        self._clock = clock
        self._token = ""
        self._token_of: Credentials | None = None
        self._ends_at_ms = 0

    @contextlib.asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        *,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to a request, good for the length of the block.

        Raises:
            TinyQQError: what the server answered; Unavailable CONNECTION_LOST when it did not, or
                stopped in the middle.
        """
        with _translating(), self._renewing():
            async with self._session() as http:
                given = {**(headers or {}), "Authorization": f"Bearer {await self._access(http)}"}
                async with http.request(method, path, data=data, headers=given) as answer:
                    if answer.status >= HTTPStatus.BAD_REQUEST:
                        raise await _error_of(answer)
                    yield answer

    async def _access(self, http: aiohttp.ClientSession) -> str:
        credentials = self._credentials()
        now_ms = self._clock.now_ms()
        if credentials != self._token_of or now_ms >= self._ends_at_ms - _EARLY_MS:
            wish = {
                "refresh_token": credentials.refresh_token,
                "device_id": credentials.device_id.hex(),
            }
            async with http.post(_TOKEN_PATH, json=wish) as answer:
                if answer.status >= HTTPStatus.BAD_REQUEST:
                    raise await _error_of(answer)
                told = await answer.json()
            self._token = str(told["access_token"])
            self._ends_at_ms = int(told["access_expires_at_ms"])
            self._token_of = credentials
        return self._token

    @contextlib.contextmanager
    def _renewing(self) -> Iterator[None]:
        """Whatever the reason why a token is refused: the next request gets another."""
        try:
            yield
        except Unauthenticated:
            self._token_of = None
            raise

    def _session(self) -> aiohttp.ClientSession:
        place = self._place()
        tls = self._trust.for_http() if place.tls else True
        return aiohttp.ClientSession(
            str(place),
            connector=aiohttp.TCPConnector(ssl=tls),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S
            ),
        )


async def _error_of(answer: aiohttp.ClientResponse) -> TinyQQError:
    try:
        told = await answer.json(content_type=None)
        fields = {str(name): str(value) for name, value in told.get("fields", {}).items()}
        return error_for(
            int(told["code"]), retry_after_s=float(told["retry_after_ms"]) / 1000, **fields
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        code = (
            ErrorCode.NOT_FOUND
            if answer.status == HTTPStatus.NOT_FOUND
            else ErrorCode.UNAVAILABLE
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            else ErrorCode.INVALID_REQUEST
        )
        return error_for(code, status=answer.status)


@contextlib.contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except (TimeoutError, aiohttp.ClientError) as exc:
        reason = str(exc) or type(exc).__name__
        raise Unavailable(ErrorCode.CONNECTION_LOST, reason=reason) from exc
    except (ValueError, KeyError) as exc:  # an answer that is not ours
        raise Unavailable(ErrorCode.CONNECTION_LOST, reason="not a TinyQQ server") from exc
