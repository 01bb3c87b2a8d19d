from __future__ import annotations

from typing import Any

import pytest

from tinyqq import errors
from tinyqq.errors import ErrorCode, TinyQQError, error_class, error_for

CLASSES = [
    errors.InvalidRequest,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotFound,
    errors.Conflict,
    errors.RateLimited,
    errors.Unavailable,
    errors.ProtocolError,
]


@pytest.mark.parametrize("code", ErrorCode)
def test_error_for_when_code_is_known_then_it_comes_back(code: ErrorCode) -> None:
    error = error_for(int(code), retry_after_s=1.5, field="x")
    assert type(error) is error_class(code)
    assert (error.code, error.retry_after_s, error.fields) == (code, 1.5, {"field": "x"})


def test_codes_when_listed_then_no_number_is_used_twice() -> None:
    assert len(ErrorCode.__members__) == len(ErrorCode)


@pytest.mark.parametrize(("thousands", "expected"), list(enumerate(CLASSES, start=1)))
def test_error_class_when_code_is_general_then_class_of_its_thousands(
    thousands: int, expected: type[TinyQQError]
) -> None:
    assert error_class(ErrorCode(thousands * 1000)) is expected


@pytest.mark.parametrize("thousands", range(1, 9))
def test_error_for_when_code_is_new_then_general_code_of_its_class(thousands: int) -> None:
    error = error_for(thousands * 1000 + 999)
    assert error.code == thousands * 1000
    assert error.fields == {"unknown_code": thousands * 1000 + 999}


@pytest.mark.parametrize("code", [0, 999, 9000, 2**32 - 1])
def test_error_for_when_code_is_outside_every_class_then_unavailable(code: int) -> None:
    assert error_for(code).code is ErrorCode.UNAVAILABLE


def test_error_for_when_fields_are_named_like_arguments_then_kept() -> None:
    fields: dict[str, Any] = {"code": "7", "self": "me", "a b": "c"}
    assert error_for(ErrorCode.BUSY, **fields).fields == fields


def test_text_when_there_are_fields_then_name_and_fields() -> None:
    assert str(errors.Forbidden(ErrorCode.NOT_A_MEMBER, group_id=7)) == "NOT_A_MEMBER group_id=7"


def test_text_when_there_are_no_fields_then_name_alone() -> None:
    assert str(errors.Unavailable(ErrorCode.BUSY, retry_after_s=2)) == "BUSY"


def test_needs_extra_when_not_installed_then_said_with_the_setting() -> None:
    with pytest.raises(errors.InvalidRequest) as caught, errors.needs_extra("registry"):
        raise ModuleNotFoundError
    assert caught.value.fields == {"extra": "registry"}


def test_repr_when_logged_then_class_name_of_the_code_and_fields() -> None:
    error = errors.Forbidden(ErrorCode.NOT_A_MEMBER, group_id=7)
    assert repr(error) == "Forbidden(NOT_A_MEMBER group_id=7)"
