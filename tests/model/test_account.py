from __future__ import annotations

import pytest

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.model.account import (
    MAX_NICKNAME_CHARS,
    MAX_PASSWORD_CHARS,
    MIN_PASSWORD_CHARS,
    Account,
    check_line,
    check_nickname,
    check_password,
)
from tinyqq.model.ids import UserId


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("小明", "小明"),
        ("  Ann \t", "Ann"),
        ("e\u0301", "é"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("\U0001fadf", "\U0001fadf"),  # newer than the Unicode of Python 3.11
        ("x" * MAX_NICKNAME_CHARS, "x" * MAX_NICKNAME_CHARS),
    ],
)
def test_check_nickname_when_it_is_fit_then_trimmed_and_composed(given: str, kept: str) -> None:
    assert check_nickname(given) == kept


@pytest.mark.parametrize(
    "nickname",
    [
        "",
        "   ",
        "\u200d",
        "x" * (MAX_NICKNAME_CHARS + 1),
        "a\nb",
        "a\u2028b",
        "a\u202eb",
        "a\u200bb",
        "a\x00b",
    ],
)
def test_check_nickname_when_it_is_unfit_then_refused(nickname: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_nickname(nickname)
    assert caught.value.code is ErrorCode.BAD_NICKNAME


def test_check_line_when_it_may_be_empty_then_empty() -> None:
    assert check_line("  ", 5, ErrorCode.INVALID_REQUEST, may_be_empty=True) == ""


@pytest.mark.parametrize("password", ["correct horse", "x1y2z3w4", "密码密码很长很长", "x y z w "])
def test_check_password_when_it_is_fit_then_accepted(password: str) -> None:
    check_password(password, user_id=UserId(10_001))


@pytest.mark.parametrize(
    "password",
    [
        "abc1234",
        "x" * MIN_PASSWORD_CHARS,
        "abcabcabcabc",
        "PassWord",
        "ab1!" * (MAX_PASSWORD_CHARS // 4) + "x",
    ],
)
def test_check_password_when_it_is_weak_then_refused(password: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_password(password)
    assert caught.value.code is ErrorCode.WEAK_PASSWORD


def test_check_password_when_it_is_the_own_number_then_refused() -> None:
    with pytest.raises(InvalidRequest, match="own number"):
        check_password("1234509876", user_id=UserId(1_234_509_876))


@pytest.mark.parametrize(
    ("disabled", "deleted_at_ms", "usable"), [(False, 0, True), (True, 0, False), (False, 1, False)]
)
def test_is_usable_when_disabled_or_deleted_then_false(
    disabled: bool, deleted_at_ms: int, usable: bool
) -> None:
    account = Account(UserId(10_001), "Ann", "", is_disabled=disabled, deleted_at_ms=deleted_at_ms)
    assert account.is_usable is usable
