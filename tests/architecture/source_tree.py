"""The source tree as the rules look at it: modules, their imports, their functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "src" / "tinyqq"
GENERATED: Final = "tinyqq._pb"


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """The file."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file, parsed."""
        return ast.parse(self.text, str(self.path))

    @property
    def package(self) -> str:
        """The first name below ``tinyqq``: a package, or a module of the ground floor."""
        return self.name.split(".")[1] if "." in self.name else ""

    def imports(self) -> Iterator[str]:
        """Dotted names of everything imported, wherever in the file, also for types alone."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{self.name}: relative import"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every function, methods and inner ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def load_modules() -> dict[str, Module]:
    """The hand-written modules of the package, by dotted name."""
    found: dict[str, Module] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        parts = ("tinyqq", *path.relative_to(SOURCES).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if not name.startswith(GENERATED):
            found[name] = Module(name, path)
    return found


MODULES: Final = load_modules()


def imported_modules(module: Module) -> set[str]:
    """The modules of the package that *module* imports."""
    found = set()
    for name in module.imports():
        parent = name.rpartition(".")[0]
        if name in MODULES:
            found.add(name)
        elif parent in MODULES:
            found.add(parent)
        elif name.startswith(GENERATED):
            found.add(GENERATED)
    return found - {module.name}
