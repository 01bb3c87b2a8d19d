"""The door of the admin API."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.support.admin_api import ANN, DEEDS, PATHS, ROOT, People, add_site, open_desk

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.http.admin import MAX_PAGE, PREFIX, PageAsked


class Willing:
    """A desk that does whatever is asked."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[str]]:
        async def call(*_: object) -> str:
            return "done"

        return call


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_path_when_not_an_administrator_asks_then_refused(method: str, path: str) -> None:
    async with open_desk() as desk:
        status, told = await desk.ask(method, path, by=None)
        assert (status, told["code"]) == (401, ErrorCode.NOT_LOGGED_IN)
        status, told = await desk.ask(method, path, by=ANN)
        assert (status, told["code"]) == (403, ErrorCode.FORBIDDEN)
        for origin in ("http://evil.example", "http://["):
            status, told = await desk.ask(method, path, headers={"Origin": origin})
            assert (status, told["code"]) == (403, ErrorCode.FORBIDDEN)
            assert told["fields"] == {"reason": "origin"}


async def test_me_when_an_administrator_asks_then_told_who() -> None:
    async with open_desk() as desk:
        told = {"user_id": str(ROOT), "nickname": f"user {ROOT}"}
        assert await desk.ask("GET", "/me") == (200, told)
        assert (await desk.ask("GET", "/me", headers={"Origin": desk.url}))[0] == 200


async def test_door_when_the_flag_is_taken_away_then_shut_at_the_next_request() -> None:
    users = People()
    async with open_desk(users=users) as desk:
        assert (await desk.ask("GET", "/me"))[0] == 200
        users.admins.clear()
        assert (await desk.ask("GET", "/me"))[0] == 403


async def test_door_when_the_token_is_no_good_then_unauthenticated() -> None:
    async with open_desk() as desk:
        for headers in (
            {"Authorization": "Bearer nonsense"},
            {"Authorization": f"Basic {ROOT}"},
            {"Authorization": "Bearer"},
        ):
            assert (await desk.ask("GET", "/me", headers=headers))[0] == 401


async def test_door_when_the_password_must_be_changed_first_then_shut() -> None:
    users = People()
    users.must_change_password = True
    async with open_desk(users=users) as desk:
        status, told = await desk.ask("GET", "/me")
        assert (status, told["code"]) == (401, ErrorCode.PASSWORD_CHANGE_REQUIRED)


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "limit=0", f"limit={MAX_PAGE + 1}", "limit=1e9", "query=" + "x" * 65],
)
def test_page_when_it_makes_no_sense_then_refused(query: str) -> None:
    with pytest.raises(InvalidRequest):
        PageAsked.of(make_mocked_request("GET", f"/?{query}"))


def test_page_when_asked_for_then_as_asked() -> None:
    request = make_mocked_request("GET", "/?query=%20小明%20&after=7&limit=9")
    assert PageAsked.of(request) == PageAsked("小明", 7, 9)
    assert PageAsked.of(make_mocked_request("GET", "/")) == PageAsked("", 0, 20)


def test_paths_when_counted_then_none_is_missing_in_the_table() -> None:
    app = web.Application()
    add_site(app)
    there = {
        (route.method, example.format(unit="a", user_id=10_002, group_id=10_001))
        for route in app.router.routes()
        if (resource := route.resource) and route.method != "HEAD"
        for example in [resource.canonical.removeprefix(PREFIX)]
    }
    assert there == set(PATHS)
    assert {one for one in there if one[0] != "GET"} == set(DEEDS)


@pytest.mark.parametrize(("asked", "deed"), DEEDS.items())
async def test_deed_when_done_then_in_the_log_with_who_did_what_to_whom(
    asked: tuple[str, str], deed: str, caplog: pytest.LogCaptureFixture
) -> None:
    method, path = asked
    async with open_desk(accounts=Willing(), groups=Willing()) as desk:
        with caplog.at_level(logging.INFO, "tinyqq.http.admin"):
            await desk.ask(method, path, by=ANN)
            status, _ = await desk.ask(method, f"{path}?incarnation=a-1")
    assert status in {200, 204}
    said = [one for one in caplog.records if one.name == "tinyqq.http.admin"]
    refused, record = said
    assert refused.getMessage() == "admin.refused"
    noted = vars(record)
    assert (record.getMessage(), noted["deed"], noted["by"]) == ("admin.deed", deed, ROOT)
    whom = path.split("/")[2]
    assert whom in {str(noted.get(name)) for name in ("unit", "user_id", "group_id")}
