"""Whole numbers in addresses and headers."""

from __future__ import annotations

import pytest

from tinyqq.errors import ErrorCode, InvalidRequest
from tinyqq.http.numbers import to_number


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("0012", 12), ("9" * 18, 999_999_999_999_999_999)]
)
def test_number_when_it_is_one_then_read(text: str, number: int) -> None:
    assert to_number(text, "limit") == number


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.0", "x", "\u0661", "\u00b2", "9" * 19])
def test_number_when_it_is_none_then_refused_with_its_name(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        to_number(text, "limit")
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.fields == {"field": "limit"}
