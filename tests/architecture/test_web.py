"""The page's imports go down its floors too, and its core knows no framework."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.architecture.source_tree import ROOT

SOURCES: Final = ROOT / "web" / "src"
MAY_IMPORT: Final[dict[str, frozenset[str]]] = {
    "core": frozenset(),
    "demo": frozenset({"core"}),
    "stores": frozenset({"core"}),
    "i18n": frozenset({"stores"}),
    "ui": frozenset({"core", "stores", "i18n"}),
    "admin": frozenset({"core", "stores", "i18n", "ui"}),
}
"""The floors: which folders one may import from besides itself."""
CORE_PACKAGES: Final = frozenset({"@bufbuild/protobuf", "dexie"})
"""Packages that the core may use: what it does must run under any framework, and in tests."""
_IMPORT: Final = re.compile(
    r"""(?: ^import\b[^;"']* | ^export\s[^;"'=]*\bfrom\s* | \bimport\(\s* ) ["']([^"']+)["']""",
    re.MULTILINE | re.VERBOSE,
)


def files(folder: str) -> Iterator[Path]:
    """What was written by hand and goes into the page."""
    for path in sorted((SOURCES / folder).rglob("*")):
        if path.suffix in {".ts", ".vue"} and ".test." not in path.name and "_pb" not in path.parts:
            yield path


def imports(path: Path) -> list[str]:
    """As they stand there, those that are fetched later too."""
    found: list[str] = _IMPORT.findall(path.read_text(encoding="utf-8"))
    return found


def test_folders_when_one_is_new_then_it_has_a_floor() -> None:
    folders = {path.name for path in SOURCES.iterdir() if path.is_dir()}
    assert folders == MAY_IMPORT.keys() | {"styles"}


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_when_they_leave_their_folder_then_they_go_down(folder: str) -> None:
    wrong = []
    for path in files(folder):
        for name in imports(path):
            if not name.startswith("."):
                continue
            target = (path.parent / name).resolve().relative_to(SOURCES).parts[0]
            if target not in MAY_IMPORT[folder] | {folder, "styles"}:
                wrong.append(f"{path.relative_to(SOURCES)}: {name}")
    assert wrong == []


def test_core_when_it_uses_packages_then_none_is_a_framework() -> None:
    used = {
        "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
        for path in files("core")
        for name in imports(path)
        if not name.startswith(".")
    }
    assert used <= CORE_PACKAGES
    assert used, "no import was found at all"


def test_model_when_it_imports_then_only_errors_ids_and_itself() -> None:
    model = SOURCES / "core" / "model"
    wrong = []
    for path in files("core/model"):
        for name in imports(path):
            target = (path.parent / name).resolve()
            if target.parent != model and name not in {"../errors", "../ids"}:
                wrong.append(f"{path.name}: {name}")
    assert wrong == []
