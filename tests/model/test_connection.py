from __future__ import annotations

from tinyqq.model.connection import Limits
from tinyqq.model.sync import MAX_PAGE_BYTES


def test_limits_when_default_then_a_page_fits_into_a_frame() -> None:
    assert Limits().max_frame_bytes >= 2 * MAX_PAGE_BYTES


def test_limits_when_default_then_the_longest_text_fits_into_a_frame() -> None:
    assert Limits().max_frame_bytes > 4 * Limits().max_text_chars
