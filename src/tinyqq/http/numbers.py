"""Whole numbers in addresses and headers."""

from __future__ import annotations

from typing import Final

from tinyqq.errors import ErrorCode, InvalidRequest

_MAX_DIGITS: Final = 18
"""No number of ours is longer, and no longer one is worth reading."""


def to_number(text: str, field: str) -> int:
    """A whole number, from 0 up, as a client writes it.

    Args:
        field: what it is called, for who is told that it is none.

    Raises:
        InvalidRequest: it is none, or has more than 18 digits.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS):
        raise InvalidRequest(ErrorCode.INVALID_REQUEST, field=field)
    return int(text)
