"""The page for people."""

from __future__ import annotations

from aiohttp.test_utils import make_mocked_request

from tinyqq.http.page import Page, style_hash


async def ask(host: str = "chat.example:7080") -> tuple[str, str]:
    """The page and its policy."""
    request = make_mocked_request("GET", "/", headers={"Host": host})
    answer = await Page(agent="tinyqq/1").answer(request)
    assert answer.text is not None
    return answer.text, answer.headers["Content-Security-Policy"]


async def test_answer_when_opened_then_says_how_to_chat_in_both_languages() -> None:
    text, _ = await ask()
    assert text.count("tinyqq chat http://chat.example:7080<") == 2
    assert text.count("ws://chat.example:7080/ws") == 2
    assert "正在运行" in text
    assert "is running" in text


async def test_answer_when_its_style_is_read_then_the_policy_allows_it_and_nothing_else() -> None:
    text, policy = await ask()
    assert style_hash() in policy
    assert "unsafe" not in policy
    assert "<script" not in text
    assert text.count("<style>") == 1


async def test_answer_when_the_host_is_hostile_then_escaped() -> None:
    text, _ = await ask('"><script>alert(1)</script>')
    assert "<script" not in text
