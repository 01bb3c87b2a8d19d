"""What 小Q says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyqq.model.helper_talk import (
    Language,
    answer,
    greeting,
    is_own_words,
    language_of,
    only_text,
)


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("怎么加好友？", "好友申请"),
        ("如何建群", "群主"),
        ("发错了能撤回吗", "2 分钟"),
        ("我不在线时的消息呢", "按顺序"),
        ("有人骚扰我", "拉黑"),
        ("忘记密码了", "恢复码"),
        ("有哪些命令", "/help"),
        ("手机和电脑能一起用吗", "同时登录"),
        ("小Q 你是谁", "不是真人"),
        ("你好", "你好呀"),
        ("谢谢！", "不客气"),
        ("帮助", "我可以讲讲"),
        ("How do I add a friend?", "request"),
        ("make a GROUP", "owner"),
        ("recall a message", "2 minutes"),
        ("I was offline, what did I miss?", "in order"),
        ("who are you", "Not a human"),
        ("help", "I can tell you"),
        ("hi", "Hello!"),
        ("thanks", "welcome"),
    ],
)
def test_answer_when_the_topic_is_known_then_it_is_about_it(question: str, word: str) -> None:
    assert word in answer(question)


@pytest.mark.parametrize("question", ["this thing", "今天天气不错", "42", "🙂", ""])
def test_answer_when_the_topic_is_unknown_then_topics_are_offered(question: str) -> None:
    assert ":)" in answer(question)


@pytest.mark.parametrize(
    ("text", "preferred", "language"),
    [
        ("加 friend", "en", Language.CHINESE),
        ("friend", "zh-CN", Language.ENGLISH),
        ("42", "en-GB", Language.ENGLISH),
        ("42", "zh-TW", Language.CHINESE),
        ("42", "", Language.CHINESE),
    ],
)
def test_language_of_when_the_text_shows_none_then_the_preferred_one(
    text: str, preferred: str, language: Language
) -> None:
    assert language_of(text, preferred) is language


def test_greeting_when_a_language_is_known_then_in_it() -> None:
    assert greeting("en-US").startswith("Hello")
    assert greeting("zh-CN").startswith("你好")


@settings(max_examples=100)
@given(st.text(max_size=200), st.sampled_from(["", "en", "zh"]))
def test_answer_when_asked_anything_then_short_and_known_as_its_own(
    question: str, language: str
) -> None:
    said = answer(question, language)
    assert 0 < len(said) < 300
    assert is_own_words(said)
    assert is_own_words(only_text(language))
    assert is_own_words(greeting(language))
