"""Every module has its own test file, and every test file its module."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

from tests.architecture.source_tree import MODULES, ROOT, Module

_TESTS: Final = ROOT / "tests"
_NOT_MIRRORS: Final = frozenset(
    {"architecture", "conformance", "contracts", "e2e", "faults", "properties", "support"}
)


def has_code(module: Module) -> bool:
    """Whether there is something to run: a function with a body, not only shapes and names."""
    return any(
        not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant)
        for function in module.functions()
        for statement in function.body
    )


def test_file(module: Module) -> Path:
    """Where the tests of a module are."""
    parts = module.name.split(".")[1:]
    if module.path.name == "__init__.py":
        parts.append("init")
    return _TESTS.joinpath(*parts[:-1], f"test_{parts[-1]}.py") if parts else _TESTS


test_file.__test__ = False  # type: ignore[attr-defined]  # not a test, for all its name


def test_module_when_it_has_code_then_it_has_its_test_file() -> None:
    missing = [
        str(test_file(module).relative_to(ROOT))
        for module in MODULES.values()
        if has_code(module) and not test_file(module).is_file()
    ]
    assert missing == []


def test_test_file_when_it_mirrors_then_the_module_exists() -> None:
    mirrored = {test_file(module) for module in MODULES.values()}
    strays = [
        str(path.relative_to(ROOT))
        for path in sorted(_TESTS.rglob("test_*.py"))
        if path.relative_to(_TESTS).parts[0] not in _NOT_MIRRORS and path not in mirrored
    ]
    assert strays == []
