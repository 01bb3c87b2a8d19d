"""The one thing in the storage port that is more than a shape."""

from __future__ import annotations

import pytest

from tinyqq.ports.storage import AppendFailed


@pytest.mark.parametrize(
    ("outcome_known", "text"), [(True, "nothing written"), (False, "outcome unknown")]
)
def test_append_failed_when_made_then_it_tells_what_is_known(
    outcome_known: bool, text: str
) -> None:
    failure = AppendFailed(outcome_known=outcome_known)
    assert failure.outcome_known is outcome_known
    assert str(failure) == text
