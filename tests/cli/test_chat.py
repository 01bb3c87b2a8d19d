"""Coming in by the chat client: registering, logging in, by the store, and what can go wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.chat import Person, furnish
from tests.support.entries import ANN, ANN_BOB, BOB, text
from tests.support.fake_server import FakeServer, fake_server

from tinyqq.cli.chat import Dialogue, store_path
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.client import Trust
from tinyqq.errors import ErrorCode, Forbidden, InvalidRequest
from tinyqq.model.account import LoggedIn, Registered
from tinyqq.model.connection import Done
from tinyqq.model.ids import SessionId, UserId
from tinyqq.wire.packets import PacketType


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    async with fake_server() as made:
        furnish(made)
        yield made


@pytest.fixture
def come_in(server: FakeServer, tmp_path: Path) -> Any:
    async def run(
        *lines: str | None, user: int = 0, password: str = "", url: str = ""
    ) -> tuple[bool, Person]:
        person = Person()
        for line in lines:
            person.type(line)
        dialogue = Dialogue(
            url=url or server.url,
            folder=tmp_path,
            trust=Trust(),
            say=ChatTexts("en"),
            password=password,
        )
        return await dialogue.run(person, user), person

    return run


async def test_chat_when_new_here_then_registered_and_logged_in(
    server: FakeServer, come_in: Any
) -> None:
    done, person = await come_in("", "Ann", "password", "password", "/quit")
    assert done
    assert person.shown[:2] == [
        "Your number is 10001. Recovery code, shown this once: CODE",
        "Hello 小安 (10001). /help shows the commands.",
    ]
    assert len(server.asked(PacketType.LOG_IN)) == 1


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
async def test_chat_when_the_address_is_none_then_told_before_anything_is_asked(
    come_in: Any, url: str
) -> None:
    done, person = await come_in(url=url)
    assert not done
    assert [line.partition(" ")[0] for line in person.shown] == [f"{url}:"]


async def test_chat_when_passwords_differ_then_asked_again(come_in: Any) -> None:
    lines = ("", "Ann", "password", "passwort", "password", "password", "/quit")
    done, person = await come_in(*lines)
    assert done
    assert "These are not the same." in person.shown


@pytest.mark.parametrize(
    "lines", [("", ""), ("", "Ann", ""), ("", "Ann", *["a", "b"] * 3), (None,)]
)
async def test_chat_when_somebody_gives_up_then_nothing_was_made(
    server: FakeServer, come_in: Any, lines: tuple[str | None, ...]
) -> None:
    done, _ = await come_in(*lines)
    assert not done
    assert server.asked(PacketType.REGISTER) == []


async def test_chat_when_an_invite_code_is_needed_then_asked_for(
    server: FakeServer, come_in: Any
) -> None:
    def register(link: Any, request: Any) -> Registered:
        if request.invite_code != "sesame":
            raise InvalidRequest(ErrorCode.BAD_INVITE_CODE)
        return Registered(ANN, "CODE")

    server.handlers[PacketType.REGISTER] = register
    done, _ = await come_in("", "Ann", "sesame", "Ann", "/quit", password="password")
    assert done


async def test_chat_when_registration_is_closed_then_told_and_given_up(
    server: FakeServer, come_in: Any
) -> None:
    def register(link: Any, request: Any) -> Registered:
        raise Forbidden(ErrorCode.REGISTRATION_CLOSED)

    server.handlers[PacketType.REGISTER] = register
    done, person = await come_in("", "Ann", "Ann", "Ann", password="password")
    assert not done
    assert person.shown == ["No accounts are made here."] * 3


async def test_chat_when_number_and_password_then_logged_in(come_in: Any) -> None:
    done, person = await come_in("10001", "password", "/quit")
    assert done
    assert person.prompts[:2] == ["Your number (empty: make an account): ", "Password: "]


async def test_chat_when_the_password_is_wrong_then_three_tries(come_in: Any) -> None:
    done, person = await come_in("one", "two", "three", user=ANN)
    assert not done
    assert person.shown == ["Wrong number or password."] * 3


@pytest.mark.parametrize(("password", "expected"), [("password", True), ("wrong", False)])
async def test_chat_when_the_password_is_given_then_not_asked_for(
    come_in: Any, password: str, expected: bool
) -> None:
    done, person = await come_in("/quit", user=ANN, password=password)
    assert done is expected
    assert "Password: " not in person.prompts


async def test_chat_when_no_password_is_typed_then_given_up(come_in: Any) -> None:
    assert not (await come_in("", user=ANN))[0]


async def test_chat_when_here_before_then_no_password_and_what_was_missed(
    server: FakeServer, come_in: Any
) -> None:
    await come_in("/quit", user=ANN, password="password")
    server.post(ANN_BOB, BOB, text(1, "while you were away").body)
    done, person = await come_in("/quit", user=ANN)
    assert done
    assert person.shown[-1].endswith("小波(10002): while you were away")
    assert len(server.asked(PacketType.LOG_IN)) == 1
    _, again = await come_in("/quit", user=ANN)
    assert not any("while you were away" in line for line in again.shown)


@pytest.mark.parametrize("number", ["9999", "x", str(2**31)])
async def test_chat_when_it_is_no_number_then_asked_again(come_in: Any, number: str) -> None:
    done, person = await come_in(number, number, number)
    assert not done
    assert person.shown == [f"{number} is not a number."] * 3


async def test_chat_when_the_server_is_not_there_then_told(come_in: Any) -> None:
    url = "tinyqq://127.0.0.1:1"
    done, person = await come_in(user=ANN, password="password", url=url)
    assert not done
    assert person.shown == [f"{url}: The server cannot be reached."]


async def test_chat_when_the_password_must_be_changed_then_asked_for_a_new_one(
    server: FakeServer, come_in: Any
) -> None:
    def log_in(link: Any, request: Any) -> LoggedIn:
        return LoggedIn(ANN, "access", 0, "token-10001", "Ann", True, SessionId(1))

    server.handlers[PacketType.LOG_IN] = log_in
    server.handlers[PacketType.CHANGE_PASSWORD] = lambda link, request: Done()
    done, person = await come_in("password", "a new one", "a new one", "/quit", user=ANN)
    assert done
    assert "You must set a new password now." in person.shown
    (request,) = server.asked(PacketType.CHANGE_PASSWORD)
    assert (request.old_password, request.new_password) == ("password", "a new one")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h:7080", "h_7080/10001.db"),
        ("h:7080", "h_7080/10001.db"),
        ("tinyqq://[::1]", "--1_default/10001.db"),
    ],
)
def test_store_path_when_several_servers_then_one_file_each(url: str, expected: str) -> None:
    assert store_path(Path("x"), url, UserId(10_001)) == Path("x") / expected


async def test_chat_when_somebody_was_here_before_then_the_numbers_are_told(
    server: FakeServer, come_in: Any, tmp_path: Path
) -> None:
    for number in (10002, 10001):
        path = store_path(tmp_path, server.url, UserId(number))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _, person = await come_in(None)
    assert person.shown == ["Here before: 10001, 10002"]
