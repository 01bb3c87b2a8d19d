"""Which role answers what."""

from __future__ import annotations

import inspect
import typing
from typing import Any

import pytest

from tinyqq.ports import services
from tinyqq.ports.services import Services
from tinyqq.wire.calls import CALLS, ENTRANCES, NOTES, Target
from tinyqq.wire.packets import BEFORE_LOG_IN, OPERATIONS, PacketType

EVERY = CALLS | NOTES | ENTRANCES
OTHERS = {PacketType.HELLO, PacketType.HEARTBEAT, PacketType.SEND}


def method(target: Target) -> Any:
    role = typing.get_type_hints(Services)[target.role]
    return getattr(role, target.method)


def test_tables_when_read_then_every_request_is_in_exactly_one() -> None:
    assert set(EVERY) | OTHERS == set(OPERATIONS)
    assert len(CALLS) + len(NOTES) + len(ENTRANCES) + len(OTHERS) == len(OPERATIONS)
    assert set(ENTRANCES) == BEFORE_LOG_IN


@pytest.mark.parametrize("number", EVERY)
def test_target_when_looked_up_then_the_role_takes_that_request(number: PacketType) -> None:
    signature = inspect.signature(method(EVERY[number]))
    hints = typing.get_type_hints(method(EVERY[number]), vars(services))
    assert hints["request"] is OPERATIONS[number].request
    assert ("caller" in signature.parameters) is (number not in ENTRANCES)
    assert inspect.iscoroutinefunction(method(EVERY[number])) is (number not in NOTES)


@pytest.mark.parametrize("number", EVERY)
def test_target_when_it_carries_an_operation_id_then_it_may_be_repeated(
    number: PacketType,
) -> None:
    fields = typing.get_type_hints(OPERATIONS[number].request)
    if "operation_id" in fields:
        assert EVERY[number].may_repeat


@pytest.mark.parametrize("number", EVERY)
def test_target_when_it_carries_a_password_that_it_changes_then_it_is_not_repeated(
    number: PacketType,
) -> None:
    fields = typing.get_type_hints(OPERATIONS[number].request)
    if "new_password" in fields:
        assert not EVERY[number].may_repeat
