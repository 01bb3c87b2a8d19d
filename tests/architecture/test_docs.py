"""What the documents name exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.architecture.source_tree import ROOT

_DOCUMENTS: Final = [
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "deploy/*.md", "examples/*.md")
    for path in sorted(ROOT.glob(pattern))
]
_TARGET: Final = re.compile(r"`make ([a-z][a-z-]*)")
_LINK: Final = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_FILE: Final = re.compile(r"`((?:src|tests|docs|proto|bench|examples)/[\w./-]+\.\w+)`")


def found(pattern: re.Pattern[str]) -> list[tuple[Path, str]]:
    """Every match of *pattern*, with the document that it is in."""
    return [
        (document, match)
        for document in _DOCUMENTS
        for match in pattern.findall(document.read_text(encoding="utf-8"))
    ]


def test_documents_when_they_name_a_make_target_then_it_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert [one for one in found(_TARGET) if one[1] not in targets] == []


def test_documents_when_they_link_to_a_file_then_the_file_exists() -> None:
    assert [one for one in found(_LINK) if not (one[0].parent / one[1]).exists()] == []


def test_documents_when_they_name_a_source_file_then_the_file_exists() -> None:
    assert [one for one in found(_FILE) if not (ROOT / one[1]).exists()] == []
