"""What the documents name exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tests.architecture.source_tree import ROOT
from typer.main import get_command

from tinyqq.cli.main import app
from tinyqq.http.metric_texts import METRIC_TEXTS

_DOCUMENTS: Final = [
    path
    for pattern in ("*.md", "docs/**/*.md", "bench/*.md", "deploy/*.md", "examples/*.md")
    for path in sorted(ROOT.glob(pattern))
]
_TARGET: Final = re.compile(r"`make ([a-z][a-z-]*)")
_LINK: Final = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_FILE: Final = re.compile(r"`((?:src|tests|docs|proto|bench|examples)/[\w./-]+\.\w+)`")
_ANCHOR: Final = re.compile(r"\]\(([\w./-]+\.md|)#([\w-]+)\)")
_COMMAND: Final = re.compile(r"`tinyqq ([a-z]+)")
_METRIC: Final = re.compile(r"`(tinyqq_[a-z_]+[a-z])[`{]")
_SOURCES: Final = "".join(path.read_text("utf-8") for path in ROOT.glob("src/tinyqq/**/*.py"))
_WARNING: Final = re.compile(
    r'logger\.(?:warning|error|critical|log)\(\s*(?:level, )?"([a-z]+\.[a-z_]+)"'
)
_EVENT_ROW: Final = re.compile(
    r"^\| ((?:`(?!checks|states)[a-z]+\.[a-z_]+`(?:, )?)+)(?: \(error\))? \|", re.M
)


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


def test_documents_when_they_link_to_a_heading_then_it_is_there() -> None:
    wrong = [
        (document, name, anchor)
        for document in _DOCUMENTS
        for name, anchor in _ANCHOR.findall(document.read_text(encoding="utf-8"))
        if anchor not in headings(document.parent / name if name else document)
    ]
    assert wrong == []


def headings(document: Path) -> set[str]:
    """What links may name, as the usual viewers make it of headings."""
    lines = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def test_documents_when_they_name_a_command_then_there_is_one() -> None:
    known = set(get_command(app).list_commands(None))  # type: ignore[attr-defined]  # of a group
    assert [one for one in found(_COMMAND) if one[1] not in known] == []


def test_events_when_the_runbook_tells_them_then_they_are_logged() -> None:
    assert len(told_events()) > 40
    assert [event for event in told_events() if f'"{event}"' not in _SOURCES] == []


def test_events_when_they_warn_then_the_runbook_tells_them() -> None:
    assert set(_WARNING.findall(_SOURCES)) - told_events() == set()


def told_events() -> set[str]:
    """The lines of the log that the runbook explains."""
    page = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([a-z._]+)`", " ".join(_EVENT_ROW.findall(page))))


def test_metrics_when_documents_name_them_then_they_have_a_text() -> None:
    names = {f"tinyqq_{name}" for name in METRIC_TEXTS}
    assert [one for one in found(_METRIC) if one[1] not in names] == []
