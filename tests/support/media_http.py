"""The HTTP port's files on a real database and folder; a token is the user's number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from tests.support.logs import ANN
from tests.support.media import MediaWorld, caller, media_world

from tinyqq.errors import ErrorCode, Unauthenticated
from tinyqq.http.media import Media
from tinyqq.http.media_files import MediaFiles
from tinyqq.http.media_uploads import MediaUploads
from tinyqq.http.problems import add_security_headers, tell_problems
from tinyqq.model.account import Caller
from tinyqq.model.ids import UserId

Http = TestClient[web.Request, web.Application]


class Numbers:
    """Implements ``ports.media.Bearers``."""

    async def caller_of(self, token: str) -> Caller:
        """Whose number it is."""
        if not token.isdigit():
            raise Unauthenticated(ErrorCode.TOKEN_INVALID)
        return caller(UserId(int(token)))


def as_user(user_id: int = ANN, **headers: str) -> dict[str, str]:
    """Headers of a request."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Authorization": f"Bearer {user_id}", **more}


class HttpWorld:
    """A client, and what lies behind the server."""

    def __init__(self, http: Http, media: MediaWorld) -> None:
        self.http = http
        self.media = media

    async def get(
        self, path: str, user_id: int = ANN, **headers: str
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """An answer, with its body."""
        async with self.http.get(path, headers=as_user(user_id, **headers)) as answer:
            return answer, await answer.read()


@asynccontextmanager
async def http_world(folder: Path, *, max_running: int = 9) -> AsyncIterator[HttpWorld]:
    """One that is empty."""
    async with media_world(folder) as world:
        app = web.Application(middlewares=[tell_problems])
        app.on_response_prepare.append(add_security_headers)
        MediaUploads(world.service, Numbers(), max_running=max_running).add_to(app.router)
        MediaFiles(world.service, Numbers()).add_to(app.router)
        Media(world.service, Numbers(), max_running=max_running).add_to(app.router)
        async with TestClient(TestServer(app)) as http:
            yield HttpWorld(http, world)
