"""What the chat client says."""

from __future__ import annotations

import string

import pytest

from tinyqq.cli import chat_texts
from tinyqq.cli.chat_texts import ChatTexts
from tinyqq.cli.texts import Language
from tinyqq.errors import ErrorCode, Forbidden, Unavailable

TABLE = chat_texts._TEXTS


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TABLE)
def test_texts_when_translated_then_the_same_fields(key: str) -> None:
    english, chinese = TABLE[key]
    assert fields(english) == fields(chinese)


@pytest.mark.parametrize(("language", "expected"), [("en", "Bye."), ("zh", "再见。")])
def test_say_when_asked_then_in_the_language(language: Language, expected: str) -> None:
    assert ChatTexts(language)("say.bye") == expected


def test_has_when_unknown_then_false() -> None:
    assert not ChatTexts("en").has("change.999")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_when_shown_then_names_every_command(language: Language) -> None:
    for name in ("list", "open", "g", "add", "accept", "decline", "friends", "groups", "create"):
        assert f"/{name}" in ChatTexts(language).help
    for name in ("join", "history", "recall", "who", "quit", "invite", "leave", "help"):
        assert f"/{name}" in ChatTexts(language).help


def test_reason_when_known_then_in_words() -> None:
    assert ChatTexts("zh").reason(Forbidden(ErrorCode.NOT_FRIENDS)).startswith("你们还不是好友")


def test_reason_when_unknown_then_the_code() -> None:
    assert ChatTexts("en").reason(Unavailable(ErrorCode.DRAINING)) == "DRAINING"
