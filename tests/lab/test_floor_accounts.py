from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2.exceptions import VerifyMismatchError

from tinyqq.lab.floor_accounts import FloorAccounts
from tinyqq.lab.population import Population
from tinyqq.model.account import DeviceKind, LogIn, Resume
from tinyqq.wire import packets


@pytest.fixture
def accounts(population: Population) -> Iterator[FloorAccounts]:
    opened = FloorAccounts(population)
    yield opened
    opened.close()


def log_in(population: Population, password: str) -> bytes:
    person = population.people[2]
    return packets.encode(LogIn(person.user_id, password, person.device_id, DeviceKind.DESKTOP))


def test_find_by_token_when_known_then_its_user(
    accounts: FloorAccounts, population: Population
) -> None:
    person = population.people[3]
    body = packets.encode(Resume(person.token, person.device_id))
    assert accounts.find_by_token(body) == person.user_id


def test_check_password_when_right_then_its_user(
    accounts: FloorAccounts, population: Population
) -> None:
    body = log_in(population, population.password)
    assert accounts.check_password(body).result(10) == population.people[2].user_id


def test_check_password_when_wrong_then_fails(
    accounts: FloorAccounts, population: Population
) -> None:
    with pytest.raises(VerifyMismatchError):
        accounts.check_password(log_in(population, "wrong")).result(10)
