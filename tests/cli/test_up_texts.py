"""Both languages say the same things."""

from __future__ import annotations

import string

from tinyqq.cli import up_texts
from tinyqq.cli.up_texts import UpTexts


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_table_when_compared_then_the_same_fields_in_both_languages() -> None:
    table = up_texts._TEXTS
    assert [key for key, (en, zh) in table.items() if fields_of(en) != fields_of(zh)] == []


def test_texts_when_asked_then_in_the_chosen_language() -> None:
    assert UpTexts("en")("down.nothing", path="x") == "No cluster runs in x."
    assert UpTexts("zh")("down.stopped") == "已停止。"
