"""The doctor's advice in both languages."""

from __future__ import annotations

import inspect
import re

from tinyqq.cli import checks, cluster_checks
from tinyqq.cli.doctor_texts import ADVICE
from tinyqq.cli.texts import Texts

_KEY = re.compile(r'"([a-z0-9]+\.[a-z0-9_]+)"')
_SETTINGS = {"database_url", "media.store"}


def test_advise_when_a_check_names_it_then_in_both_languages() -> None:
    named = {
        key
        for module in (checks, cluster_checks)
        for key in _KEY.findall(inspect.getsource(module))
        if key not in _SETTINGS
    }
    assert len(named) > 15
    english, chinese = Texts("en", ADVICE), Texts("zh", ADVICE)
    for key in named:
        assert english(key) != chinese(key)


def test_advise_when_in_chinese_then_chinese() -> None:
    assert Texts("zh", ADVICE)("port.taken") == "请停止占用者，或换一个端口。"
