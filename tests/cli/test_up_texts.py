"""Both languages say the same things."""

from __future__ import annotations

import string

from tinyqq.cli.texts import Texts
from tinyqq.cli.up_texts import UP_TEXTS


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_table_when_compared_then_the_same_fields_in_both_languages() -> None:
    assert [key for key, (en, zh) in UP_TEXTS.items() if fields_of(en) != fields_of(zh)] == []


def test_texts_when_asked_then_in_the_chosen_language() -> None:
    assert Texts("en", UP_TEXTS)("down.nothing", path="x") == "No cluster runs in x."
    assert Texts("zh", UP_TEXTS)("down.stopped") == "已停止。"
