"""The committed reference page is what the settings say."""

from __future__ import annotations

from pathlib import Path

from tinyqq.app.reference import render_reference
from tinyqq.app.sources import list_settings

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_reference_when_rendered_again_then_the_same_as_committed() -> None:
    assert _PAGE.read_text(encoding="utf-8") == render_reference(), "run: make docs-settings"


def test_reference_when_rendered_then_every_setting_is_in_it() -> None:
    page = render_reference()
    assert [one.path for one in list_settings() if f"`{one.path}`" not in page] == []
