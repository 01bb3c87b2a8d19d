"""What the demo tells whoever started it."""

from __future__ import annotations

import pytest

from tinyqq.cli.demo import tell
from tinyqq.cli.demo_people import PASSWORD, People, Person
from tinyqq.cli.texts import Texts


def test_tell_when_listening_then_whom_to_log_in_as(capsys: pytest.CaptureFixture[str]) -> None:
    people = People((Person(10001, "小明", True),), Person(10004, "复读机"), "secret-token", 10001)
    tell(people, Texts("en"))
    output = capsys.readouterr().out
    for part in ("10001", PASSWORD, "小明", "10004", "复读机", "周末爬山", "/admin"):
        assert part in output
    assert "secret-token" not in output
