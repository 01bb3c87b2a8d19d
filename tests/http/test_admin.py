"""The door of the admin API."""

from __future__ import annotations

import logging

import pytest
from aiohttp.test_utils import make_mocked_request
from tests.support.admin_api import ANN, ROOT, People, open_desk

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.http.admin import MAX_PAGE, Admin, PageAsked, note_deed

PATHS = [
    ("GET", "/me"),
    ("GET", "/live"),
    ("GET", "/history"),
    ("POST", "/nodes/a/drain"),
    ("GET", "/users"),
    ("GET", "/users/10002/devices"),
    ("POST", "/users/10002/disable"),
    ("POST", "/users/10002/enable"),
    ("POST", "/users/10002/password"),
    ("POST", "/users/10002/log-out"),
    ("GET", "/groups"),
    ("GET", "/groups/10001/members"),
    ("POST", "/groups/10001/dismiss"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_path_when_not_an_administrator_asks_then_refused(method: str, path: str) -> None:
    async with open_desk() as desk:
        status, told = await desk.ask(method, path, by=None)
        assert (status, told["code"]) == (401, ErrorCode.NOT_LOGGED_IN)
        status, told = await desk.ask(method, path, by=ANN)
        assert (status, told["code"]) == (403, ErrorCode.FORBIDDEN)
        status, told = await desk.ask(method, path, headers={"Origin": "http://evil.example"})
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


def test_deed_when_done_then_in_the_log_with_who_did_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        note_deed(Admin(ROOT, "root"), "disable", user_id=7)
    [record] = caplog.records
    assert (record.deed, record.by, record.user_id) == ("disable", ROOT, 7)  # type: ignore[attr-defined]  # extra fields
