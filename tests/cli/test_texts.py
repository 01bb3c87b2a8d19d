"""Both languages say the same things."""

from __future__ import annotations

import string

import pytest

from tinyqq.cli import texts
from tinyqq.cli.texts import Texts, choose_language


def fields_of(template: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def test_table_when_compared_then_the_same_fields_in_both_languages() -> None:
    table = texts._TEXTS
    assert [key for key, (en, zh) in table.items() if fields_of(en) != fields_of(zh)] == []


def test_texts_when_asked_then_in_the_chosen_language() -> None:
    assert Texts("en")("user.none") == "There are no accounts yet."
    assert Texts("zh")("user.added", user_id=10001, nickname="小明") == "已创建 10001（小明）。"


@pytest.mark.parametrize(
    ("environ", "system", "language"),
    [
        ({}, "", "en"),
        ({}, "zh_CN", "zh"),
        ({}, "Chinese (Simplified)_China", "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "", "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "", "en"),
        ({"LANG": "en_US", "TINYQQ_LANG": "zh"}, "", "zh"),
        ({"LANG": "de_DE"}, "zh_CN", "en"),
    ],
)
def test_language_when_chosen_then_by_the_nearest_wish(
    environ: dict[str, str], system: str, language: str
) -> None:
    assert choose_language(environ, system) == language
